"""The choice of a model: suggested ones, any model id or folder, or a tiny one for a dry run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from autotrain_gradio.core.spec import TINY
from autotrain_gradio.core.text_format import format_value
from autotrain_gradio.tasks.base import SuggestedModel, Task
from autotrain_gradio.ui import messages

OTHER = "other"
"""The choice that shows the field for a model id or folder."""

TOKEN_MAY_HELP = {"model-gated", "model-not-found"}
"""Codes of errors of a model that its owner has restricted, or keeps private."""
LABELS = {"parameters": "Parameters", "input_size": "Input size", "labels": "Labels", "task": "Architecture"}


@dataclass(frozen=True)
class Availability:
    """Which models this machine can load now.

    gpu: there is one. reachable: the Hub answers. downloaded: whether a model of the Hub is in the cache.
    """

    gpu: bool = True
    reachable: bool = True
    downloaded: Callable[[str], bool] = lambda model: False

    def loadable(self, model: SuggestedModel) -> bool:
        """Whether the model can be downloaded, or is already."""
        return self.reachable or self.downloaded(model.id)


def choices(task: Task, *, folders: bool, available: Availability | None = None) -> list[tuple[str, str]]:
    """Return the choices of the radio buttons, as (label, value); the first one is selected first.

    Models that cannot be downloaded come last, after those that need a GPU where there is none.

    folders: a model may be a folder of this machine.
    """
    available = available or Availability()
    ordered = sorted(task.models, key=lambda m: m.gpu and not available.gpu)
    if task.listed:
        labels = [(f"{_title(m)} — {m.when} {_size(m.millions)}".rstrip(), m.id) for m in ordered]
        return [*labels, ("Several models — Enter their names, separated by commas.", OTHER)]
    loadable = [(_label(m, available), m.id) for m in ordered if available.loadable(m)]
    unreachable = [(_label(m, available), m.id) for m in ordered if not available.loadable(m)]
    tiny = "Tiny, from scratch (dry run) — A small untrained network, to test the whole process in a minute."
    from_scratch = [(tiny, TINY)] if "tiny_model" in task.can else []
    place = f"Any model of the Hugging Face Hub{', or a local folder' if folders else ''}."
    return [*loadable, *from_scratch, *unreachable, (f"Another model — {place}", OTHER)]


def first(task: Task, available: Availability) -> str:
    """Return the model that the page preselects: the first that can be loaded, without a GPU one that needs none."""
    if task.listed or available.reachable:
        return task.first_model(gpu=available.gpu)
    offered = choices(task, folders=False, available=available)[0][1]
    return offered if offered != OTHER else task.first_model(gpu=available.gpu)


def _label(model: SuggestedModel, available: Availability) -> str:
    """Return the label of a model: when to use it, its size, and whether it has to be downloaded."""
    state = "Downloaded." if available.downloaded(model.id) else ""
    if not available.loadable(model):
        state = "Not downloaded."
    return " ".join(part for part in (f"{_title(model)} — {model.when}", _size(model.millions), state) if part)


def split(task: Task, model: str) -> tuple[str, str]:
    """Return the choice and the text of the field for a spec's model."""
    model = model or task.default_model
    known = {m.id for m in task.models} | ({TINY} if "tiny_model" in task.can else set())
    return (model, "") if model in known else (OTHER, model)


def join(choice: str | None, other: str | None) -> str:
    """Return the spec's model for the choice and the text of the field."""
    return (other or "").strip() if choice == OTHER else choice or ""


def facts(model: str, probe: Mapping[str, Any]) -> str:
    """Render the facts about a model. probe: see `Service.probe`."""
    named = {LABELS[k]: _value(v) for k, v in probe.items() if k in LABELS and v not in (None, "", [], {})}
    rows = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in named.items())
    found = list(probe.get("findings") or [])
    head = f"<p class='at-model-name'>{'✓ ' if named and not error_codes(probe) else ''}{escape(_shown(model))}</p>"
    facts_list = f"<dl class='at-numbers at-small'>{rows}</dl>" if rows else ""
    return f"<div class='at-probe'>{head}{facts_list}{messages.findings(found)}</div>"


def error_codes(probe: Mapping[str, Any]) -> set[str]:
    """Return the codes of the errors that a probe has found: the model cannot be trained."""
    return {finding["code"] for finding in probe.get("findings") or [] if finding["level"] == "error"}


def _shown(model: str) -> str:
    return "Tiny, from scratch" if model == TINY else model


def other_label(task: Task, *, folders: bool) -> str:
    """Return the label of the field for a model id."""
    if task.listed:
        return "Model names"
    return "Model id or folder" if folders else "Model id"


def other_example(task: Task) -> str:
    """Return the placeholder of the field for a model id."""
    return ", ".join(m.id for m in task.models[1:3]) if task.listed else "user/model"


def _title(model: SuggestedModel) -> str:
    """Return the title of a model with its id, or its id."""
    return f"{model.title} ({model.id})" if model.title else model.id


def _size(millions: float) -> str:
    if not millions:
        return ""
    return f"{millions:,.0f} M parameters." if millions >= 10 else f"{millions:.1f} M parameters."


def _value(value: Any) -> str:
    if isinstance(value, int) and value >= 1_000_000:
        return f"{value / 1e6:,.1f} M"
    if isinstance(value, list | tuple):
        if all(isinstance(v, int) for v in value) and len(value) <= 3:
            return " × ".join(str(v) for v in value)
        return f"{len(value):,}"
    if isinstance(value, Mapping):
        return ", ".join(f"{format_value(v)} {k}" for k, v in value.items())
    return format_value(value)
