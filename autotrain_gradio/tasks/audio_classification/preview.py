"""Audio classification: preview of the training inputs, as players and spectrograms."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from huggingface_hub import try_to_load_from_cache
from transformers import ASTFeatureExtractor, AutoFeatureExtractor

from autotrain_gradio import data
from autotrain_gradio.core import panels
from autotrain_gradio.core.errors import DataError, UserError
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import TINY, RunSpec
from autotrain_gradio.core.text_format import format_count
from autotrain_gradio.tasks.audio_classification import models, tiny
from autotrain_gradio.tasks.audio_classification.clips import Clips, length_notes
from autotrain_gradio.training.class_labels import Labels, groups
from autotrain_gradio.training.sample_selection import balanced_sample
from autotrain_gradio.training.spectrogram import write_spectrogram

DEFAULT_RATE = 16_000


def preview(draft: Path, spec: RunSpec, params: Any, context: Mapping[str, Any]) -> list[Panel]:
    """Show how many clips are longer than an input, and the inputs of a few clips in the first epochs.

    Crops and augmentation are those of the training with the same seed. Nothing is downloaded.

    context: `clips`, how many clips (default 4, at most 16); `versions` of each (default 3, at most 16).

    Raises:
        DataError: the data was not checked yet.
    """
    splits = data.load(draft)
    labels = Labels.of(splits["train"], "clips")
    extractor, note = _extractor(spec.model)
    rate = DEFAULT_RATE if extractor is None else int(extractor.sampling_rate)
    window, limited = models.window_of(extractor, params.max_length_seconds)
    targets = labels.targets(splits["train"])
    clips = Clips(
        splits["train"],
        targets,
        rate=rate,
        window=window,
        training=True,
        noise=params.noise,
        speed=params.speed_perturbation,
        seed=params.seed,
    )
    notes = [note, limited, *length_notes(clips.seconds, window, "training")]
    if "validation" in splits:
        notes += length_notes(np.asarray(splits["validation"]["audio_seconds"]), window, "validation")
    fixed = models.longest_input(extractor)
    if fixed is not None and (short := int((clips.seconds < fixed).sum())):
        text = "{n} {is} shorter than the input of the model, " + f"{fixed:.4g} s, and padded."
        notes.append(format_count(text, short, "training clip"))
    folder = draft / "preview"
    folder.mkdir(exist_ok=True)
    for old in [*folder.glob("*.wav"), *folder.glob("*.png")]:  # subfolders are of others
        old.unlink()
    items: list[dict[str, Any]] = []
    versions = min(16, int(context.get("versions", 3)))
    for row in balanced_sample(groups(targets), min(16, int(context.get("clips", 4))), params.seed):
        group = f"{labels.of_row(splits['train'], row)}, row {row + 1}"
        items += _inputs(clips, row, group, versions, params, folder)
    return [
        _lengths(clips.seconds, window, " ".join(filter(None, notes))),
        panels.gallery(
            "Training inputs", items, note=f"Resampled to {rate:,} Hz. Mel spectrograms: time from left to right."
        ),
    ]


def _extractor(name: str) -> tuple[Any, str]:
    """Return the feature extractor of a cached or local model; or None, and a note."""
    if name == TINY:
        return ASTFeatureExtractor(num_mel_bins=tiny.MELS, max_length=tiny.FRAMES), ""
    try:
        if Path(name).is_dir() or isinstance(try_to_load_from_cache(name, "config.json"), str):
            return AutoFeatureExtractor.from_pretrained(name, local_files_only=True, trust_remote_code=False), ""
    except (OSError, ValueError, KeyError, ImportError, UserError):
        pass  # errors of the model are reported by the probe; the clips can be shown without it
    return None, f"Shown at {DEFAULT_RATE:,} Hz: the model is not downloaded yet."


def _lengths(seconds: np.ndarray, window: float, note: str) -> Panel:
    values = {
        "maximum length": f"{window:.4g} s",
        "training clips": f"{len(seconds):,}",
        "longer": f"{int((seconds > window).sum()):,}",
        "median": f"{np.median(seconds):.1f} s",
        "longest": f"{seconds.max():.1f} s",
    }
    return panels.numbers("Lengths", values, note=note)


def _inputs(clips: Clips, row: int, group: str, versions: int, params: Any, folder: Path) -> list[dict[str, Any]]:
    """Write player and spectrogram of the inputs of a row; return items of a gallery."""
    varies = params.noise or params.speed_perturbation or clips.seconds[row] > clips.window
    items: list[dict[str, Any]] = []
    for epoch in range(versions if varies else 1):
        try:
            audio, about = clips.crop(row, epoch)
        except DataError as error:
            return [{"file": "", "caption": error.message, "group": group}]
        caption = f"epoch {epoch + 1}: {about}" if varies else "whole clip"
        name = f"{row}-{epoch}"
        write_spectrogram(audio, clips.rate, folder / f"{name}.png")
        soundfile.write(folder / f"{name}.wav", audio, clips.rate, subtype="PCM_16")
        items += [{"file": f"preview/{name}.{kind}", "caption": caption, "group": group} for kind in ("png", "wav")]
    return items
