"""A source that recognizes the files of another one takes them over; nothing of them is left but what it wrote."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from autotrain_gradio import data
from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.spec import DataSpec
from autotrain_gradio.data import taken_over
from autotrain_gradio.data.catalog import LABEL, PATH, TABLE, TEXT, UPLOAD
from autotrain_gradio.data.declarations import Column, Source
from autotrain_gradio.data.rows import Fetched

NOTES = Source("notes", "Notes app", "notes_source_of_a_test", takes_over=True)
COLUMNS = (
    Column("text", "Text", TEXT, purpose="input", names=("text",)),
    Column("label", "Label", LABEL, purpose="target", names=("label",)),
)
ROWS = "text,label\n" + "".join(f"line {n},{'ab'[n % 2]}\n" for n in range(20))


@pytest.fixture
def module() -> Iterator[ModuleType]:
    """The module of a source that reads `secret.notes` and writes a table."""
    found: Any = ModuleType(NOTES.module)

    def take_over(tree: Any, fetched: Any, request: Any, draft: Path, source: str, progress: Any) -> str:
        if "broken" in (tree.root / "secret.notes").read_text():
            raise DataError("The notes are broken.", code="notes-broken")
        (draft / "data" / "notes").mkdir(exist_ok=True)
        (draft / "data" / "notes" / "rows.csv").write_text(ROWS)
        return f"notes that were given as {source}"

    found.recognizes = lambda tree: any(f.suffix == ".notes" for f in tree.files)
    found.take_over = take_over
    found.fetch = lambda request, draft, progress: Fetched(draft / "data" / "notes", own=True)
    sys.modules[NOTES.module] = found
    yield found
    del sys.modules[NOTES.module]


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """The folder of a draft."""
    folder = tmp_path / "home" / "runs" / "draft"
    (folder / "data").mkdir(parents=True)
    return folder


def request(**spec: Any) -> data.Request:
    """Return a request of a task with the source."""
    return data.Request("Toy", DataSpec.model_validate(spec), COLUMNS, (UPLOAD, PATH, NOTES), (TABLE,))


def upload(draft: Path, **files: str) -> None:
    """Put files into the draft, as an upload does; `_` in a name stands for a dot."""
    (draft / "data" / "upload").mkdir()
    for name, text in files.items():
        (draft / "data" / "upload" / name.replace("_", ".")).write_text(text)


def names(draft: Path) -> str:
    """Return the paths of all files of the draft, and their contents."""
    files = [p for p in draft.rglob("*") if p.is_file()]
    return "".join(f"{p.relative_to(draft)} {p.read_bytes()!r}" for p in files)


def codes(result: dict[str, Any]) -> list[str]:
    """Return the codes of the findings."""
    return [f["code"] for f in result["findings"]]


def test_an_upload_is_taken_over_and_removed(module: ModuleType, draft: Path) -> None:
    upload(draft, secret_notes="hidden text")
    result = data.check(draft, request(source="upload", path="secret.notes"))
    assert codes(result)[0] == "other-source" and result["rows"] == 20
    assert result["source"] == {
        "name": "notes",
        "title": "Notes app",
        "path": "notes that were given as upload",
        "revision": "",
    }
    assert "secret" not in names(draft) and "hidden" not in names(draft)
    # Asked for the upload again, which is not there any more, the same source answers.
    assert data.check(draft, request(source="upload", path="secret.notes"))["rows"] == 20
    assert "secret" not in names(draft)


def test_spec_of_the_upload_is_resolved_to_the_source_afterwards(module: ModuleType, draft: Path) -> None:
    upload(draft, secret_notes="x")
    data.check(draft, request(source="upload", path="secret.notes"))
    given = DataSpec(source="upload", path="any name")
    resolved = taken_over.resolve_upload(draft, given)
    assert (resolved.source, resolved.path) == ("notes", "notes that were given as upload")
    other = DataSpec(source="path", path="/somewhere")
    assert taken_over.resolve_upload(draft, other) is other and taken_over.resolve(draft, other, "path") is other


def test_folder_is_recognized_again_in_each_check(module: ModuleType, draft: Path, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "secret.notes").write_text("x")
    asked = request(source="path", path=str(folder))
    assert data.check(draft, asked)["source"]["name"] == "notes"
    assert not (draft / "data" / taken_over.FILE).exists()
    (folder / "secret.notes").unlink()
    (folder / "table.csv").write_text(ROWS)
    result = data.check(draft, asked)
    assert result["source"]["name"] == "path" and "other-source" not in codes(result)


def test_files_that_cannot_be_read_are_removed_too(module: ModuleType, draft: Path) -> None:
    upload(draft, secret_notes="broken")
    result = data.check(draft, request(source="upload", path="x"))
    assert codes(result) == ["notes-broken"]
    assert "secret" not in names(draft)


@pytest.mark.parametrize(
    "change",
    [
        lambda r: replace(r, spec=r.spec.model_copy(update={"options": {"layout": "table"}})),
        lambda r: replace(r, sources=(UPLOAD, replace(NOTES, takes_over=False))),
    ],
    ids=["a layout is named", "the source does not take over"],
)
def test_files_are_not_taken_over(
    module: ModuleType, draft: Path, change: Callable[[data.Request], data.Request]
) -> None:
    upload(draft, secret_notes="x", table_csv=ROWS)
    result = data.check(draft, change(request(source="upload", path="x")))
    assert result["source"]["name"] == "upload" and "other-source" not in codes(result)
