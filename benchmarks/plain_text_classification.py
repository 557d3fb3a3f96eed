"""Baselines: a tuned and a naive plain transformers script for text classification.

`tuned`: tokenised once, batches of like length, padded to the longest of the batch. `padded`: all texts padded to
max_length. Run as `python -m benchmarks.plain_text_classification FOLDER MODEL OUTPUT EPOCHS BATCH_SIZE TOKENS WAY`;
prints one JSON line with the optimizer steps and the seconds from the end of the first one to the end of the last.
"""

from __future__ import annotations

import json
import sys

import numpy as np
from datasets import load_dataset
from sklearn.metrics import accuracy_score, precision_recall_fscore_support
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)

from benchmarks.plain_watch import Watch, exit_now


def compute_metrics(prediction) -> dict:  # noqa: ANN001
    """Compute the same metrics as the app."""
    guesses, targets = np.argmax(prediction.predictions, axis=-1), prediction.label_ids
    found = {"accuracy": accuracy_score(targets, guesses)}
    for average in ("macro", "micro", "weighted"):
        values = precision_recall_fscore_support(targets, guesses, average=average, zero_division=0)
        found |= {f"{n}_{average}": v for n, v in zip(("precision", "recall", "f1"), values, strict=False)}
    return found


def main(folder: str, model_name: str, output: str, epochs: int, batch_size: int, tokens: int, way: str) -> None:
    tuned = way == "tuned"
    data = load_dataset("csv", data_files={n: f"{folder}/{n}.csv" for n in ("train", "valid")})
    names = sorted(set(data["train"]["label"]))
    tokenizer = AutoTokenizer.from_pretrained(model_name)

    def prepare(rows):  # noqa: ANN001, ANN202
        made = tokenizer(rows["text"], truncation=True, max_length=tokens, padding=False if tuned else "max_length")
        made["labels"] = [names.index(name) for name in rows["label"]]
        if tuned:
            made["length"] = [len(ids) for ids in made["input_ids"]]
        return made

    data = data.map(prepare, batched=True, remove_columns=["text", "label"])
    model = AutoModelForSequenceClassification.from_pretrained(model_name, num_labels=len(names))
    watch = Watch()
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=output,
            num_train_epochs=epochs,
            per_device_train_batch_size=batch_size,
            per_device_eval_batch_size=batch_size,
            learning_rate=5e-5,
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
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=compute_metrics,
        callbacks=[watch],
    )
    trainer.train()
    print(json.dumps(watch.facts()))


if __name__ == "__main__":
    main(*sys.argv[1:4], *(int(a) for a in sys.argv[4:7]), sys.argv[7])
    exit_now()
