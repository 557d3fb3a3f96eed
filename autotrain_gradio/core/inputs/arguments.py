"""From arguments of the command line or of Python to a task's inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.inputs.declarations import KINDS, ROWS_OF, FileOfRows, Input, is_alternative, only_required
from autotrain_gradio.core.inputs.files import existing_file

Row = dict[str, Any]
"""Name of an input → its value; or `{"rows_of": path}`."""


def parse_value(inputs: Sequence[Input], value: Any) -> Row:
    """Return a task's input for one argument of Python: the value of its only required input, or a mapping of inputs.

    Raises:
        UserError: an input is missing or cannot be used.
    """
    chosen = _alternative(inputs, value)
    if chosen is not None:
        return {chosen.name: KINDS.get(chosen.kind).load().parse(value, chosen)}
    joint = [i for i in inputs if not is_alternative(i)]
    if isinstance(value, Mapping):
        return _named(joint, value, literal=True)
    if len(joint) != 1 and (file := _file_of_rows(joint, value)):
        return {ROWS_OF: file}
    declared = joint[0] if len(joint) == 1 else only_required(joint)
    if declared is None:
        raise UserError(
            f"This model has several inputs: {', '.join(i.name for i in inputs)}.",
            "Give all of them by name.",
            code="missing-input",
        )
    return _row(declared, KINDS.get(declared.kind).load().parse(value, declared))


def parse_arguments(inputs: Sequence[Input], arguments: Sequence[str]) -> list[tuple[str, Row]]:
    """Return pairs (argument, a task's input) for the arguments of a command.

    For a model with several inputs, the arguments are NAME=VALUE and form one input, or they are files of rows. Where
    only one input is required, each argument without a name is a value of it, to which the named ones belong.

    Raises:
        UserError: an input is missing or cannot be used.
    """
    joint = [i for i in inputs if not is_alternative(i)]
    required = only_required(joint)
    if len(joint) > 1 and required and (bare := [a for a in arguments if not _is_pair(joint, a)]):
        named = [a for a in arguments if a not in bare]
        return _with_named(joint, required, bare, named)
    if len(joint) > 1 and not all(_file_of_rows(joint, a) for a in arguments):
        return [(" ".join(arguments), _named(joint, _pairs(joint, arguments), literal=False))]
    found: list[tuple[str, Row]] = []
    gathered: dict[str, list[tuple[str, Any]]] = {}
    for argument in arguments:
        chosen = _alternative(inputs, argument)
        module: Any = KINDS.get(chosen.kind).load() if chosen else None
        if chosen is not None and hasattr(module, "combine"):
            gathered.setdefault(chosen.name, []).append((argument, module.parse(argument, chosen)))
        else:
            found.append((argument, parse_value(inputs, argument)))
    for declared in inputs:
        if parts := gathered.get(declared.name):
            value = KINDS.get(declared.kind).load().combine([v for _, v in parts])
            found.insert(0, (" ".join(a for a, _ in parts), {declared.name: value}))
    return found


def _is_pair(inputs: Sequence[Input], argument: str) -> bool:
    """Return whether an argument is NAME=VALUE, also with a misspelt name, and not the name of a file."""
    name, equals, _ = argument.partition("=")
    known = name in [i.name for i in inputs]
    return bool(equals) and (known or (name.isidentifier() and existing_file(argument) is None))


def _with_named(
    inputs: Sequence[Input], required: Input, values: Sequence[str], named: Sequence[str]
) -> list[tuple[str, Row]]:
    """Return a task's input for each value of its only required input, with the values of the others.

    Raises:
        UserError: an argument cannot be used, or the required input is given by name too.
    """
    pairs = _pairs(inputs, named)
    if required.name in pairs:
        message = f"The input '{required.name}' is given twice: '{pairs[required.name]}' and '{values[0]}'."
        raise UserError(message, "Give it once.", required.name, "usage")
    parsed = [(v, parse_value([required], v)) for v in values]
    others = _named([i for i in inputs if i is not required], pairs, literal=False)
    if others and any(ROWS_OF in row for _, row in parsed):
        message = f"'{values[0]}' is a file of rows, and {', '.join(others)} cannot be given for all of them."
        raise UserError(message, "Give the file alone.", required.name, "usage")
    return [(value, {**row, **others}) for value, row in parsed]


def parse_literals(inputs: Sequence[Input], arguments: Sequence[str]) -> list[tuple[str, Row]]:
    """Return pairs (argument, a task's input) for arguments that are never interpreted as file names.

    Raises:
        UserError: the task's only input has no literal form.
    """
    declared = only_required(inputs)
    module: Any = KINDS.get(declared.kind).load() if declared else None
    if declared is None or not hasattr(module, "literal"):
        raise UserError("This model takes no text as its only input.", "Remove --text.", code="usage")
    return [(a, {declared.name: module.literal(a, declared)}) for a in arguments]


def parse_named(inputs: Sequence[Input], arguments: Sequence[str]) -> Row:
    """Return input name → value for the arguments NAME=VALUE; a single input can be given without its name.

    Texts are never interpreted as file names.

    Raises:
        UserError: an input is missing, unknown or cannot be used.
    """
    if len(inputs) == 1 and len(arguments) == 1 and not arguments[0].startswith(f"{inputs[0].name}="):
        return _named(inputs, {inputs[0].name: arguments[0]}, literal=True)
    return _named(inputs, _pairs(inputs, arguments), literal=True)


def _alternative(inputs: Sequence[Input], argument: Any) -> Input | None:
    """Return the alternative input that an argument is meant for."""
    return next((i for i in inputs if is_alternative(i) and KINDS.get(i.kind).load().accepts(argument)), None)


def _file_of_rows(inputs: Sequence[Input], argument: Any) -> str | None:
    """Return the path of the file that an argument names, if all inputs can be parsed from the cells of a file."""
    able = all(getattr(KINDS.get(i.kind).load(), "ROWS_FROM_FILE", False) for i in inputs if not i.setting)
    path = existing_file(str(argument)) if able else None
    return str(path) if path else None


def _named(inputs: Sequence[Input], values: Mapping[str, Any], *, literal: bool) -> Row:
    """Return a task's input whose values are given by name. literal: a text never names a file."""
    row = {}
    for declared in inputs:
        if values.get(declared.name) is None:
            if declared.optional:
                continue
            raise UserError(
                f"The input '{declared.name}' is missing.", "Give it by name.", declared.name, "missing-input"
            )
        module = KINDS.get(declared.kind).load()
        parse = getattr(module, "literal", module.parse) if literal else module.parse
        value = parse(values[declared.name], declared)
        if isinstance(value, FileOfRows):
            raise UserError(
                f"'{value.path.name}' is a file of rows, given for one of several inputs.",
                "Give the file alone; its columns are found by the names of the inputs.",
                declared.name,
                "missing-input",
            )
        row[declared.name] = value
    return row


def _row(declared: Input, value: Any) -> Row:
    return {ROWS_OF: str(value.path)} if isinstance(value, FileOfRows) else {declared.name: value}


def _pairs(inputs: Sequence[Input], arguments: Sequence[str]) -> dict[str, str]:
    names = [i.name for i in inputs]
    pairs = dict(a.split("=", 1) for a in arguments if "=" in a)
    unknown = [a for a in arguments if a.split("=", 1)[0] not in names]
    if unknown:
        wanted = " ".join(f"{n}=…" for n in names)
        hint = f"Write {wanted}." if names else "Remove it: no inputs are expected."
        raise UserError(f"'{unknown[0]}' is not an input.", hint, code="missing-input")
    return pairs
