"""The check of a project: what is found before anything is run."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio import data
from autotrain_gradio.core.panels import find_panel
from autotrain_gradio.data.request import Request
from autotrain_gradio.tasks.registry import resolve


def _check(tmp_path: Path, files: dict[str, str | bytes], path: str = "", **options: Any) -> dict[str, Any]:
    folder = tmp_path / "project"
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    spec = {"source": "path", "path": str(folder / path), "options": options}
    draft = tmp_path / "draft"
    draft.mkdir(exist_ok=True)
    return dict(data.check(draft, Request.of(resolve({"task": "custom-script", "data": spec}))))


def _found(check: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f["code"]: f for f in check["findings"]}


def test_the_check_shows_files_script_arguments_and_packages(tmp_path: Path) -> None:
    source = "import argparse\np = argparse.ArgumentParser()\np.add_argument('-n', '--lr', default=0.1, help='rate')\n"
    check = _check(tmp_path, {"script.py": source, "requirements.txt": "numpy>=1 # fast\n", "data/a.csv": "x\n1\n"})
    assert check["findings"] == [] and check["splits"] == {"train": 3} and check["layout"]["name"] == "script-project"
    files = find_panel(check["profile"], "project-files")
    assert files and [row[0] for row in files["rows"]] == ["script.py", "requirements.txt", "data/a.csv"]
    assert (find_panel(check["profile"], "arguments") or {})["rows"] == [["-n, --lr", "0.1", "rate"]]
    packages = find_panel(check["profile"], "script-packages") or {}
    assert packages["rows"] == [["numpy>=1", "requirements.txt, line 1"]]
    assert (find_panel(check["profile"], "overview") or {})["items"][0] == {"label": "Files", "value": 3}


def test_a_missing_script_is_an_error_that_offers_the_others(tmp_path: Path) -> None:
    found = _found(_check(tmp_path, {"train.py": "", "lib/util.py": ""}))
    problem = found["script-missing"]
    assert "no script.py among 2 files" in problem["message"]
    assert problem["alternatives"][0]["change"] == {"options": {"script": "train.py"}}
    assert _check(tmp_path, {}, script="train.py")["findings"] == []
    assert "'trian.py'" in _found(_check(tmp_path, {}, script="trian.py"))["script-missing"]["message"]
    assert "script-missing" in _found(_check(tmp_path / "b", {"readme.txt": "hello"}))


def test_a_syntax_error_is_found_with_its_line(tmp_path: Path) -> None:
    found = _found(_check(tmp_path, {"script.py": "x = 1\nprint('a' 'b'\nif x:\n"}))["script-syntax"]
    assert (
        found["level"] == "error" and found["where"] == "script.py, line 2" and "was never closed" in found["message"]
    )
    assert "this line: print('a' 'b'" in found["hint"]
    for source in (b"\0\1\2", b"x = '" + b"a" * 6_000_000 + b"'", b"# coding: nonsense\n", b"\xff\xfe\xfa = 3"):
        check = _check(tmp_path, {"script.py": source})
        assert any(f["level"] == "error" for f in check["findings"]), source[:20]


def test_a_syntax_error_in_a_module_is_a_warning(tmp_path: Path) -> None:
    found = _found(_check(tmp_path, {"script.py": "", "old.py": "print 'x'\n"}))["module-syntax"]
    assert found["level"] == "warning" and found["where"] == "old.py, line 1"


@pytest.mark.parametrize(
    ("line", "code", "level"),
    [
        ("numpy>>1", "requirements-invalid", "error"),
        ("--indx-url https://x.org", "requirements-invalid", "error"),
        ("-e ./lib", "requirements-editable", "error"),
        ("-e git+https://secret@example.org/a.git", "requirements-editable", "error"),
        ("name @@ https://me:secret@example.org/a.zip", "requirements-invalid", "error"),
        ("-r more.txt", "requirements-file-missing", "error"),
        ("--extra-index-url https://packages.example.org/simple", "requirements-index", "info"),
        ("--index-url https://me:secret@packages.example.org/simple", "requirements-credentials", "warning"),
    ],
)
def test_requirements_are_checked_line_by_line(tmp_path: Path, line: str, code: str, level: str) -> None:
    check = _check(tmp_path, {"script.py": "", "requirements.txt": f"# packages\n\n{line}\n"})
    found = _found(check)[code]
    assert found["level"] == level and "secret" not in str(check)
    if level == "error":
        assert found["where"] == "requirements.txt, line 3"


def test_imports_without_a_requirement_are_mentioned(tmp_path: Path) -> None:
    source = "import os, helper, sklearn.svm\nfrom torch import nn\ntry:\n    import wandb\nexcept ImportError: pass\n"
    check = _check(tmp_path, {"script.py": source, "helper.py": "", "requirements.txt": "torch\n"})
    found = _found(check)["import-not-required"]
    assert found["level"] == "info" and found["where"] == "script.py, line 1"
    assert "imports scikit-learn, which" in found["message"]


def test_one_file_a_folder_in_a_zip_and_an_old_output(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"run.py": "", "other.csv": "x"}
    check = _check(tmp_path, files, path="run.py")
    assert check["splits"] == {"train": 1} and check["findings"] == []

    (tmp_path / "packed").mkdir()
    with zipfile.ZipFile(tmp_path / "packed" / "p.zip", "w") as packed:
        for name in ("mine/script.py", "mine/output/model.bin", "mine/lib/a.py", "notes.txt"):
            packed.writestr(name, "")
    spec = {"source": "path", "path": str(tmp_path / "packed" / "p.zip")}
    (tmp_path / "second").mkdir()
    check = dict(data.check(tmp_path / "second", Request.of(resolve({"task": "generic", "data": spec}))))
    assert check["splits"] == {"train": 2} and set(_found(check)) == {"output-not-empty", "project-outside"}
