"""The text of PDF and Word documents."""

from __future__ import annotations

import logging
import struct
import zipfile
import zlib
from pathlib import Path

from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.text_format import count_with_verb, format_bytes, join_examples
from autotrain_gradio.data.files.archives import RATIO_FROM
from autotrain_gradio.data.files.zip_directory import most_members
from autotrain_gradio.data.tables.table_limits import PYTHON_SHARE

OLE = b"\xd0\xcf\x11\xe0"
"""First bytes of a Word document that is encrypted, or of a .doc."""
DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
"""What pypdf and python-docx raise for damaged documents, besides errors of their own."""


def read_pdf(path: Path, name: str, limits: Limits) -> tuple[str, list[Finding]]:
    """Return the text of a PDF, pages divided by a blank line, and findings about pages without text.

    Raises:
        DataError: it is encrypted or damaged, or has no text.
    """
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, PyPdfError

    logging.getLogger("pypdf").setLevel(logging.ERROR)  # it warns of each irregularity
    pages: list[str] = []
    size = 0
    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise _encrypted(name)
        for page in reader.pages:
            pages.append(page.extract_text().strip())
            size += len(pages[-1])
            if size > limits.table_bytes // PYTHON_SHARE:
                raise _too_large(name, size)
    except DependencyError:  # of an encryption that needs the package cryptography
        raise _encrypted(name) from None
    except (PyPdfError, OSError, NotImplementedError, zlib.error, *DAMAGE) as error:
        raise _damaged(name, error) from None
    empty = [number for number, page in enumerate(pages, 1) if not page]
    if len(empty) == len(pages):
        message = "The PDF has no text: its pages are probably scanned images."
        hint = "Recognize the text with an OCR program, and save it as a searchable PDF or a text file."
        raise DataError(message, hint, name, "document-scanned")
    findings = []
    if empty:
        shown = join_examples([str(number) for number in empty])
        message = f"{count_with_verb(len(empty), 'page', 'has')} no text and {'was' if len(empty) == 1 else 'were'} "
        message += f"skipped: {shown}."
        hint = "If they are scanned images, recognize their text with an OCR program."
        findings.append(Finding("warning", "pages-without-text", message, hint, name))
    return "\n\n".join(page for page in pages if page), findings


def read_docx(path: Path, name: str, limits: Limits) -> tuple[str, list[Finding]]:
    """Return the text of a Word document: paragraphs divided by blank lines, cells of tables by tabs.

    Raises:
        DataError: it is encrypted, damaged or too large.
    """
    from docx import Document
    from docx.opc.exceptions import PackageNotFoundError
    from docx.table import Table
    from lxml.etree import XMLSyntaxError

    with path.open("rb") as file:
        if file.read(4) == OLE:
            raise _encrypted(name)
    parts = []
    try:
        _require_unpacked(path, name, limits)
        for block in Document(str(path)).iter_inner_content():
            if isinstance(block, Table):
                # A merged cell occurs once for each of its columns.
                rows = [list(dict.fromkeys(cell.text.strip() for cell in row.cells)) for row in block.rows]
                parts.append("\n".join("\t".join(row) for row in rows))
            else:
                parts.append(block.text.strip())
    # zipfile raises RuntimeError for a password, and (NotImplementedError) for a compression that it does not know.
    except (PackageNotFoundError, XMLSyntaxError, zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise _damaged(name, error) from None
    except (RuntimeError, *DAMAGE) as error:
        raise _damaged(name, error) from None
    return "\n\n".join(part for part in parts if part), []


def _require_unpacked(path: Path, name: str, limits: Limits) -> None:
    """Check the number of members and the unpacked size of a document in the zip format.

    Raises:
        DataError: there are too many, or it is too large.
    """
    with path.open("rb") as raw:
        if most_members(raw, limits.archive_members) > limits.archive_members:
            raise DataError("The document has too many parts.", "Save it again.", name, "document-too-large")
    with zipfile.ZipFile(path) as file:
        size = sum(member.file_size for member in file.infolist())
        text = sum(member.file_size for member in file.infolist() if member.filename.lower().endswith(".xml"))
    if text > limits.table_bytes // PYTHON_SHARE or size > limits.archive_bytes:
        raise _too_large(name, size)
    if size > RATIO_FROM and size / max(1, path.stat().st_size) > limits.archive_ratio:
        message = f"The document would grow to {format_bytes(size)}: it is refused as a zip bomb."
        raise DataError(message, "Save it again.", name, "archive-bomb")


def _too_large(name: str, size: int) -> DataError:
    message = f"The document has more text than can be read at once ({format_bytes(size)})."
    return DataError(message, "Divide it into several documents.", name, "document-too-large")


def _encrypted(name: str) -> DataError:
    return DataError("The document is encrypted.", "Save it without a password.", name, "document-encrypted")


def _damaged(name: str, error: Exception) -> DataError:
    message = f"The document cannot be read: {' '.join(str(error).split())[:200] or type(error).__name__}."
    return DataError(message, "Save it again, or as a text file.", name, "document-damaged")
