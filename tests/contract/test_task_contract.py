"""What every task does: from its sample to a trained model, through a stop and a resume, and the same in every face."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import io
import json
import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio import data, tasks
from autotrain_gradio.api.runs import Run
from autotrain_gradio.cli import commands
from autotrain_gradio.cli.main import main, task_parser
from autotrain_gradio.core.errors import StateError
from autotrain_gradio.core.panels import render_html, render_text
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.tasks.options import spec_from_options
from autotrain_gradio.tasks.registry import registry, resolve

TASKS = [t for t in registry() if t.module.startswith("autotrain_gradio.")]
ROOT = Path(__file__).resolve().parents[2]
HEADLINES = Path(__file__).parent / "headlines"
STEPS = 32
"""Least number of steps of a training that is to be stopped before its end."""
each_task = pytest.mark.parametrize("task", TASKS, ids=lambda t: t.name)
each_predicting = pytest.mark.parametrize("task", [t for t in TASKS if "predict" in t.can], ids=lambda t: t.name)
each_other = pytest.mark.parametrize("task", [t for t in TASKS if "predict" not in t.can], ids=lambda t: t.name)


def test_every_bundled_task_is_tested() -> None:
    folders = Path(tasks.__file__).parent.glob("*/train.py")
    assert sorted(t.module for t in TASKS) == sorted(f"{tasks.__name__}.{f.parent.name}.train" for f in folders)
    assert len(TASKS) >= 5 and all(_headline(task).MARGIN > 0 for task in TASKS if "predict" in task.can)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    found = Service(Settings(home=tmp_path / "home", slots=1))
    yield found
    for row in found.runs():
        if row["can"]["stop"]:
            found.stop(row["id"])
            _wait(found, row["id"], lambda s: s["state"] in {"cancelled", "interrupted", "failed", "completed"})
    found.close()


def _spec(task: Task, **params: Any) -> dict[str, Any]:
    given = {"task": task.name, "project_name": "contract", "data": {"source": "sample", "path": task.samples[0].name}}
    fields = task.params.model_fields
    return {**given, "model": _model(task), "params": {n: v for n, v in params.items() if n in fields}}


def _model(task: Task) -> str:
    return TINY if "tiny_model" in task.can else ",".join(m.id for m in task.models[1:3])


def _wait(service: Service, run: str, done: Callable[[dict[str, Any]], bool], seconds: float = 240) -> dict[str, Any]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        snapshot = service.snapshot(run)
        assert snapshot is not None
        if done(snapshot):
            return snapshot
        assert snapshot["state"] != "failed", (snapshot["error"], service.log(run, -3000)["text"])
        time.sleep(0.02)
    raise AssertionError(f"{snapshot['state']}: {service.log(run, -3000)['text']}")


@pytest.mark.timeout(900)  # a minute on two free cores
@each_predicting
def test_sample_check_train_stop_resume_reload_predict_and_render(
    task: Task, service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run, ended = _train_with_a_stop(task, service)
    assert ended["metrics"][f"eval_{task.headline}"] is not None

    # The model of its files alone, by the public loader of its library.
    directory = service.settings.runs / run
    inputs, targets = _validation(task, directory)
    predictions = service.predict(run, inputs)
    value = inputs[0].get("row") or (inputs[0] if len(inputs[0]) > 1 else next(iter(inputs[0].values())))
    assert _run_card(task, directory / "model", value) == _close(predictions[0][task.answer])

    # What the run has recorded of its validation rows is what the model says of them now.
    recorded = ended["metrics"]
    answers = [p[task.answer] for p in predictions]
    if hasattr(headline := _headline(task), "measure_run"):

        def answers_of(values: Sequence[Any]) -> list[Any]:
            given = [v if isinstance(v, Mapping) else {task.inputs[0].name: v} for v in values]
            return [p[task.answer] for p in service.predict(run, given)]

        measured = headline.measure_run(data.load(directory), answers_of)
    elif hasattr(headline, "measure_model"):
        measured = headline.measure_model(data.load(directory), directory / "model")
    else:
        measured = headline.measure(answers, targets)
    assert measured == pytest.approx(recorded[f"eval_{task.headline}"], abs=2e-3)

    # The same through the command line and Python, and the answer drawn in both forms.
    monkeypatch.setattr(commands, "_service", lambda **options: service)
    first = inputs[0].get("row")
    named = first or (value if isinstance(value, Mapping) else {})
    arguments = [f"{k}={'' if v is None else v}" for k, v in named.items()] or [str(value)]
    assert main(["predict", run, *arguments, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert _close(said[0][task.answer]) == predictions[0][task.answer]
    answer = Run(service, run).predict(value)[0]
    assert _close(answer[task.answer]) == predictions[0][task.answer]
    assert answer["panels"]
    for panel in answer["panels"]:
        _rendered(panel)
    assert main(["show", run]) == 0 and "completed" in capsys.readouterr().out.lower()


@pytest.mark.timeout(900)
@each_other
def test_sample_check_train_stop_resume_and_render(
    task: Task, service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same for a task whose runs have files, but no predictions."""
    run, ended = _train_with_a_stop(task, service)
    assert not ended["can"]["predict"] and ended["can"]["download"] and ended["metrics"]
    assert (service.settings.runs / run / "model" / "README.md").is_file()
    monkeypatch.setattr(commands, "_service", lambda **options: service)
    assert main(["show", run]) == 0 and "completed" in capsys.readouterr().out.lower()
    with pytest.raises(StateError, match="make no predictions"):
        service.predict(run, [{"text": "x"}])


def _train_with_a_stop(task: Task, service: Service) -> tuple[str, dict[str, Any]]:
    """Check the sample, train, stop after the first steps, resume, and run to the end; return the last snapshot."""
    spec = _spec(task, epochs=1, num_trials=6)
    draft = service.draft(task.name)
    check = service.check(draft, spec)
    if steps := service.estimate(draft, spec).get("steps_per_epoch"):
        spec["params"]["epochs"] = -(-STEPS // steps)
    assert not [f for f in check["findings"] if f["level"] == "error"]
    assert task.files_only or check["splits"]["validation"] >= 5
    for panel in check["profile"]:
        _rendered(panel)
    run = service.start(draft, spec)
    _wait(service, run, lambda s: (s["progress"] or {}).get("step", 0) >= 1)
    service.stop(run)
    stopped = _wait(service, run, lambda s: s["state"] in {"cancelled", "completed"})
    assert stopped["state"] == "cancelled", "it was completed before it could be stopped: it needs more steps"
    assert (service.settings.runs / run / "model").is_dir(), "the weights of a stopped training are kept"
    service.resume(run)
    ended = _wait(service, run, lambda s: s["state"] == "completed")
    assert ended["attempt"] == 2 and ended["report"]
    for panel in ended["report"]:
        _rendered(panel)
    return run, ended


@each_task
def test_the_same_run_through_yaml_command_line_and_python(task: Task, service: Service) -> None:
    changed = {"epochs": 2, "num_trials": 2, "seed": 7}
    spec = _spec(task, **changed)
    wanted = resolve(spec).complete()
    from_yaml, _ = service.parse_yaml(service.yaml(spec))
    assert resolve(from_yaml).complete() == wanted

    words = shlex.split(service.command(spec).replace("\\\n", " "))  # the lines are continued
    given = vars(task_parser(task, "x", train=True).parse_args(words[2:]))
    assert given.pop("train") and words[:2] == ["autotrain-gradio", task.name]
    assert resolve(spec_from_options(task, given)).complete() == wanted

    calls: list[dict[str, Any]] = []
    namespace: dict[str, Any] = {"print": lambda *words: None}
    code = service.python(spec).replace("import autotrain_gradio as at", "")

    class At:
        @staticmethod
        def train(name: str, **settings: Any) -> Any:
            calls.append(spec_from_options(registry().get(name), settings))
            return type("R", (), {"metrics": {}})

    exec(code, {**namespace, "at": At})
    assert resolve(calls[0]).complete() == wanted


def _rendered(panel: Mapping[str, Any]) -> None:
    html, text = render_html(dict(panel)), render_text(dict(panel))
    assert "<section" in html and text.strip(), panel
    assert "cannot be shown" not in html and "cannot be shown" not in text, panel


def _run_card(task: Task, model: Path, value: Any) -> Any:
    """Run the first code block of the model card for another path and input; return its answer.

    The code must be that of the docs, apart from the assignments of both and the last line, which prints the answer.
    """
    card = (model / "README.md").read_text(encoding="utf-8")
    code = ast.parse(card.partition("```python\n")[2].partition("```")[0])
    shown = (ROOT / "docs" / "tasks" / f"{task.name}.md").read_text(encoding="utf-8")
    documented = ast.parse(shown.partition("## Use a trained model")[2].partition("```python\n")[2].partition("```")[0])
    given = {n.targets[0].id: n for n in code.body if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)}
    given = {name: node for name, node in given.items() if name in {"model", "value"}}
    assert set(given) == {"model", "value"} and ast.literal_eval(given["model"].value) == "./contract"
    kept = [node for node in code.body if node not in given.values()]
    assert [ast.unparse(n) for n in kept] == [*map(ast.unparse, documented.body), "print(answer)"]
    for name, used in (("model", str(model)), ("value", value)):
        given[name].value = ast.parse(repr(used), mode="eval").body
    namespace: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(ast.fix_missing_locations(code), "README.md", "exec"), namespace)
    assert printed.getvalue().strip() == str(namespace["answer"]).strip()
    return namespace["answer"]


def _close(answer: Any) -> Any:
    """An answer that equals another one whose numbers differ by rounding only."""
    if isinstance(answer, Mapping):
        return {name: _close(value) for name, value in answer.items()}
    if isinstance(answer, list) and all(isinstance(value, float) for value in answer):
        return pytest.approx(answer, rel=1e-4, abs=1e-5)
    if isinstance(answer, list):
        return [_close(item) for item in answer]
    return pytest.approx(answer, rel=1e-4) if isinstance(answer, float) else answer


def _validation(task: Task, directory: Path) -> tuple[list[dict[str, Any]], list[Any]]:
    """Return inputs made of the run's validation rows, and their targets as a prediction names them."""
    rows = data.load(directory)["validation"]
    columns = {c.role: c for c in task.columns}
    target = next((n for n in rows.features if n.partition(":")[0] in columns and _is_target(columns, n)), None)
    features = [n for n in rows.features if ":" in n and not _is_target(columns, n)]
    inputs: list[dict[str, Any]] = []
    for row in rows:
        if task.inputs[0].kind == "form":
            inputs.append({task.inputs[0].name: {n.partition(":")[2]: _cell(row[n]) for n in features}})
        else:
            cells = {i.name: row[i.name] for i in task.inputs if row.get(i.name) is not None}
            inputs.append({n: c["path"] if isinstance(c, Mapping) else c for n, c in cells.items()})
    if target is None:  # a language model, which learns from its inputs
        return inputs, []
    feature = rows.features[target]
    return inputs, [feature.int2str(v) if hasattr(feature, "int2str") else v for v in rows[target]]


def _is_target(columns: Mapping[str, Any], name: str) -> bool:
    column = columns.get(name.partition(":")[0])
    return column is not None and column.purpose == "target"


def _cell(value: Any) -> Any:
    """A cell as a form sends it."""
    return value if value is None or isinstance(value, (str, int, float)) else value.isoformat()


def _headline(task: Task) -> Any:
    """Return the module `headlines/<metric>.py` of the task's headline metric.

    It has `measure(answers, targets)`, the metric computed anew of a trained model's answers, or `measure_run(rows,
    answers_of)`, of the rows of all splits and the function that answers values, or `measure_model(rows, folder)`, of
    the rows and the folder of the trained model; `trivial(check)`, its value for a
    trivial answer; and `MARGIN`, by how much a training on the sample must be better.
    """
    path = HEADLINES / f"{task.headline}.py"
    assert path.is_file(), f"There is no {path}: add it."
    spec = importlib.util.spec_from_file_location(f"headline_{task.headline}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.long
@pytest.mark.timeout(1800)
@each_predicting
def test_training_on_the_sample_beats_a_trivial_baseline(task: Task, service: Service) -> None:
    spec = _spec(task, num_trials=10)
    draft = service.draft(task.name)
    check = service.check(draft, spec)
    run = service.start(draft, spec)
    ended = _wait(service, run, lambda s: s["state"] == "completed", 900)
    headline = _headline(task)
    value, trivial = ended["metrics"][f"eval_{task.headline}"], headline.trivial(check)
    better = value - trivial if task.metric(task.headline).higher_is_better else trivial - value  # type: ignore[union-attr]
    assert better >= headline.MARGIN, f"{task.headline} is {value:.3f}; a trivial answer has {trivial:.3f}"
