"""A package that a task needs and that is missing: one finding with the command that installs it, everywhere."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from autotrain_gradio.cli.docs import task_page
from autotrain_gradio.cli.main import main
from autotrain_gradio.core.errors import MissingExtra, UserError
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.registry import Registry, registry
from autotrain_gradio.tasks.requirements import Requirement, from_extra, missing_packages

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
COMMAND = "pip install 'autotrain-gradio[toys]'"


@pytest.fixture
def incomplete(toys: Path) -> Path:
    """The toy task, which needs two packages that are not installed."""
    declaration = toys / "toy_task" / "__init__.py"
    needed = 'from_extra("toys", "no_such_toy", "no_such_box=box-of-toys", "json")'
    text = declaration.read_text().replace("verbs=(", f"requires={needed},\n    verbs=(")
    declaration.write_text(
        text.replace("from typing", "from autotrain_gradio.tasks.requirements import from_extra\nfrom typing", 1)
    )
    importlib.invalidate_caches()
    return toys


def test_findings_are_one_for_each_command() -> None:
    needed = (*from_extra("toys", "json", "no_such_toy", "no_such_box=box-of-toys"), Requirement("no_such_car"))
    first, second = missing_packages("Toys", needed)
    assert first.code == "missing-package" and first.level == "error"
    assert first.message == "Toys needs 2 packages that are not installed: no_such_toy, box-of-toys."
    assert COMMAND in first.hint and "pip install no_such_car" in second.hint
    assert missing_packages("Toys", needed[:1]) == []


def test_detecting_a_package_does_not_import_it() -> None:
    program = (
        "import sys; from autotrain_gradio.tasks.registry import registry\n"
        "assert all(not t.missing_packages() for t in registry()) and sum(bool(t.requires) for t in registry()) > 20\n"
        "print(sorted({r.module for t in registry() for r in t.requires} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr


def test_check_and_start_refuse_with_the_command(
    incomplete: Path, service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = {"task": "toy-sorting", "data": {"source": "path", "path": str(tmp_path)}}
    draft = service.draft("toy-sorting")
    with pytest.raises(UserError) as caught:
        service.check(draft, spec)
    assert [f.code for f in caught.value.findings] == ["missing-package"] and COMMAND in caught.value.hint
    with pytest.raises(MissingExtra) as refused:
        service.start(draft, spec)
    assert COMMAND in refused.value.hint and service.is_draft(draft)
    assert main(["tasks"]) == 0
    assert "box-of-toys" in (listed := capsys.readouterr().out) and COMMAND in listed
    assert main(["check", "toys", "--data-path", str(tmp_path)]) == 1
    shown = capsys.readouterr()
    assert COMMAND in shown.err and "Traceback" not in shown.err


def test_the_list_of_tasks_and_the_docs_name_the_command(incomplete: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tasks", "--json"]) == 0
    toys = next(t for t in json.loads(capsys.readouterr().out) if t["name"] == "toy-sorting")
    assert toys["install"] == [COMMAND] and "no_such_toy" in toys["missing"][0]
    task = registry().get("toys")
    assert COMMAND in task_page(task, Registry([replace(task)]))


def test_every_extra_that_a_task_names_installs_what_it_needs() -> None:
    checked = 0
    for task in registry():
        for requirement in task.requires:
            assert requirement.package in _packages(requirement.extra), (task.name, requirement)
            checked += 1
    assert checked > 30


def test_the_requirements_of_a_space_are_those_of_all_tasks() -> None:
    lines = {line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] != "#"}
    assert lines == {*PROJECT["dependencies"], *_lines("all")}


def _lines(extra: str) -> set[str]:
    """Return what an extra installs, with the extras that it refers to."""
    found = set()
    for line in PROJECT["optional-dependencies"][extra]:
        if inner := re.fullmatch(r"autotrain-gradio\[(.*)\]", line):
            found |= {entry for name in inner[1].split(",") for entry in _lines(name)}
        else:
            found.add(line)
    return found


def _packages(extra: str) -> set[str]:
    return {re.split(r"[<>=]", line)[0] for line in _lines(extra)}
