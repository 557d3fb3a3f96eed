"""One file that was asked for by its path, in a folder that holds many others."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from autotrain_gradio import data
from autotrain_gradio.core.settings import Limits
from tests.unit.data import roles
from tests.unit.data.conftest import Check, codes, errors, picture, plant

OTHERS = {f"other/{i}.txt": "x" for i in range(40)} | {f".{i}": "x" for i in range(40)}
PICTURES = {f"pictures/{i}.jpg": i for i in range(12)}
FEW = Limits(archive_members=20)
"""A folder with more files than this is not read."""


def table(name: str = "pictures/{i}.jpg") -> str:
    rows = [name.format(i=i) + (",cat" if i % 2 else ",dog") for i in range(12)]
    return "file_name,label\n" + "\n".join(rows) + "\n"


def test_files_beside_a_table_are_not_listed(tmp_path: Path, draft: Path) -> None:
    rows = "".join(f"number {i} is {'good' if i % 2 else 'bad'},{'yes' if i % 2 else 'no'}\n" for i in range(20))
    folder = plant(tmp_path / "in", {**OTHERS, "a.csv": f"text,label\n{rows}"})
    request = roles.request(roles.TEXTS, limits=FEW, source="path", path=str(folder / "a.csv"))
    result = data.check(draft, request)
    assert not errors(result) and result["rows"] == 20 and "passed-over" not in codes(result)


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize(
    "name", ["pictures/{i}.jpg", "./pictures/{i}.jpg", "pictures\\{i}.jpg", "{folder}/pictures/{i}.jpg"]
)
def test_only_files_that_a_table_references_are_listed(tmp_path: Path, check: Check, name: str, header: bool) -> None:
    folder = tmp_path / "in"
    text = table(name.replace("{folder}", str(folder)))
    plant(folder, {**OTHERS, **PICTURES, "a.csv": text if header else text.partition("\n")[2]})
    result = check(folder / "a.csv", limits=FEW)
    assert not errors(result) and result["rows"] == 12 and "passed-over" not in codes(result)


def test_files_beside_a_parquet_with_media_are_not_listed(tmp_path: Path, check: Check) -> None:
    folder = plant(tmp_path / "in", OTHERS)
    cells = [{"bytes": picture(i), "path": None} for i in range(12)]
    pq.write_table(pa.table({"image": cells, "label": ["cat", "dog"] * 6}), folder / "a.parquet")
    result = check(folder / "a.parquet", limits=FEW)
    assert not errors(result) and result["layout"]["name"] == "embedded" and result["rows"] == 12


@pytest.mark.parametrize("name", ["{i}.jpg", "{i}", "/home/somebody/pictures/{i}.jpg"])
def test_moved_files_are_searched_below_the_folder(tmp_path: Path, check: Check, name: str) -> None:
    folder = plant(tmp_path / "in", {**OTHERS, **PICTURES, "a.csv": table(name)})
    result = check(folder / "a.csv")
    assert not errors(result) and result["rows"] == 12 and "passed-over" not in codes(result)
    assert "too-many-files" in errors(check(folder / "a.csv", limits=FEW))


def test_table_without_files_does_not_select_the_folders_beside_it(tmp_path: Path, check: Check) -> None:
    folder = plant(
        tmp_path / "in", {**{f"{c}/{i}.jpg": i for i in range(8) for c in ("cat", "dog")}, "a.csv": "a,b\n1,2\n"}
    )
    assert errors(check(folder / "a.csv")) == ["layout-unknown"]


def test_damaged_parquet_is_reported(tmp_path: Path, check: Check) -> None:
    folder = plant(tmp_path / "in", {"a.parquet": "PAR1 and nothing else"})
    assert "parquet" in check(folder / "a.parquet")["findings"][0]["message"].lower()
