"""Documents as rows: text files, Markdown, PDF and Word files."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from autotrain_gradio import data
from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.spec import DataSpec
from autotrain_gradio.data.catalog import DOCUMENTS, PATH, TABLE
from autotrain_gradio.data.layouts.document_readers import read_docx, read_pdf
from autotrain_gradio.data.layouts.documents import passages
from autotrain_gradio.tasks.conversations import TEXT
from tests.unit.data.conftest import codes, errors, finding, plant

Checked = Callable[..., dict[str, Any]]


def pdf(path: Path, *pages: str, password: str = "") -> Path:
    """Write a PDF with a line of text on each page; an empty one has none."""
    writer = PdfWriter()
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    for text in pages:
        page = writer.add_blank_page(300, 300)
        page[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
        )
        content = DecodedStreamObject()
        content.set_data(f"BT /F1 12 Tf 10 200 Td ({text}) Tj ET".encode("latin-1") if text else b"")
        page[NameObject("/Contents")] = writer._add_object(content)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    writer.write(path)
    return path


def docx(path: Path, *paragraphs: str) -> Path:
    document = Document()
    for text in paragraphs:
        document.add_paragraph(text)
    table = document.add_table(1, 2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "tea", "4 minutes"
    document.save(str(path))
    return path


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
    pdf(folder / "a.pdf", "First page", "Second page")
    docx(folder / "b.docx", "A paragraph", "Another one")
    result = check(folder)
    assert not errors(result) and result["rows"] == 12 and result["layout"]["name"] == "documents"
    assert {"First page\n\nSecond page", "A paragraph\n\nAnother one\n\ntea\t4 minutes"} <= set(texts(draft))
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
    plant(
        folder,
        {
            "empty.md": " \n",
            "binary.txt": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            "damaged.pdf": b"%PDF-1.4\nrubbish",
            "old.doc": "x",
        },
    )
    plant(folder, {"damaged.docx": b"PK\x03\x04rubbish", "locked.docx": b"\xd0\xcf\x11\xe0rubbish"})
    pdf(folder / "scanned.pdf", "", "")
    pdf(folder / "partly.pdf", "Text", "")
    pdf(folder / "locked.pdf", "Secret", password="tea")
    result = check(folder)
    assert not errors(result)
    skipped = {d["code"]: d["count"] for d in result["dropped"]}
    assert skipped == {
        "document-empty": 1,
        "document-binary": 1,
        "document-damaged": 2,
        "document-encrypted": 2,
        "document-scanned": 1,
    }
    assert result["rows"] == 20
    assert "OCR" in finding(result, "document-scanned")["hint"]
    assert finding(result, "pages-without-text")["where"] == "partly.pdf"
    assert "old.doc" in finding(result, "documents-not-read")["message"]


def test_a_scanned_document_alone_is_an_error(check: Checked, tmp_path: Path) -> None:
    assert errors(check(pdf(tmp_path / "scan.pdf", ""))) == ["document-scanned"]


def test_a_pdf_with_an_empty_password_is_read(tmp_path: Path) -> None:
    path = pdf(tmp_path / "a.pdf", "Open", password="owner")
    writer = PdfWriter(clone_from=pdf(tmp_path / "b.pdf", "Open"))
    writer.encrypt("", "owner", algorithm="RC4-128")
    writer.write(tmp_path / "c.pdf")
    assert read_pdf(tmp_path / "c.pdf", "c.pdf", Limits())[0] == "Open"
    with pytest.raises(DataError, match="encrypted"):
        read_pdf(path, "a.pdf", Limits())


def test_a_table_is_preferred_to_notes_beside_it(check: Checked, tmp_path: Path) -> None:
    rows = "text,id\n" + "".join(f"Tea needs {i} minutes.,{i}\n" for i in range(6))
    result = check(plant(tmp_path / "t", {"rows.csv": rows, "README.md": "About the rows."}))
    assert result["layout"]["name"] == "table" and result["rows"] == 6


def test_word_documents_are_limited(tmp_path: Path) -> None:
    path = tmp_path / "bomb.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("word/media/image.bin", b"\0" * (65 << 20))
    with pytest.raises(DataError) as raised:
        read_docx(path, path.name, Limits())
    assert raised.value.code == "archive-bomb"
    with pytest.raises(DataError) as raised:
        read_docx(docx(tmp_path / "a.docx", "text"), "a.docx", Limits(table_bytes=1000))
    assert raised.value.code == "document-too-large"


@pytest.mark.parametrize(("write", "read"), [(pdf, read_pdf), (docx, read_docx)])
def test_damaged_documents_give_no_traceback(tmp_path: Path, write: Any, read: Any) -> None:
    content = write(tmp_path / "a", "First", "Second").read_bytes()
    rng = random.Random(3)
    for _ in range(40):
        damaged = bytearray(content)
        for _ in range(rng.randint(1, 20)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        path = plant(tmp_path, {"b": bytes(damaged[: rng.choice([len(damaged), rng.randrange(len(damaged))])])}) / "b"
        try:
            text, _ = read(path, "b", Limits())
            assert isinstance(text, str)
        except DataError as error:
            assert error.hint


def test_without_any_text_it_is_an_error(check: Checked, tmp_path: Path) -> None:
    result = check(plant(tmp_path / "d", {"a.md": " ", "b.txt": b"\0"}))
    assert errors(result) == ["documents-empty"] and "document-binary" in codes(result)


def test_a_wrong_option_is_an_error(check: Checked, tmp_path: Path) -> None:
    path = plant(tmp_path / "d", {"a.txt": "Tea."})
    assert errors(check(path, options={"passages": "perhaps"})) == ["invalid-setting"]
