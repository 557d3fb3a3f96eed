"""What a task declares of its model's inputs, and the registry of input kinds.

An input kind is a module with
    `widget(declared, elem_id, context) -> Widget`: the components of the page; it imports gradio itself,
    `parse(argument, declared) -> value`: the value of an argument of the command line or of Python,
and, where they apply,
    `ALTERNATIVE = True`: the input is given instead of the task's other inputs (a row, or a table of rows); then
        `accepts(argument) -> bool`: whether an argument is meant for it,
    `combine(values) -> value`: merges several arguments into one value (the cells of a row),
    `FILE = True`: a value is the path of a file; of a visitor, it must be an upload,
    `from_python(value, folder) -> value`: writes an object of Python, such as an image, into a file of the folder and
        returns its path; other values are returned as they are,
    `literal(argument, declared) -> value`: the value of an argument that is never interpreted as a file name,
    `SHOWS_RESULT = True`: the widget shows the result of a streaming verb itself (`Widget.display`), such as a chat,
    `ROWS_FROM_FILE = True`: `parse` may return a `FileOfRows`; the worker reads the column that has the input's name as
        its role, and parses the cells as the training did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autotrain_gradio.core.registry import ModuleEntry, NamedRegistry

ROWS_OF = "rows_of"
"""Key of an input that means all rows of a file: `{"rows_of": path}`."""


@dataclass(frozen=True)
class Input:
    """An input of a task's model. name: its key in the predictor's inputs. kind: the name of an input kind.

    optional: it may be left out; the predictor has a default.
    setting: a setting of the prediction, such as a threshold: optional, given by name on the command line and in
        Python; the page has no widget for it.
    """

    name: str
    title: str
    kind: str
    optional: bool = False
    setting: bool = False

    def __post_init__(self) -> None:
        if self.setting:
            object.__setattr__(self, "optional", True)


@dataclass(frozen=True)
class FileOfRows:
    """A file with one input in each row, given in place of a single value."""

    path: Path


@dataclass(frozen=True)
class WidgetContext:
    """Access of a widget to the run.

    model_json: name of a JSON file beside the model → its content; raises UserError if there is none.
    pretrained: whether the run has fine-tuned a pretrained model, to which its own can be compared.
    """

    model_json: Callable[[str], Mapping[str, Any]]
    pretrained: bool = True


@dataclass
class ResultDisplay:
    """How a widget shows the result of a streaming verb itself.

    components: those that it sets. show: the items that have arrived, and whether the call is running → their values.
    status, actions: containers for the page's messages, and for its buttons that call the verb and cancel it.
    """

    components: list[Any]
    show: Callable[[Sequence[Any], bool], Sequence[Any]]
    status: Any
    actions: Any


@dataclass
class Widget:
    """The components of an input on the page.

    components: their values are sent together. value: those values → the value of the input; None: nothing was given.
    events: event listeners (`image.upload`) that run the model without the button. cancels: those that cancel the call.
    display: shows the result, if the kind has `SHOWS_RESULT`.
    """

    components: list[Any]
    value: Callable[..., Any] = lambda value: value
    events: list[Any] = field(default_factory=list)
    cancels: list[Any] = field(default_factory=list)
    display: ResultDisplay | None = None


class InputKind(ModuleEntry):
    """A kind of input; its module has the widget and the parser."""


KINDS: NamedRegistry[InputKind] = NamedRegistry(
    "input kind",
    (
        InputKind(name, f"autotrain_gradio.core.inputs.{name}")
        for name in ("image", "audio", "text", "file", "number", "form", "table", "chat")
    ),
)
"""All kinds by name; tasks and extensions register more."""


def is_text(declared: Input) -> bool:
    """Return whether the value of an input is a text as it is, and never the path of a file."""
    module = KINDS.get(declared.kind).load()
    return hasattr(module, "literal") and not getattr(module, "FILE", False)


def shows_result(declared: Input) -> bool:
    """Return whether the widget of an input shows the result of a streaming verb itself."""
    return bool(getattr(KINDS.get(declared.kind).load(), "SHOWS_RESULT", False))


def is_alternative(declared: Input) -> bool:
    """Return whether an input is given instead of the task's other inputs."""
    return bool(getattr(KINDS.get(declared.kind).load(), "ALTERNATIVE", False))


def only_required(inputs: Sequence[Input]) -> Input | None:
    """Return the only input that must be given, whose name can be omitted; None: there are several, or none."""
    found = [item for item in inputs if not item.optional and not is_alternative(item)]
    return found[0] if len(found) == 1 else None
