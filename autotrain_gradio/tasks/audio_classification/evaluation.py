"""Audio classification: validation clips with their predictions, as players."""

from __future__ import annotations

import soundfile

from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.audio_classification.clips import Clips

SECONDS = 20.0
"""Maximum number of seconds of a clip that are played."""


def clip_item(run: Reporter, clips: Clips, row: int, folder: str) -> dict[str, str]:
    """Write the first `SECONDS` of a clip into a folder of the run, unless they are there; return a gallery item."""
    file = run.directory / folder / f"{row}.wav"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, clips.part(row, 0.0, SECONDS), clips.rate, subtype="PCM_16")
    return {"file": f"{folder}/{file.name}", "detail": f"row {row + 1}, {clips.seconds[row]:.1f} s"}
