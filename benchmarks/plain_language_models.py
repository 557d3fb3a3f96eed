"""Baseline: a plain TRL script for chat models, with the loss on the assistant's messages and dynamic padding.

The order `grouped` has the batches of the app, rows of similar length together, so that the losses of both can be
compared step by step; `random` has TRL's own. Run as `python -m benchmarks.plain_language_models SETTINGS`, a JSON
object with `data model output epochs batch_size tokens lr logging_steps order`, and perhaps `bf16`, `lora_r`, `workers`
(data loader processes) and `save` (checkpoints, by default true); prints one JSON line (`LogWatch.facts`).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from datasets import load_dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

from autotrain_gradio.training.length_sampler import LengthSampler
from benchmarks.plain_watch import LogWatch, exit_now


class GroupedTrainer(SFTTrainer):
    """TRL's trainer with the batches of the app."""

    def _get_train_sampler(self, train_dataset=None):  # noqa: ANN001, ANN202
        lengths = [len(ids) for ids in self.train_dataset["input_ids"]]
        return LengthSampler(lengths, self._train_batch_size, seed=self.args.seed)


def main(settings: dict[str, Any]) -> None:
    files = {n: f"{settings['data']}/{n}.jsonl" for n in ("train", "valid")}
    data = load_dataset("json", data_files={n: f for n, f in files.items() if Path(f).is_file()})
    tokenizer = AutoTokenizer.from_pretrained(settings["model"])
    model = AutoModelForCausalLM.from_pretrained(settings["model"], dtype=torch.float32)
    rank, validates = settings.get("lora_r"), "valid" in data
    watch = LogWatch()
    trainer = (GroupedTrainer if settings["order"] == "grouped" else SFTTrainer)(
        model=model,
        args=SFTConfig(
            output_dir=settings["output"],
            num_train_epochs=settings["epochs"],
            per_device_train_batch_size=settings["batch_size"],
            per_device_eval_batch_size=settings["batch_size"],
            max_length=settings["tokens"],
            assistant_only_loss=True,
            pad_to_multiple_of=8 if torch.cuda.is_available() else None,
            learning_rate=settings["lr"],
            warmup_steps=0.1,
            optim="adamw_torch_fused",
            bf16=settings.get("bf16", False),
            activation_checkpointing=False,
            eval_strategy="epoch" if validates else "no",
            save_strategy="epoch" if settings.get("save", True) else "no",
            save_total_limit=2,
            load_best_model_at_end=validates,
            logging_steps=settings["logging_steps"],
            logging_first_step=True,
            dataloader_num_workers=settings.get("workers", 0),
            report_to=[],
            disable_tqdm=True,
            seed=42,
            data_seed=42,
        ),
        train_dataset=data["train"],
        eval_dataset=data["valid"] if validates else None,
        processing_class=tokenizer,
        peft_config=LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules="all-linear")
        if rank
        else None,
        callbacks=[watch],
    )
    trainer.train()
    print(json.dumps(watch.facts()))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
    exit_now()
