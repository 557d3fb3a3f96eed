"""Resources of a run: what a spec may say, its views, and what the local backend gives."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.backends import backend_type, process
from autotrain_gradio.backends.base import Allocation, Attempt
from autotrain_gradio.backends.local import launcher
from autotrain_gradio.backends.local.backend import LocalBackend
from autotrain_gradio.backends.resources import resource_findings
from autotrain_gradio.core import memory
from autotrain_gradio.core.errors import SpecError
from autotrain_gradio.core.json_files import write_json
from autotrain_gradio.core.settings import Limits, Settings
from autotrain_gradio.core.spec import ResourceSpec, from_yaml, parse, to_yaml
from autotrain_gradio.core.text_format import GIB, format_bytes, format_duration, parse_duration
from autotrain_gradio.tasks import views
from autotrain_gradio.tasks.options import options, spec_from_options
from autotrain_gradio.tasks.registry import registry


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), (7200, 7200), ("2h", 7200), ("1h30m", 5400), ("1.5 d", 129600), ("45 s", 45)]
)
def test_a_timeout_is_seconds_or_has_units(text: Any, seconds: float) -> None:
    assert ResourceSpec(timeout=text).timeout_seconds == seconds


@pytest.mark.parametrize("text", ["soon", "-5", "0", "2 weeks", "h", True])
def test_an_invalid_timeout_is_refused(text: Any) -> None:
    with pytest.raises(SpecError) as caught:
        parse({"task": "x", "resources": {"timeout": text}})
    assert caught.value.findings[0].where == "resources.timeout" and str(text) in caught.value.message


def test_durations_and_sizes_have_one_format() -> None:
    for seconds, text in ((8.4, "8 s"), (59.6, "1 min"), (185, "3 min 5 s"), (7800, "2 h 10 min"), (7200, "2 h")):
        assert format_duration(seconds) == text
        if seconds >= 60:
            assert parse_duration(text.replace("min", "m")) == round(seconds)
    assert format_duration(8.44, decimals=1) == "8.4 s"
    assert [format_bytes(n) for n in (1, 2048, 3 * 2**20, 2**31)] == ["1 byte", "2.0 KiB", "3.0 MiB", "2.0 GiB"]


def test_resources_are_in_every_view_and_absent_by_default() -> None:
    task = registry().get("image-classification")
    names = {o.name: o for o in options(task) if o.where.startswith("resources.")}
    assert list(names) == ["processes", "gpus", "nodes", "flavor", "timeout", "max_cost"]
    assert all(o.help for o in names.values())
    given = spec_from_options(task, {"data_path": "hub/data", "processes": 2, "gpus": 0, "timeout": "2h"})
    spec = parse(given)
    yaml = to_yaml(spec)
    assert (
        from_yaml(yaml)[0].resources == spec.resources
        and "resources:\n  processes: 2\n  gpus: 0\n  timeout: 2h" in yaml
    )
    command = views.command_view(spec)
    assert "--processes 2" in command and "--gpus 0" in command and "--timeout 2h" in command
    assert "timeout='2h'" in views.python_view(spec)
    assert "resources" not in to_yaml(parse({"task": "image-classification"}))


@pytest.mark.parametrize(
    ("visible", "resources", "codes"),
    [
        ("", {"gpus": 1}, ["too-many-gpus"]),
        ("0", {"gpus": 2}, ["too-many-gpus"]),
        ("0", {"processes": 2}, ["too-many-gpus"]),
        ("0", {"processes": 2, "gpus": 0}, []),
        ("", {"processes": 4}, []),
        ("0,1", {"processes": 2, "gpus": 2}, []),
        ("0,1", {"processes": 1, "gpus": 2}, ["processes-not-gpus"]),
    ],
)
def test_requested_gpus_are_compared_with_those_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, visible: str, resources: dict[str, Any], codes: list[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    backend = LocalBackend(Settings(home=tmp_path))
    assert [f.code for f in backend.check_resources(ResourceSpec(**resources))] == codes


@pytest.mark.parametrize(("processes", "codes"), [(1, []), (2, ["batch-size-not-distributed"])])
def test_auto_find_batch_size_is_refused_with_several_processes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, processes: int, codes: list[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    task, backend = registry().get("text-classification"), LocalBackend(Settings(home=tmp_path))
    resources = ResourceSpec(processes=processes)
    for search in (False, True):
        params = task.params(auto_find_batch_size=search)
        found = list(resource_findings(resources, task, params, backend_type("local"), backend))
        assert [f.code for f in found] == (codes if search else [])
        assert all(f.where == "params.auto_find_batch_size" and "Switch" in f.hint for f in found)


def test_a_run_occupies_a_slot_for_each_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    backend, active = LocalBackend(Settings(home=tmp_path)), []

    def allocate(**resources: Any) -> tuple[str, ...] | None:
        found = backend.allocate(ResourceSpec(**resources), active)
        if found is None:
            return None
        directory = tmp_path / str(len(active))
        directory.mkdir()
        write_json(directory / "backend.json", {"devices": found.devices})
        active.append(directory)
        return found.devices

    assert allocate(gpus=2) == ("0", "1")
    assert allocate(processes=2) is None
    assert allocate() == ("2",)
    assert allocate() is None
    active.clear()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert backend.allocate(ResourceSpec(processes=2), []) is not None


@pytest.mark.parametrize(
    ("slots", "gpus", "assigned", "share"),
    [
        (None, 0, None, 1.0),
        (1, 0, None, 1.0),
        (4, 0, None, 0.25),
        (2, 4, ("0", "1"), 0.5),
        (None, 4, ("2",), 0.25),
        (None, 4, ("2", "3"), 0.5),
        (None, 4, ("0", "1", "2", "3"), 1.0),
    ],
)
def test_trainings_that_run_at_the_same_time_share_the_memory(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    slots: int | None,
    gpus: int,
    assigned: tuple[str, ...] | None,
    share: float,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(gpus))))
    monkeypatch.setattr(memory, "total_memory", lambda: 64 * GIB)
    given: list[str] = []

    def spawn(directory: Path, verb: str, *more: str, **streams: Any) -> subprocess.Popen[bytes]:
        given.extend(more)
        return subprocess.Popen(["true"])

    monkeypatch.setattr(process, "spawn", spawn)
    backend = LocalBackend(Settings(tmp_path, slots=slots, limits=Limits(training_memory=0.5)))
    backend.submit(Attempt(tmp_path, 1, {}, allocation=Allocation(assigned)))
    assert int(given[given.index("--memory") + 1]) == 32 * GIB * share


def test_the_first_failed_rank_is_parsed_from_the_launcher_output(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    earlier = "Root Cause (first observed failure):\n[0]:\n  rank      : 3 (local_rank: 3)\n  exitcode  : 1 (pid: 7)\n"
    text = "Root Cause (first observed failure):\n[0]:\n  rank      : 1 (local_rank: 1)\n  exitcode  : -9 (pid: 12)\n"
    log.write_text(earlier + text)
    found = launcher.explain_failure(log, len(earlier))
    assert found is not None and found["reason"] == "Training process 1 was killed (SIGKILL)."
    assert launcher.explain_failure(log, len(earlier + text)) is None
    assert launcher.explain_failure(tmp_path / "nothing") is None
    assert launcher.threads_per_process({"OMP_NUM_THREADS": "3"}, 2) == 3
