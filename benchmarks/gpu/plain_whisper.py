"""Baseline: a plain transformers script for Whisper, whose features are computed by the data loaders.

Its batches are those of the app, clips of similar length together, so that the losses of both can be compared. Run as
`python -m benchmarks.gpu.plain_whisper SETTINGS`, a JSON object with `data model output epochs batch_size lr
logging_steps bf16 workers`; prints one JSON line (`LogWatch.facts`).
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import soundfile
import torch
from transformers import AutoModelForSpeechSeq2Seq, AutoProcessor, Trainer, TrainingArguments

from autotrain_gradio.training.length_sampler import LengthSampler
from benchmarks.plain_watch import LogWatch, exit_now

PROMPT = ("<|en|>", "<|transcribe|>", "<|notimestamps|>")


class Clips(torch.utils.data.Dataset):
    """Clips and the labels of their transcripts."""

    def __init__(self, folder: Path, tokenizer: Any) -> None:
        with (folder / "metadata.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.files = [folder / row["file_name"] for row in rows]
        self.seconds = [soundfile.info(file).duration for file in self.files]
        prompt = tokenizer.convert_tokens_to_ids(list(PROMPT))
        texts = [tokenizer(row["transcription"], add_special_tokens=False).input_ids for row in rows]
        self.labels = [[*prompt, *ids, tokenizer.eos_token_id] for ids in texts]

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, i: int) -> dict[str, Any]:
        return {"audio": soundfile.read(self.files[i], dtype="float32")[0], "labels": self.labels[i]}


class GroupedTrainer(Trainer):
    """A Trainer with the batches of the app."""

    def _get_train_sampler(self, train_dataset=None):  # noqa: ANN001, ANN202
        return LengthSampler(self.train_dataset.seconds, self._train_batch_size, seed=self.args.seed)


def main(settings: dict[str, Any]) -> None:
    processor = AutoProcessor.from_pretrained(settings["model"])
    extractor = processor.feature_extractor

    def collate(items: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        waves = [item["audio"] for item in items]
        labels = [torch.tensor(item["labels"]) for item in items]
        found = extractor(waves, sampling_rate=extractor.sampling_rate, return_tensors="pt")
        padded = torch.nn.utils.rnn.pad_sequence(labels, batch_first=True, padding_value=-100)
        return {"input_features": found["input_features"], "labels": padded}

    watch, workers = LogWatch(), settings["workers"]
    trainer = GroupedTrainer(
        model=AutoModelForSpeechSeq2Seq.from_pretrained(settings["model"], dtype=torch.float32),
        args=TrainingArguments(
            output_dir=settings["output"],
            num_train_epochs=settings["epochs"],
            per_device_train_batch_size=settings["batch_size"],
            learning_rate=settings["lr"],
            warmup_steps=0.1,
            optim="adamw_torch_fused",
            bf16=settings["bf16"],
            save_strategy="no",
            logging_steps=settings["logging_steps"],
            logging_first_step=True,
            dataloader_num_workers=workers,
            dataloader_persistent_workers=workers > 0,
            remove_unused_columns=False,
            report_to=[],
            disable_tqdm=True,
            seed=42,
            data_seed=42,
        ),
        train_dataset=Clips(Path(settings["data"]), processor.tokenizer),
        data_collator=collate,
        callbacks=[watch],
    )
    trainer.train()
    print(json.dumps(watch.facts()))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
    exit_now()
