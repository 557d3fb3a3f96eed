"""One function says which source is meant; each source declares how it is recognized."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio import data
from autotrain_gradio.core.errors import SpecError
from autotrain_gradio.core.spec import DataSpec
from autotrain_gradio.data.catalog import HUB, PATH, SAMPLE, UPLOAD
from autotrain_gradio.data.declarations import NamedData, Source
from autotrain_gradio.data.source_resolution import resolve_source
from autotrain_gradio.service.access import resolve_and_authorize
from autotrain_gradio.tasks.registry import registry
from tests.unit.data.conftest import resolved

WEB = Source("web", "Web", "nowhere", matches=lambda d: 0.9 if d.path.startswith("https://") else 0.0)
SOURCES = (UPLOAD, PATH, HUB, SAMPLE, WEB)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/no/such/folder", "path"),
        ("./here", "path"),
        ("~nobody-of-that-name/x", "path"),
        ("shapes", "sample"),
        ("user/name", "hub"),
        ("", "hub"),
        ("x" * 5000, "hub"),
        ("\0", "hub"),
        ("https://example.org/data", "web"),
    ],
)
def test_source_is_inferred_from_the_path(path: str, expected: str) -> None:
    assert resolve_source(SOURCES, DataSpec(path=path), ["shapes"]).name == expected


def test_existing_path_is_a_folder_except_for_visitors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "user").mkdir()
    monkeypatch.chdir(tmp_path)
    assert resolve_source(SOURCES, DataSpec(path="user")).name == "path"
    assert resolve_source(SOURCES, DataSpec(path="user"), shared=True).name == "hub"


def test_named_source_wins_and_unknown_one_is_an_error() -> None:
    assert resolve_source(SOURCES, DataSpec(source="hub", path="/x")).name == "hub"
    with pytest.raises(SpecError, match="'hubb' is not a data source") as caught:
        resolve_source(SOURCES, DataSpec(source="hubb"))
    assert "hub" in caught.value.findings[0].hint


def test_ambiguous_source_is_an_error() -> None:
    with pytest.raises(SpecError, match="not clear where the data 'a/b'"):
        resolve_source((UPLOAD, WEB), DataSpec(path="a/b"))


@pytest.mark.parametrize("path", ["shapes", "user/name", "/data", "https://example.org/x"])
def test_service_and_worker_resolve_the_same_source(path: str, draft: Path) -> None:
    given: dict[str, Any] = {"task": "image-classification", "data": {"path": path}}
    by_service = resolve_and_authorize(given, registry(), shared=False).spec.data.source
    assert data.Request.of(resolved(path=path)).source(draft).name == by_service


def test_uploaded_files_have_priority(draft: Path) -> None:
    (draft / "data" / "media").mkdir(parents=True)
    assert data.Request.of(resolved(path="shapes")).source(draft).name == "upload"
    assert UPLOAD.matches and UPLOAD.matches(NamedData("shapes", uploaded=True)) == 1
