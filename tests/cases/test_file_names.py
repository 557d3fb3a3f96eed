"""Names of files in tables that differ from those of the files: matched, or similar names are offered."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from tests.cases.conftest import CheckCase, Checked, check_path
from tests.unit.data.conftest import picture, plant

IMAGES = "image-classification"


def test_names_in_a_zip(check_case: CheckCase) -> None:
    found = check_case("32-names-zip", IMAGES, "photos.zip")
    assert not found.codes("error", "warning") and len(found.rows()) == 20
    assert "photos/my%20leaf.jpg → photos/my leaf.jpg" in found.message("names-matched")


def checked(folder: Path, pairs: dict[str, str]) -> Checked:
    """Check images with a table that names them otherwise. pairs: name in the table → name of the file."""
    fine = {f"ok{k}.jpg": f"ok{k}.jpg" for k in range(12)}
    rows = [f'"{name}",{"cat" if k % 2 else "dog"}\n' for k, name in enumerate(fine | pairs)]
    files = {f"photos/{file}": picture(file) for file in (fine | pairs).values()}
    return check_path(
        folder, IMAGES, plant(folder / "in", {**files, "labels.csv": "file_name,label\n" + "".join(rows)})
    )


NFC, NFD = (unicodedata.normalize(form, "Tübingen é.jpg") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    ("name", "file"),
    [
        pytest.param(NFC, NFD, id="composed letters, decomposed in the file"),
        pytest.param(NFD, NFC, id="decomposed letters, composed in the file"),
        pytest.param("caf%C3%A9%20%231.jpg", "café #1.jpg", id="escapes of a URL"),
        pytest.param("17", "0017.jpg", id="lost zeros"),
        pytest.param("17.0", "00017.jpg", id="a number with decimals"),
        pytest.param("scan_7_b.jpg", "scan_007_b.jpg", id="zeros within a name"),
        pytest.param("photos\\STRASSE.JPG", "straße.jpg", id="backslash and case"),
    ],
)
def test_names_that_differ_in_spelling_are_matched(tmp_path: Path, name: str, file: str) -> None:
    found = checked(tmp_path, {name: file})
    assert not found.codes("error", "warning") and len(found.rows()) == 13
    assert f"photos/{file}" in found.message("names-matched")


def test_a_name_of_two_files_is_missing(tmp_path: Path) -> None:
    found = checked(tmp_path, {"7": "007.jpg", "x": "07.jpg"})
    assert len(found.rows()) == 12 and "image-missing" in found.codes("warning")


def test_similar_names_are_offered(tmp_path: Path) -> None:
    found = checked(tmp_path, {"portrait-anna.jpg": "portrait_anna.jpg", "nothing like it.jpg": "zzz.jpg"})
    assert "portrait-anna.jpg: did you mean portrait_anna.jpg?" in found.message("names-near")
    assert "nothing like it" not in found.message("names-near")


def test_numbers_of_another_column_are_no_names(tmp_path: Path) -> None:
    files = {f"img/{k:04}.jpg": picture(k) for k in range(20)}
    rows = "".join(f"{19 - k},img/{k:04}.jpg,{'cat' if k % 2 else 'dog'}\n" for k in range(12))
    gone = "".join(f"{k},img/gone{k}.jpg,cat\n" for k in range(8))
    found = check_path(tmp_path, IMAGES, plant(tmp_path / "in", {**files, "a.csv": f"age,photo,label\n{rows}{gone}"}))
    assert found.result["mapping"]["image"] == ["photo"] and len(found.rows()) == 12
