"""Training of chat models compared with a plain TRL script: tokens per second, loss, memory, and the first step."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.text_format import MIB
from autotrain_gradio.service import Service
from benchmarks import app_runs
from benchmarks.rows import Row

WORDS = 1500
"""Number of different words in the chats; a word is about one token."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of the comparison. chats: number of training rows. repeats: runs of each kind."""

    chats: int = 480
    epochs: int = 2
    batch_size: int = 8
    tokens: int = 512
    hidden: int = 256
    layers: int = 4
    repeats: int = 2


def chats(folder: Path, count: int, *, words: tuple[float, float] = (3.4, 0.9), most: int = 400) -> Path:
    """Write train.jsonl and valid.jsonl, a tenth as many: chats of a question and an answer of mixed length.

    words: mean and standard deviation of the logarithm of the number of words of an answer. The word behind a word is
    its successor in three of four cases, so that there is something to learn.
    """
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for name, rows in (("train", count), ("valid", max(1, count // 10))):
        lines = []
        for _ in range(rows):
            size = int(np.clip(rng.lognormal(*words), 6, most))
            steps = np.where(rng.random(size) < 0.75, 1, rng.integers(0, WORDS, size))
            answer = " ".join(f"w{w}" for w in (rng.integers(0, WORDS) + np.cumsum(steps)) % WORDS)
            question = " ".join(f"w{w}" for w in rng.integers(0, WORDS, 6))
            messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
            lines.append(json.dumps({"messages": messages}) + "\n")
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def random_llama(folder: Path, **config: Any) -> Path:
    """Write a Llama with random weights, and a tokenizer whose chat template marks the assistant's tokens.

    config: of `LlamaConfig`; the vocabulary has at least the tokens of `chats`.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from autotrain_gradio.training.language_models import tiny_chat_tokenizer

    torch.manual_seed(0)
    tokenizer = tiny_chat_tokenizer(f"w{i} w{i}" for i in range(WORDS))
    tokenizer.model_max_length = config.get("max_position_embeddings", 2048)
    settings = {"num_attention_heads": 4, "num_key_value_heads": 4, "tie_word_embeddings": True, **config}
    ids = {"bos_token_id": None, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    settings["vocab_size"] = max(len(tokenizer), config.get("vocab_size", 0))
    LlamaForCausalLM(LlamaConfig(**settings, **ids)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def count_tokens(data: Path, model: Path, limit: int) -> int:
    """Return the tokens of the training rows, rendered with the chat template, at most `limit` of each."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    rows = [json.loads(line)["messages"] for line in (data / "train.jsonl").read_text(encoding="utf-8").splitlines()]
    ids = [tokenizer.apply_chat_template(messages, return_dict=True)["input_ids"] for messages in rows]
    return sum(min(len(i), limit) for i in ids)


@dataclass(frozen=True)
class Trained:
    """What a training has taken. seconds: from its beginning to the end of the last step, evaluations and checkpoints
    between two epochs included. memory: in bytes. losses: step and loss. counted: the Trainer's count of tokens.
    """

    first_step: float
    seconds: float
    memory: float
    losses: list[tuple[int, float]]
    counted: int


def run_plain(module: str, settings: dict[str, Any], *, seconds: float | None = None) -> dict[str, Any]:
    """Run a plain script in a process of its own, and return what it prints.

    Raises:
        RuntimeError: it has failed.
        subprocess.TimeoutExpired: it takes longer than so many seconds.
    """
    cache = str(Path(settings["output"]) / "cache")
    env = {**os.environ, "HF_DATASETS_CACHE": cache, "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", module, json.dumps(settings)]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False, timeout=seconds)
    if done.returncode:
        raise RuntimeError(f"{module} has failed: {done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def plain(settings: dict[str, Any]) -> Trained:
    """Run the plain TRL script (`plain_language_models`)."""
    found = run_plain("benchmarks.plain_language_models", settings)
    logs = found["logs"]
    losses = [(int(e["step"]), float(e["loss"])) for e in logs]
    first, seconds, memory = found["first_step_seconds"], found["train_seconds"], found["memory"]
    return Trained(first, seconds, memory, losses, int(logs[-1]["num_tokens"]))


def ours(service: Service, settings: dict[str, Any], **params: Any) -> Trained:
    """Run the same training as a user would. settings: those of the plain script. params: more parameters."""
    validates = (Path(settings["data"]) / "valid.jsonl").is_file()
    given: dict[str, Any] = {
        "epochs": settings["epochs"],
        "batch_size": settings["batch_size"],
        "block_size": settings["tokens"],
        "lr": settings["lr"],
        "logging_steps": settings["logging_steps"],
        "early_stopping_patience": 0,
        "generation_rows": 0,
    }
    spec = {
        "task": "llm-sft",
        "model": str(settings["model"]),
        "project_name": "bench",
        "data": {"path": str(settings["data"]), **({"valid_split": "valid"} if validates else {"valid_fraction": 0})},
        "params": {**given, **params},
    }
    run = app_runs.complete(service, spec)
    began, steps = run.training_began(), run.steps()
    losses = [(step, value) for step, value, _ in run.logged("loss")]
    counted = int(run.logged("num_tokens")[-1][1])
    return Trained(steps[0][1] - run.started(), steps[-1][1] - began, run.memory(), losses, counted)


def loss_difference(one: Sequence[tuple[int, float]], other: Sequence[tuple[int, float]]) -> float:
    """Return the largest relative difference of two loss curves.

    Raises:
        ValueError: they do not have the same steps, or none.
    """
    if not one or [step for step, _ in one] != [step for step, _ in other]:
        raise ValueError(f"the loss curves have other steps: {len(one)} and {len(other)} points")
    return max(abs(a - b) / max(abs(b), 1e-6) for (_, a), (_, b) in zip(one, other, strict=True))


def measure(sizes: Sizes = Sizes()) -> list[Row]:  # noqa: B008 - frozen
    """Run the app and the plain script alternately, and compare medians.

    Raises:
        RuntimeError: they did not train on the same tokens, or the app did not pack.
    """
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        data = chats(root / "chats", sizes.chats)
        shape = {"hidden_size": sizes.hidden, "intermediate_size": 4 * sizes.hidden, "num_hidden_layers": sizes.layers}
        model = random_llama(root / "model", **shape, max_position_embeddings=sizes.tokens)
        total = sizes.epochs * count_tokens(data, model, sizes.tokens)
        settings = {
            "data": str(data),
            "model": str(model),
            "epochs": sizes.epochs,
            "batch_size": sizes.batch_size,
            "tokens": sizes.tokens,
            "lr": 5e-4,
            "logging_steps": 1,
        }
        theirs, mine, unpacked, packed = [], [], [], []
        service = Service(Settings(home=root / "home"))
        try:
            for i in range(sizes.repeats):
                theirs.append(plain({**settings, "order": "grouped", "output": str(root / f"grouped{i}")}))
                mine.append(ours(service, settings))
                unpacked.append(plain({**settings, "order": "random", "output": str(root / f"random{i}")}))
                packed.append(ours(service, settings, packing=True))
        finally:
            service.close()
    for found in (*theirs, *mine, *unpacked):
        if found.counted != total:
            raise RuntimeError(f"trained on {found.counted:,} tokens instead of {total:,}")
    steps, fewer = len(mine[0].losses), len(packed[0].losses)
    if fewer >= steps:
        raise RuntimeError("the app did not pack the rows")
    print(f"{total:,} tokens in each training without padding, {steps} steps, {fewer} with packing")
    pairs = zip(mine[0].losses, theirs[0].losses, strict=True)
    print("training loss, ours/plain:", *(f"{a:.4f}/{b:.4f}" for (_, a), (_, b) in pairs))
    return rows(total, mine, theirs, packed, unpacked)


def rows(
    total: int, mine: list[Trained], theirs: list[Trained], packed: list[Trained], unpacked: list[Trained]
) -> list[Row]:
    """Return the rows of the table. total: tokens of a training, without padding."""

    def median(found: list[Trained], name: str) -> float:
        return statistics.median(getattr(f, name) for f in found)

    speed, their_speed, packed_speed, random_speed = (
        total / median(found, "seconds") for found in (mine, theirs, packed, unpacked)
    )
    first, their_first = median(mine, "first_step"), median(theirs, "first_step")
    memory, their_memory = median(mine, "memory"), median(theirs, "memory")
    difference = max(loss_difference(a.losses, b.losses) for a, b in zip(mine, theirs, strict=True))
    name = "chat models, evaluation and checkpoints included: tokens without padding, against a plain TRL script"
    return [
        Row(
            f"{name} with the same batches",
            f"{speed:,.0f} tokens/s",
            f"{their_speed:,.0f} tokens/s",
            speed / their_speed,
            1.0,
            at_least=True,
        ),
        Row(
            f"{name} with random batches, which does not pack; ours packs",
            f"{packed_speed:,.0f} tokens/s",
            f"{random_speed:,.0f} tokens/s",
            packed_speed / random_speed,
            2,
            at_least=True,
        ),
        Row(
            "chat models: largest relative difference of the training loss at a step, against the plain TRL script",
            f"{mine[0].losses[-1][1]:.4f} at the last step",
            f"{theirs[0].losses[-1][1]:.4f}",
            difference,
            0.01,
        ),
        Row(
            "chat models: memory of the training, against the plain TRL script",
            f"{memory / MIB:,.0f} MiB",
            f"{their_memory / MIB:,.0f} MiB",
            memory / their_memory,
            1.0,
        ),
        Row(
            "chat models: from Start to the end of the first step, against the plain TRL script from its start",
            f"{first:.1f} s",
            f"{their_first:.1f} s",
            first / their_first,
            1.2,
        ),
    ]
