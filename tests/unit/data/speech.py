"""A check as a task of speech asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autotrain_gradio import data
from autotrain_gradio.core.spec import DataSpec
from autotrain_gradio.data.catalog import (
    AUDIO,
    AUDIO_CONTENT,
    AUDIO_PARTS,
    AUDIO_TRANSCRIPTS,
    DUPLICATES,
    ELAN,
    EMBEDDED,
    GROUP,
    HUB,
    KALDI,
    LIBRISPEECH,
    PATH,
    SAMPLE,
    SAVED_DATASET,
    SECONDS,
    TABLE_WITH_FILES,
    TEXT,
    TEXTGRID,
    UPLOAD,
)
from autotrain_gradio.data.declarations import Column
from tests.unit.data.conftest import errors

SPEECH = (
    Column("audio", "Recording", AUDIO, purpose="input", names=("audio", "file_name", "path")),
    Column(
        "text", "Transcript", TEXT, purpose="target", names=("text", "transcription", "sentence"), many=True, join=True
    ),
    Column("start", "Start", SECONDS, purpose="input", names=("start",), required=False),
    Column("end", "End", SECONDS, purpose="input", names=("end",), required=False),
    Column("speaker", "Speaker", GROUP, purpose="group", names=("speaker", "client_id"), required=False),
    Column("recording", "Source recording", GROUP, purpose="group", names=("recording",), required=False),
)


def check(draft: Path, path: Path | str, *, endpoint: str = "", **given: Any) -> dict[str, Any]:
    """Check a folder, a file or a sample as speech, and see that every row of it is counted."""
    request = data.Request(
        title="Test",
        spec=DataSpec(**{"source": "path", "path": str(path), **given}),
        columns=SPEECH,
        sources=(UPLOAD, PATH, HUB, SAMPLE),
        layouts=(SAVED_DATASET, EMBEDDED, LIBRISPEECH, KALDI, TEXTGRID, ELAN, TABLE_WITH_FILES),
        checks=(AUDIO_PARTS, AUDIO_CONTENT, AUDIO_TRANSCRIPTS, DUPLICATES),
        endpoint=endpoint or "https://huggingface.co",
        samples={"numbers": "automatic_speech_recognition/numbers"},
    )
    result: dict[str, Any] = {**data.check(draft, request)}
    if not errors(result):
        assert result["rows"] == sum(result["splits"].values()) + sum(d["count"] for d in result["dropped"])
    return result


def loaded(draft: Path) -> list[dict[str, Any]]:
    """Return all rows of the prepared data."""
    return [row for part in data.load(draft).values() for row in part]
