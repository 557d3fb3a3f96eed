"""Parameter groups: the sections of parameters in the form, the command line help and the docs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from autotrain_gradio.core.registry import NamedRegistry


@dataclass(frozen=True)
class ParameterGroup:
    """A section of parameters; `param(default, "<name>")` assigns a parameter to it.

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
"""The groups that every task can use; tasks and extensions add others (`tasks.registry`)."""


def sort_groups(groups: Iterable[ParameterGroup]) -> list[ParameterGroup]:
    """Sort the groups so that each one follows its `after` group, otherwise in the given order.

    Raises:
        ValueError: an `after` group does not exist, or there is a cycle.
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
        reason = f"the group '{unknown}' does not exist" if unknown else "`after` has a cycle"
        raise ValueError(f"The parameter groups {[g.name for g in left]} cannot be ordered: {reason}")
    return ordered
