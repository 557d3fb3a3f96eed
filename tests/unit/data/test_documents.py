"""Documents as rows: text files and Markdown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio import data
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.spec import DataSpec
from autotrain_gradio.data.catalog import DOCUMENTS, PATH, TABLE
from autotrain_gradio.data.layouts.documents import passages
from autotrain_gradio.tasks.conversations import TEXT
from tests.unit.data.conftest import codes, errors, finding, plant

Checked = Callable[..., dict[str, Any]]


@pytest.fixture
def check(draft: Path) -> Checked:
    def run(path: Path, *, limits: Limits | None = None, **given: Any) -> dict[str, Any]:
        request = data.Request(
            title="Texts",
            spec=DataSpec(source="path", path=str(path), **given),
            columns=TEXT.columns,
            sources=(PATH,),
            layouts=(TABLE, DOCUMENTS),
            limits=limits or Limits(),
        )
        result: dict[str, Any] = {**data.check(draft, request)}
        if not errors(result):
            assert result["rows"] == sum(result["splits"].values()) + sum(d["count"] for d in result["dropped"])
        return result

    return run


def texts(draft: Path) -> list[str]:
    return [row["text"] for split in data.load(draft).values() for row in split]


def test_each_of_many_documents_is_a_row(check: Checked, draft: Path, tmp_path: Path) -> None:
    files = {f"notes/{i}.{'md' if i % 2 else 'txt'}": f"# Note {i}\n\nTea needs {i} minutes.\n" for i in range(10)}
    folder = plant(tmp_path / "documents", files)
    result = check(folder)
    assert not errors(result) and result["rows"] == 10 and result["layout"]["name"] == "documents"
    assert "# Note 3\n\nTea needs 3 minutes.\n" in texts(draft)
    assert "document-passages" not in codes(result)


def test_one_document_is_divided_between_paragraphs(check: Checked, draft: Path, tmp_path: Path) -> None:
    paragraphs = [f"Paragraph {i}: " + "some words about tea. " * 20 for i in range(60)]
    path = plant(tmp_path, {"tea.txt": "\n\n".join(paragraphs)}) / "tea.txt"
    result = check(path)
    found = texts(draft)
    assert len(found) > 10 and result["splits"]["validation"]
    assert sorted(" ".join(found).split()) == sorted(" ".join(paragraphs).split())
    fix = finding(result, "document-passages")["fix"]
    assert len(texts(draft)) == check(path)["rows"]
    check(path, **fix["change"])
    assert len(texts(draft)) == 1


def test_passages_lose_nothing() -> None:
    text = "a\n\nb\nc\n \n\nd" * 50
    for characters in (1, 5, 20, 10_000):
        assert "".join("".join(passages(text, characters)).split()) == "".join(text.split())


def test_lines_end_passages_where_there_are_no_paragraphs() -> None:
    assert passages("one\ntwo\nthree\n", 5) == ["one\ntwo", "three"]


def test_documents_that_cannot_be_used_are_skipped_and_told(check: Checked, tmp_path: Path) -> None:
    folder = plant(tmp_path / "d", {f"{i}.txt": f"Tea needs {i} minutes." for i in range(12)})
    plant(folder, {"empty.md": " \n", "binary.txt": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "old.doc": "x"})
    result = check(folder)
    assert not errors(result)
    skipped = {d["code"]: d["count"] for d in result["dropped"]}
    assert skipped == {"document-empty": 1, "document-binary": 1} and result["rows"] == 14
    assert "old.doc" in finding(result, "documents-not-read")["message"]


def test_a_table_is_preferred_to_notes_beside_it(check: Checked, tmp_path: Path) -> None:
    rows = "text,id\n" + "".join(f"Tea needs {i} minutes.,{i}\n" for i in range(6))
    result = check(plant(tmp_path / "t", {"rows.csv": rows, "README.md": "About the rows."}))
    assert result["layout"]["name"] == "table" and result["rows"] == 6


def test_without_any_text_it_is_an_error(check: Checked, tmp_path: Path) -> None:
    result = check(plant(tmp_path / "d", {"a.md": " ", "b.txt": b"\0"}))
    assert errors(result) == ["documents-empty"] and "document-binary" in codes(result)


def test_a_wrong_option_is_an_error(check: Checked, tmp_path: Path) -> None:
    path = plant(tmp_path / "d", {"a.txt": "Tea."})
    assert errors(check(path, options={"passages": "perhaps"})) == ["invalid-setting"]
