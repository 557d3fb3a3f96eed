"""Extensions: what they add to which tasks, and how they are found."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from autotrain_gradio.core.assets import SAMPLES, sample_folder
from autotrain_gradio.core.spec import DataSpec
from autotrain_gradio.data.declarations import Source
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.sources.sample import root_of_sample, sample_root
from autotrain_gradio.tasks.base import Sample, Task
from autotrain_gradio.tasks.extension import Extension, SampleFor, SourceFor, TaskFilter
from autotrain_gradio.tasks.registry import Registry, registry

ROOT = Path(__file__).resolve().parents[3]
NOTES = Source("notes", "Notes", "notes_extension.source")
CLIPS = Sample("clips", "Clips", "notes_extension:clips")
SPEECH = TaskFilter(inputs=("audio",), targets=("text",))
FITTING = (
    "automatic-speech-recognition",
    "image-classification",
    "tabular-classification",
    "tabular-regression",
    "text-classification",
)
"""Tasks of different inputs and targets, to which filters are applied."""


def names_with(tasks: Registry, source: str) -> list[str]:
    """Return the names of the tasks that have a source."""
    return [t.name for t in tasks if any(s.name == source for s in t.sources)]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (SPEECH, ["automatic-speech-recognition"]),
        (TaskFilter(inputs=("image",)), ["image-classification"]),
        (TaskFilter(inputs=("text",)), ["text-classification"]),
        (TaskFilter(inputs=("text",), targets=("audio",)), []),
        (TaskFilter(targets=("number",)), ["tabular-regression"]),
        (TaskFilter(inputs=("image",), targets=("label",)), ["image-classification"]),
        (TaskFilter(inputs=("text",), targets=("label",)), ["text-classification"]),
    ],
)
def test_a_source_is_added_to_the_tasks_whose_columns_fit(when: TaskFilter, expected: list[str]) -> None:
    tasks = Registry(map(registry().get, FITTING), [Extension("notes", (SourceFor(NOTES, when),))])
    assert names_with(tasks, "notes") == expected


def test_a_source_without_a_filter_is_added_to_every_task() -> None:
    tasks = Registry(registry(), [Extension("notes", (SourceFor(NOTES),), (SampleFor(CLIPS),))])
    assert len(names_with(tasks, "notes")) == len(tasks) >= 5
    assert all(t.samples[-1] == CLIPS for t in tasks)


@pytest.mark.parametrize(
    "extension",
    [
        Extension("notes", (SourceFor(replace(NOTES, name="hub"), SPEECH),)),
        Extension("notes", samples=(SampleFor(replace(CLIPS, name="numbers"), SPEECH),)),
    ],
)
def test_a_source_name_that_the_task_has_is_refused(extension: Extension) -> None:
    with pytest.raises(ValueError, match="The extension 'notes' claims the .* which automatic-speech-recognition has"):
        Registry(registry(), [extension])


def test_two_extensions_that_claim_a_source_are_refused() -> None:
    second = Extension("more-notes", (SourceFor(replace(NOTES, title="Other notes")),))
    with pytest.raises(ValueError, match="'more-notes' claims the source 'notes'"):
        Registry(registry(), [Extension("notes", (SourceFor(NOTES),)), second])
    with pytest.raises(ValueError, match="Two different extension items are named 'notes'"):
        Registry(registry(), [Extension("notes"), Extension("notes", (SourceFor(NOTES),))])


def test_an_installed_package_is_found_by_its_entry_point(tmp_path: Path) -> None:
    package = tmp_path / "notes_extension"
    (package / "clips").mkdir(parents=True)
    (package / "__init__.py").write_text(
        "from autotrain_gradio.data.declarations import Source\n"
        "from autotrain_gradio.tasks.base import Sample\n"
        "from autotrain_gradio.tasks.extension import Extension, SampleFor, SourceFor, TaskFilter\n"
        "SPEECH = TaskFilter(inputs=('audio',), targets=('text',))\n"
        "EXTENSION = Extension('notes', (SourceFor(Source('notes', 'Notes', 'notes_extension.source'), SPEECH),),\n"
        "    (SampleFor(Sample('clips', 'Clips', 'notes_extension:clips'), SPEECH),))\n"
    )
    information = tmp_path / "notes_extension-0.1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: notes-extension\nVersion: 0.1\n")
    (information / "entry_points.txt").write_text("[autotrain_gradio.extensions]\nnotes = notes_extension:EXTENSION\n")
    program = (
        "from autotrain_gradio.core.assets import sample_folder\n"
        "from autotrain_gradio.tasks.registry import registry\n"
        "task = registry().get('asr')\n"
        "print(registry().extensions.names()[-1], task.sources[-1].name, task.samples[-1].name)\n"
        "print(sample_folder(task.samples[-1].path))\n"
    )
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.stdout.splitlines() == ["notes notes clips", str(package / "clips")], done.stderr


def request(task: Task) -> Request:
    """Return a request with the samples of a task."""
    samples = {s.name: s.path for s in task.samples}
    return Request("Toy", DataSpec(source="sample"), task.columns, task.sources, task.layouts, samples=samples)


def test_the_root_of_a_sample_is_relative_to_its_package() -> None:
    task = registry().get("automatic-speech-recognition")
    inside = "autotrain_gradio.tasks:automatic_speech_recognition"
    extended = replace(task, samples=(*task.samples, Sample("package", "Package", inside)))
    for sample in extended.samples:
        for folder in (sample_folder(sample.path), sample_folder(sample.path) / "clips" / "more"):
            root = sample_root(folder, request(extended))
            assert root is not None and root.startswith(f"sample:{sample.path}")
            assert root_of_sample(root) == folder
    assert sample_root(ROOT / "autotrain_gradio" / "tasks", request(task)) is None
    # As manifests of runs from before there were samples in packages have it.
    old = root_of_sample("sample:automatic_speech_recognition/numbers")
    assert old == SAMPLES / "automatic_speech_recognition" / "numbers" and old.is_dir()


def test_no_other_part_of_the_app_names_an_extension() -> None:
    names = [n for n in registry().extensions.names() if (ROOT / "autotrain_gradio" / "extensions" / n).is_dir()]
    assert names
    word = re.compile("|".join(rf"{name}(?!time|cycle|long|span|style)" for name in names), re.IGNORECASE)
    folders = ["data", "ui", "service", "tasks", "core", "worker", "cli", "runs", "backends", "training"]
    files = [f for folder in folders for f in (ROOT / "autotrain_gradio" / folder).rglob("*.py")]
    files += [ROOT / "assets" / "page.css", ROOT / "assets" / "page.js", ROOT / "Makefile"]
    found = [str(f.relative_to(ROOT)) for f in files if word.search(f.read_text(encoding="utf-8"))]
    assert len(files) > 150 and found == []


def test_the_data_layer_names_neither_the_page_nor_an_extension() -> None:
    files = list((ROOT / "autotrain_gradio" / "data").rglob("*.py"))
    word = re.compile(r"autotrain_gradio[./](ui|extensions)\b")
    assert len(files) > 50
    assert [f.name for f in files if word.search(f.read_text(encoding="utf-8"))] == []
