"""A toy of speech recognition whose only source is LiFE, and calls of the source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio import data
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import DataSpec
from autotrain_gradio.data.catalog import AUDIO, AUDIO_PARTS, GROUP, SECONDS, TABLE_WITH_FILES, TEXT
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.extensions.life import LIFE, source
from autotrain_gradio.extensions.life.draft_store import RecordingStore

COLUMNS = (
    Column("audio", "Audio", AUDIO, purpose="input", names=("audio", "file_name")),
    Column("text", "Text", TEXT, purpose="target", names=("text",)),
    Column("start", "Start", SECONDS, purpose="input", required=False, names=("start",)),
    Column("end", "End", SECONDS, purpose="input", required=False, names=("end",)),
    Column("speaker", "Speaker", GROUP, purpose="group", required=False, names=("speaker",)),
    Column("recording", "Recording", GROUP, purpose="group", required=False, names=("recording",)),
)


def quiet(message: str, fraction: float) -> None:
    """Take progress and say nothing."""


def request_of(path: object, **options: Any) -> data.Request:
    """Return the request of a place and its options."""
    return data.Request(
        title="Speech",
        spec=DataSpec(source="life", path=str(path), options=options),
        columns=COLUMNS,
        sources=(LIFE,),
        layouts=(TABLE_WITH_FILES,),
        checks=(AUDIO_PARTS,),
    )


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """The folder of a draft, in a home of its own."""
    folder = tmp_path / "home" / "runs" / "draft"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def check(draft: Path) -> Callable[..., dict[str, Any]]:
    """Return a function that checks a place."""
    return lambda path, **options: dict(data.check(draft, request_of(path, **options), quiet))


@pytest.fixture
def browse(draft: Path) -> Callable[..., dict[str, Any]]:
    """Return a function that asks the source a question about a place."""

    def ask(path: object, action: str, secrets: dict[str, str] | None = None, **question: Any) -> dict[str, Any]:
        return source.browse({"action": action, **question}, request_of(path), draft, secrets or {}, quiet)

    return ask


def opened(draft: Path) -> RecordingStore:
    """Return what the draft holds."""
    store = RecordingStore.open(draft)
    assert store is not None
    return store


def codes(result: dict[str, Any]) -> list[str]:
    """Return the codes of the findings of a check."""
    return [f["code"] for f in result["findings"]]


def refusal(work: Callable[[], Any]) -> UserError:
    """Return the error that work raises."""
    with pytest.raises(UserError) as caught:
        work()
    return caught.value


def limited(request: data.Request, **limits: Any) -> data.Request:
    """Return the request with other limits."""
    return replace(request, limits=replace(request.limits, **limits))
