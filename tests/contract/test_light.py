"""What the page's process and the command line load: nothing heavy, and quickly."""

from __future__ import annotations

import ast
import subprocess
import sys

HEAVY = ("torch", "transformers", "datasets", "albumentations", "sklearn", "pyarrow", "accelerate", "evaluate")
PROGRAM = """
import sys
{work}
print(sorted(set({heavy!r}) & set(sys.modules)))
"""


def _loaded(work: str) -> str:
    program = PROGRAM.format(work=work, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_the_service_and_the_whole_parser_load_nothing_heavy() -> None:
    work = """
from autotrain_gradio import service
from autotrain_gradio.api import runs
from autotrain_gradio.cli import docs
from autotrain_gradio.cli.main import build, task_parser
from autotrain_gradio.tasks.registry import registry
assert len(registry()) >= 1
assert build(registry()).format_help()
for task in registry():
    name = "--epochs" if "epochs" in task.params.model_fields else "--seed"
    assert name in task_parser(task, "x", train=True).format_help()
"""
    assert _loaded(work) == "[]"


def test_running_a_service_loads_nothing_heavy(tmp_path: object) -> None:
    work = f"""
from pathlib import Path
from autotrain_gradio.service import Service
from autotrain_gradio.core.settings import Settings
service = Service(Settings(home=Path({str(tmp_path)!r})))
draft = service.draft("image-classification")
checked = service.check(draft, {{"task": "image-classification", "data": {{"source": "sample", "path": "shapes"}}}})
assert checked["splits"]["train"] > 10, checked["findings"]
assert service.runs() == []
service.close()
"""
    assert _loaded(work) == "[]"


def test_the_command_line_loads_neither_the_page_nor_the_service_to_list_tasks() -> None:
    work = """
from autotrain_gradio.cli.main import main
assert main(["tasks"]) == 0
print(sorted({"gradio", "autotrain_gradio.service", "huggingface_hub"} & set(sys.modules)))
"""
    program = PROGRAM.format(work=work, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-2:] == ["[]", "[]"], done.stdout + done.stderr
    assert "image-classification" in done.stdout


def test_what_a_preview_needs_loads_no_torch() -> None:
    work = """
import importlib
from autotrain_gradio.tasks.registry import registry
light = [t.preview_module for t in registry() if t.preview_module]
assert len(light) >= 2 and all(callable(importlib.import_module(name).preview) for name in light)
"""
    assert not {"torch", "accelerate", "evaluate", "sklearn"} & set(ast.literal_eval(_loaded(work)))


def test_the_check_of_heavy_libraries_detects_one() -> None:
    assert _loaded("import pyarrow") == "['pyarrow']"
