"""Rates, memory and losses of trainings in bf16, compared with plain scripts on the same batches."""

from __future__ import annotations

import csv
import os
import statistics
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import app_runs
from benchmarks.data import photo
from benchmarks.gpu.parts import Bench, alternate
from benchmarks.language_models import chats, loss_difference, random_llama, run_plain
from benchmarks.rows import Row

RATE = 16_000
LETTERS = "abcdefghij"
CLASSES = 3


@dataclass(frozen=True)
class Speed:
    """rate: units per second after the first steps. memory: the most, in bytes. losses: step and loss."""

    rate: float
    memory: float
    losses: list[tuple[int, float]]


def language_model(bench: Bench, *, lora: bool) -> list[Row]:
    """Compare supervised fine-tuning of a chat model, of all weights or with LoRA."""
    sizes = bench.sizes
    data = bench.once("chats", lambda folder: training_chats(folder, sizes.chats, sizes.words, sizes.tokens))
    shared = {
        "data": str(data),
        "model": str(bench.once("llama", lambda folder: random_llama(folder, **sizes.llama))),
        "epochs": 1,
        "batch_size": sizes.batch_size,
        "lr": 2e-4,
        "logging_steps": sizes.logging_steps,
    }
    adapters = {"peft": True, "lora_r": 16, "lora_alpha": 32, "lora_dropout": 0.0} if lora else {}
    name = "LoRA" if lora else "full"

    def plain(i: int) -> dict[str, Any]:
        more = {"tokens": sizes.tokens, "order": "grouped", "bf16": bool(bench.gpu), "workers": loader_workers(bench)}
        output = str(bench.root / f"{name}{i}")
        # A checkpoint of the app is written after the last step, and not part of the rate: a plain one costs time only.
        settings = {**shared, **more, "lora_r": 16 if lora else None, "output": output, "save": False}
        return run_plain("benchmarks.plain_language_models", settings, seconds=bench.limit)

    more = {"block_size": sizes.tokens, "generation_rows": 0, **adapters}
    return compare(bench, "llm-sft", f"chat model, {name}", "tokens", plain, shared, more, count="num_tokens")


def images(bench: Bench) -> list[Row]:
    """Compare image classification with a ViT, without augmentation."""
    sizes, side = bench.sizes, bench.sizes.vit["image_size"]
    shared = {
        "data": str(bench.once("photos", lambda folder: photos(folder, sizes.images, side))),
        "model": str(bench.once("vit", lambda folder: random_vit(folder, sizes.vit))),
        "epochs": 1,
        "batch_size": sizes.image_batch_size,
        "lr": 5e-5,
        "logging_steps": sizes.logging_steps,
    }

    def plain(i: int) -> dict[str, Any]:
        more = {"bf16": bool(bench.gpu), "workers": loader_workers(bench), "output": str(bench.root / f"images{i}")}
        return run_plain("benchmarks.gpu.plain_images", {**shared, **more}, seconds=bench.limit)

    augmentation = ("random_resized_crop", "random_rotate90", "horizontal_flip", "random_brightness_contrast")
    more = dict.fromkeys(augmentation, False)
    return compare(bench, "image-classification", "images, ViT", "images", plain, shared, more)


def speech(bench: Bench) -> list[Row]:
    """Compare speech recognition with Whisper, whose features are computed by the data loaders."""
    sizes = bench.sizes
    shared = {
        "data": str(bench.once("clips", lambda folder: clips(folder, sizes.clips, sizes.clip_seconds))),
        "model": str(bench.once("whisper", lambda folder: random_whisper(folder, sizes.whisper))),
        "epochs": 1,
        "batch_size": sizes.clip_batch_size,
        "lr": 1e-4,
        "logging_steps": sizes.logging_steps,
    }

    def plain(i: int) -> dict[str, Any]:
        more = {"bf16": bool(bench.gpu), "workers": loader_workers(bench), "output": str(bench.root / f"speech{i}")}
        return run_plain("benchmarks.gpu.plain_whisper", {**shared, **more}, seconds=bench.limit)

    more = {"language": "en", "spec_augment": False}
    return compare(bench, "automatic-speech-recognition", "speech, Whisper", "clips", plain, shared, more)


def compare(
    bench: Bench,
    task: str,
    title: str,
    unit: str,
    plain: Callable[[int], dict[str, Any]],
    shared: dict[str, Any],
    params: dict[str, Any],
    *,
    count: str = "",
) -> list[Row]:
    """Compare a task with a plain script.

    plain: runs the script, and returns `LogWatch.facts`. shared: settings of both. params: those of the task only.
    count: metric that counts the units; empty: those of a step are the batch size.
    """
    names = ("epochs", "batch_size", "lr", "logging_steps")
    given: dict[str, Any] = {**{n: shared[n] for n in names}, "mixed_precision": bench.mixed_precision, **params}
    spec = {
        "task": task,
        "model": shared["model"],
        "project_name": "bench",
        "data": {"path": shared["data"], "valid_fraction": 0},
        "params": given,
    }

    def theirs(i: int) -> Speed:
        found = plain(i)
        units = [(e["step"], e[count] if count else e["step"] * shared["batch_size"], e["time"]) for e in found["logs"]]
        losses = [(int(e["step"]), float(e["loss"])) for e in found["logs"]]
        return Speed(rate(units, bench.sizes.warm), found["memory"], losses)

    def ours() -> Speed:
        run = app_runs.complete(bench.service, spec, seconds=bench.limit)
        logged = run.logged(count or "loss")
        units = [(step, value if count else step * shared["batch_size"], when) for step, value, when in logged]
        losses = [(step, value) for step, value, _ in run.logged("loss")]
        return Speed(rate(units, bench.sizes.warm), run.memory(), losses)

    return rows(bench, title, unit, *alternate(bench, theirs, ours))


def rows(bench: Bench, title: str, unit: str, mine: Sequence[Speed], theirs: Sequence[Speed]) -> list[Row]:
    """Return the rows of a comparison."""
    speed, their_speed = (statistics.median(f.rate for f in found) for found in (mine, theirs))
    memory, their_memory = (statistics.median(f.memory for f in found) for found in (mine, theirs))
    difference = max(loss_difference(a.losses, b.losses) for a, b in zip(mine, theirs, strict=True))
    last, their_last = mine[0].losses[-1][1], theirs[0].losses[-1][1]
    name, runs = f"{title}, against a plain script", f" ({len(mine)} runs each)"
    return [
        Row(
            f"{name}: rate{runs}",
            f"{speed:,.0f} {unit}/s",
            f"{their_speed:,.0f} {unit}/s",
            speed / their_speed,
            bench.sizes.speed,
            at_least=True,
        ),
        Row(
            f"{name}: peak memory",
            f"{memory / 2**30:.2f} GiB",
            f"{their_memory / 2**30:.2f} GiB",
            memory / their_memory,
            bench.sizes.memory,
        ),
        Row(
            f"{name}: largest relative difference of the training loss",
            f"{last:.4f} at the last step",
            f"{their_last:.4f}",
            difference,
            bench.sizes.tolerance,
        ),
    ]


def rate(logged: Sequence[tuple[int, float, float]], warm: int) -> float:
    """Return the units per second from the first log at or after step `warm` to the last one.

    logged: step, units since the beginning, time in seconds.

    Raises:
        ValueError: there are fewer than two such logs.
    """
    steady = [entry for entry in logged if entry[0] >= warm]
    if len(steady) < 2:
        raise ValueError(f"there are {len(steady)} logs after step {warm}: too few to measure a rate")
    (_, before, began), (_, after, ended) = steady[0], steady[-1]
    return float((after - before) / (ended - began))


def loader_workers(bench: Bench) -> int:
    """Return the data loader processes that the app uses too."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 0 if not bench.gpu or cores <= 2 or sys.platform != "linux" else min(8, cores - 1)


def training_chats(folder: Path, count: int, words: tuple[float, float], most: int) -> None:
    """Write train.jsonl with chats (`language_models.chats`), without validation rows."""
    chats(folder, count, words=words, most=most)
    (folder / "valid.jsonl").unlink()


def photos(folder: Path, count: int, side: int) -> None:
    """Write square JPEG files in class folders."""
    for label in range(CLASSES):
        (folder / f"class{label}").mkdir(parents=True)

    def write(i: int) -> None:
        path = folder / f"class{i % CLASSES}" / f"{i:05d}.jpg"
        path.write_bytes(photo(np.random.default_rng(i), side, side, i % CLASSES))

    with ThreadPoolExecutor() as pool:
        list(pool.map(write, range(count)))


def random_vit(folder: Path, sizes: dict[str, int]) -> None:
    """Write a ViT with random weights for the classes of `photos`, and its processor."""
    import torch
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessorPil

    torch.manual_seed(0)
    names = {i: f"class{i}" for i in range(CLASSES)}
    heads = max(1, sizes["hidden_size"] // 64)
    config = ViTConfig(
        **{"num_attention_heads": heads, **sizes}, id2label=names, label2id={n: i for i, n in names.items()}
    )
    ViTForImageClassification(config).save_pretrained(folder)
    ViTImageProcessorPil(size={"height": sizes["image_size"], "width": sizes["image_size"]}).save_pretrained(folder)


def clips(folder: Path, count: int, seconds: tuple[float, float]) -> None:
    """Write clips, each letter of the transcript a tone of a quarter of a second, and the table that names them."""
    import soundfile

    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    lengths = rng.uniform(*seconds, count)

    def write(place: int) -> tuple[str, str]:
        draw = np.random.default_rng(place)
        time, size = np.arange(RATE // 4) / RATE, int(lengths[place] * RATE)
        text = "".join(draw.choice(list(LETTERS), int(lengths[place] * 4)))
        tones = np.concatenate([np.sin(2 * np.pi * (200 + 97 * LETTERS.index(c)) * time) for c in text])
        audio = 0.3 * np.pad(tones, (0, size - len(tones))) + draw.normal(0, 0.01, size)
        soundfile.write(folder / f"{place:05d}.wav", audio.astype(np.float32), RATE, subtype="PCM_16")
        return f"{place:05d}.wav", text

    with ThreadPoolExecutor() as pool:
        found = list(pool.map(write, range(count)))
    with (folder / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("file_name", "transcription"), *found])


def random_whisper(folder: Path, sizes: dict[str, int]) -> None:
    """Write a Whisper with random weights, its feature extractor, and a tokenizer of bytes with the special tokens."""
    import torch
    from tokenizers import pre_tokenizers
    from transformers import (
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizer,
    )

    torch.manual_seed(0)
    end, begin, plain = "<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>"
    vocabulary = {symbol: i for i, symbol in enumerate([*sorted(pre_tokenizers.ByteLevel.alphabet()), end])}
    tokenizer = WhisperTokenizer(vocab=vocabulary, merges=[], language=None, task=None)
    special = [begin, "<|en|>", "<|translate|>", "<|transcribe|>", "<|startofprev|>", plain]
    tokenizer.add_special_tokens({"additional_special_tokens": special, "pad_token": end})
    ids = {symbol: tokenizer.convert_tokens_to_ids(symbol) for symbol in (*special, end)}
    config = WhisperConfig(
        vocab_size=len(tokenizer),
        d_model=sizes["d_model"],
        encoder_layers=sizes["layers"],
        decoder_layers=sizes["layers"],
        encoder_attention_heads=sizes["heads"],
        decoder_attention_heads=sizes["heads"],
        encoder_ffn_dim=sizes["ffn"],
        decoder_ffn_dim=sizes["ffn"],
        max_source_positions=50 * sizes["chunk_length"],
        pad_token_id=ids[end],
        bos_token_id=ids[end],
        eos_token_id=ids[end],
        decoder_start_token_id=ids[begin],
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    model = WhisperForConditionalGeneration(config)
    settings = model.generation_config
    settings.is_multilingual, settings.lang_to_id = True, {"<|en|>": ids["<|en|>"]}
    settings.task_to_id = {name: ids[f"<|{name}|>"] for name in ("translate", "transcribe")}
    settings.no_timestamps_token_id, settings.prev_sot_token_id = ids[plain], ids["<|startofprev|>"]
    settings._from_model_config = False  # otherwise `save_pretrained` writes one made of the model's configuration
    model.save_pretrained(folder)
    WhisperProcessor(WhisperFeatureExtractor(chunk_length=sizes["chunk_length"]), tokenizer).save_pretrained(folder)
