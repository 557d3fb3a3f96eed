"""Text training compared with plain scripts on texts of mixed length: a tuned one, and one with maximum padding."""

from __future__ import annotations

import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
from benchmarks.rows import Row
from benchmarks.training import trained

BATCH, EPOCHS, TEXTS, TOKENS, REPEATS = 16, 3, 1500, 256, 2
CLASSES, WORDS = 4, 2000


def texts(folder: Path, count: int) -> Path:
    """Write train.csv and valid.csv: most texts have a few dozen words, some several hundred (log-normal)."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(count):
        length = int(np.clip(rng.lognormal(3.4, 0.9), 3, 400))
        words = rng.integers(0, WORDS, length)
        words[: length // 4] = words[: length // 4] // CLASSES * CLASSES + i % CLASSES
        rows.append((" ".join(f"w{w}" for w in rng.permutation(words)), f"class{i % CLASSES}"))
    folder.mkdir(parents=True)
    for name, part in (("train", rows[count // 5 :]), ("valid", rows[: count // 5])):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("text", "label"), *part])
    return folder


def small_bert(folder: Path) -> Path:
    """Write a BERT with random weights (about a million parameters) whose tokens are the words of `texts`."""
    from tokenizers import Tokenizer, pre_tokenizers, processors
    from tokenizers.models import WordLevel
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    vocabulary = {w: i for i, w in enumerate([*special, *(f"w{i}" for i in range(WORDS))])}
    made = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made,
        model_max_length=512,
        **dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), special, strict=True)),
    )
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=128,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=512,
        num_labels=CLASSES,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def plain(data: Path, model: Path, output: Path, way: str, epochs: int = EPOCHS) -> float:
    """Run a plain script in a process of its own; return its samples per second."""
    command = [sys.executable, "-m", "benchmarks.plain_text_classification"]
    command += [str(data), str(model), str(output), str(epochs), str(BATCH), str(TOKENS), way]
    env = {**os.environ, "HF_DATASETS_CACHE": str(output / "cache"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    found = json.loads(done.stdout.splitlines()[-1])
    return (found["steps"] - 1) * BATCH / found["steps_seconds"]


def ours(service: Service, data: Path, model: Path) -> float:
    """Run the same training as a user would; return its samples per second."""
    params: dict[str, Any] = {
        "epochs": EPOCHS,
        "batch_size": BATCH,
        "max_seq_length": TOKENS,
        "logging_steps": 5,
        "early_stopping_patience": 0,
    }
    spec = {
        "task": "text-classification",
        "model": str(model),
        "project_name": "bench",
        "data": {"path": str(data), "valid_split": "valid"},
        "params": params,
    }
    return trained(service, spec, BATCH)["samples_per_second"]


def measure() -> list[Row]:
    """Run the app and the tuned script alternately, and compare medians; then the padding one."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        data, model = texts(root / "texts", TEXTS), small_bert(root / "model")
        service = Service(Settings(home=root / "home"))
        try:
            mine, theirs = [], []
            for i in range(REPEATS):
                theirs.append(plain(data, model, root / f"tuned{i}", "tuned"))
                mine.append(ours(service, data, model))
            padded = plain(data, model, root / "padded", "padded", epochs=1)
        finally:
            service.close()
    speed, tuned = statistics.median(mine), statistics.median(theirs)
    name = "text training, evaluation and checkpoints included, against a plain script that"
    return [
        Row(
            f"{name} is tuned: tokenised once, padded by the batch, by length",
            f"{speed:.1f} samples/s",
            f"{tuned:.1f} samples/s",
            speed / tuned,
            0.95,
            at_least=True,
        ),
        Row(
            f"{name} pads all to max_length",
            f"{speed:.1f} samples/s",
            f"{padded:.1f} samples/s",
            speed / padded,
            2,
            at_least=True,
        ),
    ]
