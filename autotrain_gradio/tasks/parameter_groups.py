"""Groups of parameters: the sections of the form, of the command line's help and of the docs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from autotrain_gradio.core.registry import NamedRegistry


@dataclass(frozen=True)
class ParameterGroup:
    """A section of parameters; `param(default, "<name>")` puts a parameter into it.

    after: name of the group that it follows; empty: it comes last.
    main: it is always open in the form.
    previewed: its parameters change what the preview shows.
    """

    name: str
    title: str
    after: str = ""
    main: bool = False
    previewed: bool = False


PARAMETER_GROUPS = NamedRegistry[ParameterGroup](
    "parameter group",
    (
        ParameterGroup("basic", "Main settings", main=True),
        ParameterGroup("training", "Optimization"),
        ParameterGroup("augmentation", "Augmentation", previewed=True),
        ParameterGroup("evaluation", "Evaluation and checkpoints"),
        ParameterGroup("adapters", "Adapters (LoRA)"),
        ParameterGroup("hardware", "Speed and memory"),
        ParameterGroup("tracking", "Experiment tracking"),
    ),
)
"""The groups that every task can use; tasks and extensions add theirs (`tasks.registry`)."""


def sort_groups(groups: Iterable[ParameterGroup]) -> list[ParameterGroup]:
    """Return the groups with each one behind the group that it names as `after`, otherwise in the given order.

    Raises:
        ValueError: a group follows one that does not exist, or itself by way of others.
    """
    declared = list(dict.fromkeys(groups))
    ordered: list[ParameterGroup] = []

    def place(after: str) -> None:
        for group in declared:
            if group.after == after:
                ordered.append(group)
                place(group.name)

    place("")
    if left := [g for g in declared if g not in ordered]:
        known = {g.name for g in declared}
        unknown = next((g.after for g in left if g.after not in known), "")
        reason = f"there is no group '{unknown}'" if unknown else "they follow each other in a circle"
        raise ValueError(f"The parameter groups {[g.name for g in left]} cannot be ordered: {reason}")
    return ordered
