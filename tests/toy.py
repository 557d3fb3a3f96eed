"""A task in a package of its own: seconds instead of minutes, and it misbehaves on request.

`install(folder)` writes the package and its entry point, so that the app and its workers find it
when `folder` is on PYTHONPATH.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

DECLARATION = '''
from typing import Literal
from autotrain_gradio.data.catalog import LABEL, PATH, UPLOAD
from autotrain_gradio.data.declarations import Column, Kind, Layout
from autotrain_gradio.tasks.base import Chart, Input, Metric, Params, SuggestedModel, Task, param
from autotrain_gradio.tasks.verbs import Verb

TEXT = Kind("toy-text", "toy text", "toy_task.kind")
LAYOUT = Layout("toy-lines", "Lines of toys", "toy_task.layout", "toys.toy\\n\\nred = ball")

class ToyParams(Params):
    """Parameters of toys."""

    steps: int = param(5, "basic", ge=1)
    """How many steps to play."""
    step_seconds: float = param(0.0, "basic", ge=0)
    """Seconds that a step takes."""
    trouble: Literal["none", "user", "bug", "memory", "disk", "deaf", "grandchild", "kill"] = param("none", "training")
    """What shall go wrong."""

TASK = Task(
    name="toy-sorting", title="Toy sorting", modality="Toys", summary="Sorts toys.", module="toy_task.train",
    params=ToyParams,
    columns=(
        Column("text", "Toy", TEXT, "The toy.", purpose="input", names=("text",)),
        Column("target", "Box", LABEL, "Its box.", purpose="target", names=("target",)),
    ),
    sources=(UPLOAD, PATH), layouts=(LAYOUT,),
    metrics=(Metric("accuracy", "Accuracy", percent=True), Metric("loss", "Loss", higher_is_better=False)),
    headline="accuracy", charts=(Chart("Loss", {"loss": "training"}),), inputs=(Input("text", "A toy", "text"),),
    models=(SuggestedModel("toy/box", "Always.", 0.1),), aliases=("toys",),
    can=frozenset({"predict", "preview", "checkpoints"}),
    verbs=(
        Verb(
            "count", "toy_task.count", streams=True, inputs=(Input("to", "Number of toys", "text"),),
            help="Counts toys.",
        ),
        Verb("double", "toy_task.double", help="Doubles the toys."),
        Verb("tidy", "toy_task.tidy", grace_seconds=20.0),
    ),
)
'''

TRAIN = """
import errno, json, os, signal, subprocess, sys, time
from autotrain_gradio.core import panels
from autotrain_gradio.core.errors import UserError

def train(run):
    p = run.params
    first = 0
    if run.resume_from is not None:
        first = json.loads((run.resume_from / "state.json").read_text())["step"]
        run.note(f"continued at step {first}")
    if p.trouble == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if p.trouble == "grandchild":
        sleeper = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
        child = subprocess.Popen([sys.executable, "-c", sleeper])
        run.note(f"grandchild {child.pid}")
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    run.state("running", "Playing")
    print("playing", flush=True)
    deaf = p.trouble in {"deaf", "grandchild"}
    for step in range(first + 1, p.steps + 1):
        time.sleep(p.step_seconds)
        run.metric(step, step / p.steps, loss=1 / step)
        run.progress(step, p.steps, step / p.steps, 1.0)
        folder = run.checkpoints / f"checkpoint-{step}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "state.json").write_text(json.dumps({"step": step}))
        run.checkpoint(step, folder)
        if step == 2:
            if p.trouble == "user":
                raise UserError("The toy is broken.", "Mend it.", "toy 2", "broken")
            if p.trouble == "bug":
                raise ZeroDivisionError("a toy divided by nothing")
            if p.trouble == "memory":
                raise MemoryError
            if p.trouble == "disk":
                raise OSError(errno.ENOSPC, "No space left on device", "checkpoint-2")
            if p.trouble == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
        if not deaf and run.stop_requested():
            break
    run.metric(step, step / p.steps, eval_accuracy=0.75)
    run.model.mkdir(exist_ok=True)
    (run.model / "box.txt").write_text("red")
    run.report([panels.numbers("Result", {"steps": step})])

def preview(draft, spec, params, context):
    return [panels.table("Toys as they are played", ["toy"], [["ball"]])]

class load:
    def __init__(self, directory):
        self.box = (directory / "model" / "box.txt").read_text()
    def __call__(self, inputs):
        if any(i.get("text") == "crash" for i in inputs):
            os._exit(3)
        if any("text" not in i for i in inputs):
            raise UserError("There is no toy.", "Name one.", code="no-toy")
        return [{"label": self.box, "scores": {self.box: 1.0}, "pid": os.getpid()} for _ in inputs]
"""

COUNT = """
import os, time
from autotrain_gradio.core.errors import UserError

def run(call):
    number, box = 0, call.predictor().box
    try:
        for number in range(int(call.context["to"])):
            if number == call.context.get("fail"):
                raise UserError("There are no more toys.", code="no-more")
            yield {"number": number, "box": box, "pid": os.getpid()}
            time.sleep(call.context.get("seconds", 0.1))
    finally:
        (call.directory / "counted").write_text(str(number))
"""

DOUBLE = """
def run(call):
    call.progress("Doubling", 0.5)
    return {"toys": 2 * call.context.get("toys", 1), "task": call.task.name, "steps": call.params.steps}
"""

TIDY = """
import time

def run(call):
    try:
        call.found(dict(call.context))
        time.sleep(call.context["seconds"])
    finally:
        time.sleep(0.3)
        (call.directory / "tidied").write_text("yes")
    return {"task": call.task.name, "arguments": dict(call.context)}
"""

METADATA = {
    "METADATA": "Metadata-Version: 2.1\nName: toy-task\nVersion: 0.1\n",
    "entry_points.txt": "[autotrain_gradio.tasks]\ntoy = toy_task:TASK\n",
}


def install(folder: Path) -> Path:
    """Write the package below `folder` and return the folder, for PYTHONPATH."""
    package = folder / "toy_task"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('"""Toys."""\n' + textwrap.dedent(DECLARATION))
    (package / "train.py").write_text(TRAIN)
    (package / "count.py").write_text(COUNT)
    (package / "double.py").write_text(DOUBLE)
    (package / "tidy.py").write_text(TIDY)
    information = folder / "toy_task-0.1.dist-info"
    information.mkdir()
    for name, text in METADATA.items():
        (information / name).write_text(text)
    return folder
