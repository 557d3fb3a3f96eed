"""Baseline: a plain script after the speech recognition example of transformers.

As `run_speech_recognition_ctc.py` does it: features of all clips are computed up front and cached, batches are random
and padded to their longest clip. Run as `python -m benchmarks.plain_speech FOLDER MODEL OUTPUT EPOCHS BATCH_SIZE`;
prints one JSON line with the seconds of the preparation and of the training, and each epoch's mean training loss.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from pathlib import Path

import soundfile
import torch
from datasets import Dataset
from transformers import AutoFeatureExtractor, AutoModelForCTC, AutoTokenizer, Trainer, TrainingArguments


def main(folder: str, model_name: str, output: str, epochs: int, batch_size: int) -> None:
    extractor = AutoFeatureExtractor.from_pretrained(model_name)
    tokenizer = AutoTokenizer.from_pretrained(model_name)
    with (Path(folder) / "metadata.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    def prepare(row: dict) -> dict:
        audio, rate = soundfile.read(Path(folder) / row["file_name"], dtype="float32")
        values = extractor(audio, sampling_rate=rate).input_values[0]
        return {"input_values": values, "labels": tokenizer(row["transcription"]).input_ids}

    began = time.time()
    data = Dataset.from_list(rows).map(prepare, remove_columns=list(rows[0]))
    data.set_format("numpy")
    prepared = time.time() - began

    def collate(items: list[dict]) -> dict:
        features = [{"input_values": item["input_values"]} for item in items]
        batch = extractor.pad(features, padding=True, return_tensors="pt")
        labels = [torch.as_tensor(item["labels"]) for item in items]
        batch["labels"] = torch.nn.utils.rnn.pad_sequence(labels, batch_first=True, padding_value=-100)
        return batch

    model = AutoModelForCTC.from_pretrained(model_name, ctc_loss_reduction="mean", ctc_zero_infinity=True)
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=output,
            num_train_epochs=epochs,
            per_device_train_batch_size=batch_size,
            learning_rate=1e-3,
            warmup_steps=0.1,
            save_strategy="epoch",
            save_total_limit=1,
            logging_steps=1,
            disable_tqdm=True,
            remove_unused_columns=False,
            seed=42,
        ),
        train_dataset=data,
        data_collator=collate,
    )
    began = time.time()
    trainer.train()
    seconds = time.time() - began
    losses = [e["loss"] for e in trainer.state.log_history if "loss" in e]
    each = len(losses) // epochs
    means = [sum(losses[i * each : (i + 1) * each]) / each for i in range(epochs)]
    print(json.dumps({"prepare_seconds": prepared, "train_seconds": seconds, "losses": means}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
