"""Verbs: calls to a worker process about a draft or a run."""

from __future__ import annotations

from dataclasses import dataclass

from autotrain_gradio.core.inputs import Input
from autotrain_gradio.core.registry import NamedRegistry

_WORKER = "autotrain_gradio.worker.verbs"


@dataclass(frozen=True)
class Verb:
    """A call that a worker process answers.

    module: dotted path of a module that only workers import. It has `run(call: VerbCall) -> Any`, which returns JSON
        data; where the verb streams, it is a generator of items of JSON data. A module with
        `load(call: VerbCall) -> ModuleType`, which imports what `run` needs, can be prefetched by a warm worker; a
        function `load_ahead()` of the returned module is called after that, in the background.
    streams: it yields items; the caller gets them one by one and can cancel.
    inputs: its arguments, by name in the context: widgets on the page, arguments of `autotrain-gradio call`. Arguments
        that are not declared can be given in Python and as JSON only.
    title, help: heading on the page, default: the name; description of its purpose and arguments.
    button: label of the button that calls it; default: the title.
    try_it: the page offers it to try the model, in place of the inputs of the task's predictions.
    grace_seconds: time to clean up when the worker must end: the call is cancelled and does not end by itself, exceeds
        its limits, or the caller exits. SIGTERM raises SystemExit in `run`. 0: the worker is killed.
    internal: only the app itself calls it.
    """

    name: str
    module: str
    streams: bool = False
    inputs: tuple[Input, ...] = ()
    title: str = ""
    help: str = ""
    button: str = ""
    try_it: bool = False
    grace_seconds: float = 0.0
    internal: bool = False

    @property
    def label(self) -> str:
        """The heading of the verb on the page, and the default label of its button."""
        return self.title or self.name.replace("-", " ").capitalize()


VERBS = NamedRegistry[Verb](
    "verb",
    (
        Verb("check", f"{_WORKER}.check", internal=True),
        # A source may have to log out of a server.
        Verb("browse", f"{_WORKER}.browse", grace_seconds=8.0, internal=True),
        Verb("preview", f"{_WORKER}.preview", internal=True),
        Verb("probe", f"{_WORKER}.probe", internal=True),
        Verb("predict", f"{_WORKER}.predict", internal=True),
        Verb("verify", f"{_WORKER}.verify", internal=True),
        Verb("publish", f"{_WORKER}.publish", internal=True),
    ),
)
"""The verbs of every task; extensions add theirs, a task has its own in `Task.verbs`."""
