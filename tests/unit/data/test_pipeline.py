"""Check, ensure, load: what was checked is what is loaded, and nothing is lost uncounted."""

from __future__ import annotations

import copy
import dataclasses
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from autotrain_gradio import data
from autotrain_gradio.core.errors import DataError
from autotrain_gradio.data import declarations
from tests.unit.data import roles
from tests.unit.data.conftest import Check, classes, errors, finding, picture, plant, resolved

KEYS = {
    "layout", "source", "rows", "columns", "mapping", "labels", "splits", "split_how", "dropped", "findings", "profile",
    "gallery", "key", "seconds",
}  # fmt: skip


def test_sample_is_checked_without_errors(draft: Path, check: Check) -> None:
    result = check(source="sample", path="shapes")
    assert set(result) >= KEYS and result["findings"] == []
    assert result["splits"] == {"train": 72, "validation": 18}
    assert json.loads((draft / "check.json").read_text()) == json.loads(json.dumps(result))
    assert sum(f.stat().st_size for f in (data_file for data_file in draft.rglob("*") if data_file.is_file())) < 400_000


def test_unknown_sample_is_an_error_with_the_known_ones(check: Check) -> None:
    assert "'shapes'" in finding(check(source="sample", path="shaps"), "unknown-sample")["hint"]


def test_loaded_rows_equal_checked_rows(tmp_path: Path, draft: Path, check: Check) -> None:
    folder = plant(tmp_path / "in", classes("cat", "dog", count=20))
    result = check(folder)
    loaded = data.load(draft)
    assert {n: len(p) for n, p in loaded.items()} == result["splits"]
    seen = {
        r["image"]["path"]: loaded["train"].features["target"].int2str(r["target"]) for p in loaded.values() for r in p
    }
    assert seen == {str(f): f.parent.name for f in folder.rglob("*.jpg")}
    assert loaded["train"].features["image"].decode is False


def test_ensure_prepares_once_and_again_when_the_spec_changed(
    tmp_path: Path, draft: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = plant(tmp_path / "in", classes("cat", "dog"))
    first = data.ensure(draft, resolved(source="path", path=str(folder)))
    stamp = (draft / "data" / "manifest.json").stat().st_mtime_ns
    assert data.ensure(draft, resolved(source="path", path=str(folder))) == first
    assert (draft / "data" / "manifest.json").stat().st_mtime_ns == stamp
    again = data.ensure(draft, resolved(source="path", path=str(folder), valid_fraction=0.5))
    assert again["splits"] == {"train": 6, "validation": 6} and again["key"] != first["key"]


def test_parameters_that_do_not_touch_the_rows_keep_the_key() -> None:
    spec = resolved(source="sample")
    before = data.Request.of(spec).key()
    spec.params.lr = 0.5
    assert data.Request.of(spec).key() == before
    spec.params.seed = 7
    assert data.Request.of(spec).key() != before


def test_ensure_refuses_errors(tmp_path: Path, draft: Path) -> None:
    folder = plant(tmp_path / "in", classes("cat"))
    with pytest.raises(DataError) as caught:
        data.ensure(draft, resolved(source="path", path=str(folder)))
    assert caught.value.code == "one-class"
    assert not (draft / "data" / "manifest.json").exists()
    with pytest.raises(DataError):
        data.load(draft)


@pytest.mark.parametrize("change", ["touch", "rewrite", "delete"])
def test_ensure_refuses_files_that_changed(tmp_path: Path, draft: Path, check: Check, change: str) -> None:
    folder = plant(tmp_path / "in", classes("cat", "dog"))
    check(folder)
    file = folder / "cat" / "3.jpg"
    if change == "delete":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes() if change == "touch" else picture("other"))
    with pytest.raises(DataError) as caught:
        data.ensure(draft, resolved(source="path", path=str(folder)))
    assert caught.value.code == "files-changed" and "cat/3.jpg" in caught.value.message


def test_a_run_can_be_moved(tmp_path: Path, draft: Path, check: Check) -> None:
    plant(draft / "data" / "upload", {f"{i}.jpg": i for i in range(6)})
    plant(draft / "data" / "upload", {"t.csv": "file,label\n" + "".join(f"{i}.jpg,{'ab'[i % 2]}\n" for i in range(6))})
    check(source="upload")
    moved = tmp_path / "elsewhere"
    shutil.copytree(draft, moved)
    shutil.rmtree(draft)
    data.ensure(moved, resolved(source="upload"))
    paths = [r["image"]["path"] for r in data.load(moved)["train"]]
    assert paths and all(p.startswith(str(moved)) and Path(p).is_file() for p in paths)


def test_a_copy_of_a_run_s_data_can_be_prepared_again(tmp_path: Path, draft: Path, check: Check) -> None:
    plant(draft / "data" / "upload", {f"{c}{i}.jpg": 100 * ord(c) + i for c in "ab" for i in range(6)})
    plant(
        draft / "data" / "upload",
        {"t.csv": "file,label\n" + "".join(f"{c}{i}.jpg,{c}\n" for c in "ab" for i in range(6))},
    )
    check(source="upload")
    again = tmp_path / "again"
    shutil.copytree(draft / "data", again / "data")
    assert data.ensure(again, resolved(source="upload", valid_fraction=0.5))["splits"] == {"train": 6, "validation": 6}


def test_failed_check_removes_the_dataset_of_an_earlier_check(tmp_path: Path, draft: Path, check: Check) -> None:
    folder = plant(tmp_path / "in", classes("cat", "dog"))
    check(folder)
    shutil.rmtree(folder / "dog")
    assert errors(check(folder)) == ["one-class"]
    with pytest.raises(DataError):
        data.load(draft)


def test_progress_never_decreases(tmp_path: Path, draft: Path) -> None:
    seen: list[float] = []
    folder = plant(tmp_path / "in", classes("cat", "dog", count=60))
    data.check(draft, data.Request.of(resolved(source="path", path=str(folder))), lambda m, f: seen.append(f))
    assert seen == sorted(seen) and seen[-1] == 1.0 and len(seen) > 3


def test_damaged_scan_cache_is_rebuilt(tmp_path: Path, draft: Path, check: Check) -> None:
    folder = plant(tmp_path / "in", classes("cat", "dog"))
    check(folder)
    (draft / "data" / "scan.parquet").write_bytes(b"PAR1 torn")
    assert check(folder)["splits"] == {"train": 10, "validation": 2}


def test_unknown_layout_is_an_error_with_the_known_ones(tmp_path: Path, check: Check) -> None:
    found = finding(
        check(plant(tmp_path / "in", classes("cat", "dog")), options={"layout": "class-folder"}), "unknown-layout"
    )
    assert "'class-folders'" in found["hint"]


def test_the_check_does_not_load_torch(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from autotrain_gradio import data
from autotrain_gradio.tasks.registry import resolve

assert not {{"pyarrow", "datasets", "numpy"}} & set(sys.modules), "declaring loads too much"
spec = resolve({{"task": "image-classification", "data": {{"source": "sample", "path": "shapes"}}}})
draft = Path({str(tmp_path)!r}) / "draft"
assert data.check(draft, data.Request.of(spec))["rows"] == 90
data.load(draft)
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("seed", range(12))
def test_every_row_is_used_or_counted_as_dropped(tmp_path: Path, draft: Path, check: Check, seed: int) -> None:
    """Make a random mess, and count: rows in = rows used + rows dropped, each of them for one reason."""
    rng = random.Random(seed)
    files: dict[str, Any] = {}
    splits = rng.choice([[""], ["train/"], ["train/", "valid/"], ["train/", "val/", "test/"]])
    kinds: list[Any] = [b"", b"text", picture("cut", size=(90, 90))[:900], "same", "new", "new", "new", "new"]
    media = 0
    for split in splits:
        for label in ["a", "b", "A ", "c"][: rng.randint(2, 4)]:
            for i in range(rng.randint(1, 9)):
                kind = rng.choice(kinds)
                content = picture("same") if kind == "same" else picture(rng.random()) if kind == "new" else kind
                files[f"{split}{label}/{i}.{rng.choice(['jpg', 'JPG', 'png'])}"] = content
    files |= {f"loose{i}.jpg": picture(rng.random()) for i in range(rng.randint(0, 2))}
    files |= {f"{splits[0]}a/note.txt": b"x", "__MACOSX/x.jpg": b"x"}
    media = sum(n.lower().endswith((".jpg", ".png")) and "__MACOSX" not in n for n in files)
    given: dict[str, Any] = {"valid_fraction": rng.choice([0, 0.2, 0.5]), "max_samples": rng.choice([None, 3, 100])}
    given["labels"] = rng.choice([{}, {"A ": "a"}, {"b": None}])
    result = check(plant(tmp_path / "in", files), **given)
    assert result["rows"] == media
    assert media == sum(result["splits"].values()) + sum(d["count"] for d in result["dropped"])
    assert sum(label["rows"] for label in result["labels"]) == sum(result["splits"].values())
    if not errors(result):
        loaded = data.load(draft)
        assert {n: len(p) for n, p in loaded.items()} == result["splits"]
        paths = [r["image"]["path"] for p in loaded.values() for r in p]
        assert len(paths) == len(set(paths))


def test_sample_of_a_large_table_is_reported_first(
    tmp_path: Path, draft: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autotrain_gradio.data.pipeline.check.LARGE", 50)
    monkeypatch.setattr("autotrain_gradio.data.pipeline.check.SAMPLE_ROWS", 10)
    body = "text,label\n" + "".join(f"{'' if i % 7 == 0 else f'words {i}'},{'ab'[i % 2]}\n" for i in range(70))
    said: list[str] = []
    request = roles.request(roles.TEXTS, source="path", path=str(plant(tmp_path / "in", {"a.csv": body})))
    result = data.check(draft, request, lambda message, fraction: said.append(message))
    first = next(i for i, m in enumerate(said) if m.startswith("Sample of 10 rows: 10 rows have no text"))
    assert all("10 rows have no text" in m for m in said[first:-1]) and said[-1] == "Checked"
    assert roles.dropped(result) == {"text-empty": 10}
    assert sum(f["code"] == "text-empty" for f in result["findings"]) == 1


def test_result_of_a_large_table_is_reported_before_its_rows_are_written(
    tmp_path: Path, draft: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = "text,label\n" + "".join(f"words {i},{'ab'[i % 2]}\n" for i in range(70))
    request = roles.request(roles.TEXTS, source="path", path=str(plant(tmp_path / "in", {"a.csv": body})))
    told: list[Any] = []

    def found(result: Any) -> None:
        written = [p.name for p in (draft / "data").glob("*") if p.name in {"dataset", "manifest.json"}]
        told.append((copy.deepcopy(result), written))

    data.check(draft, request, found=found)
    assert not told  # a small one takes no time to write
    monkeypatch.setattr("autotrain_gradio.data.pipeline.check.LARGE", 50)
    monkeypatch.setattr("autotrain_gradio.data.pipeline.check.SAMPLE_ROWS", 10)
    shutil.rmtree(draft / "data")
    result = data.check(draft, request, found=found)
    assert told == [(result, [])] and result["profile"] and result["splits"] == {"train": 56, "validation": 14}
    assert len(data.load(draft)["train"]) == 56
    one = roles.request(
        roles.TEXTS, source="path", path=str(plant(tmp_path / "in", {"a.csv": body.replace(",b\n", ",a\n")}))
    )
    assert "one-class" in {f["code"] for f in data.check(draft, one, found=found)["findings"]}
    assert len(told) == 1  # there is nothing to write


def test_a_check_may_drop_rows(tmp_path: Path, draft: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    greedy = ModuleType("greedy")
    greedy.check = lambda rows, request: rows.drop([0, 1], "text-empty") or []  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "greedy", greedy)
    body = "text,label\n" + "".join(f"words {i},{'ab'[i % 2]}\n" for i in range(20))
    request = roles.request(roles.TEXTS, source="path", path=str(plant(tmp_path / "in", {"a.csv": body})))
    declared = declarations.Check("greedy", "Greedy", "greedy")
    result = data.check(draft, dataclasses.replace(request, checks=(declared,)))
    assert roles.dropped(result) == {"text-empty": 2} and sum(result["splits"].values()) == 18
