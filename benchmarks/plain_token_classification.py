"""Baselines: a tuned and a naive plain transformers script for token classification, after the library's `run_ner.py`.

`tuned`: tokenised once, batches of like length, padded to the longest of the batch. `padded`: all texts padded to
max_length. Run as `python -m benchmarks.plain_token_classification FOLDER MODEL OUTPUT EPOCHS BATCH_SIZE TOKENS WAY`;
prints one JSON line with the optimizer steps, the seconds from the end of the first one to the end of the last, the
final validation loss and the peak memory in bytes.
"""

from __future__ import annotations

import json
import sys

import numpy as np
from datasets import load_dataset
from seqeval.metrics import accuracy_score, f1_score, precision_score, recall_score
from seqeval.scheme import IOB2
from transformers import (
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    Trainer,
    TrainingArguments,
)

from benchmarks.plain_watch import Watch, exit_now
from benchmarks.rows import peak_memory


def main(folder: str, model_name: str, output: str, epochs: int, batch_size: int, tokens: int, way: str) -> None:
    tuned = way == "tuned"
    data = load_dataset("json", data_files={n: f"{folder}/{n}.jsonl" for n in ("train", "valid")})
    types = sorted({tag[2:] for row in data["train"]["tags"] for tag in row} - {""})
    names = ["O", *(f"{prefix}-{name}" for name in types for prefix in "BI")]
    tokenizer = AutoTokenizer.from_pretrained(model_name)

    def prepare(rows):  # noqa: ANN001, ANN202
        made = tokenizer(
            rows["tokens"],
            truncation=True,
            max_length=tokens,
            padding=False if tuned else "max_length",
            is_split_into_words=True,
        )
        made["labels"] = []
        for i, tags in enumerate(rows["tags"]):
            words = made.word_ids(i)
            first = [w is not None and w != before for w, before in zip(words, [None, *words], strict=False)]
            labels = [names.index(tags[w]) if new else -100 for w, new in zip(words, first, strict=True)]
            made["labels"].append(labels)
        if tuned:
            made["length"] = [len(ids) for ids in made["input_ids"]]
        return made

    def compute_metrics(prediction) -> dict:  # noqa: ANN001
        guesses = np.argmax(prediction.predictions, axis=-1)
        rows = list(zip(guesses, prediction.label_ids, strict=True))
        said = [[names[g] for g, t in zip(*row, strict=True) if t != -100] for row in rows]
        true = [[names[t] for t in row if t != -100] for _, row in rows]
        found = {"accuracy": accuracy_score(true, said), "f1_strict": f1_score(true, said, mode="strict", scheme=IOB2)}
        measures = (("f1", f1_score), ("precision", precision_score), ("recall", recall_score))
        return found | {name: measure(true, said) for name, measure in measures}

    data = data.map(prepare, batched=True, remove_columns=["tokens", "tags"])
    model = AutoModelForTokenClassification.from_pretrained(
        model_name, num_labels=len(names), ignore_mismatched_sizes=True
    )
    watch = Watch()
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=output,
            num_train_epochs=epochs,
            per_device_train_batch_size=batch_size,
            per_device_eval_batch_size=batch_size,
            learning_rate=5e-4,
            warmup_steps=0.1,
            eval_strategy="epoch",
            save_strategy="epoch",
            save_total_limit=1,
            load_best_model_at_end=True,
            train_sampling_strategy="group_by_length" if tuned else "random",
            optim="adamw_torch_fused",
            logging_steps=5,
            disable_tqdm=True,
            seed=42,
        ),
        train_dataset=data["train"],
        eval_dataset=data["valid"],
        data_collator=DataCollatorForTokenClassification(tokenizer),
        compute_metrics=compute_metrics,
        callbacks=[watch],
    )
    trainer.train()
    loss = min(entry["eval_loss"] for entry in trainer.state.log_history if "eval_loss" in entry)
    found = {**watch.facts(), "loss": loss, "memory": peak_memory()}
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:4], *(int(a) for a in sys.argv[4:7]), sys.argv[7])
    exit_now()
