"""The registry of panel kinds.

A kind is a module with
    `html(panel, context) -> str`: the panel's body; everything that comes from the panel is escaped,
    `text(panel, context) -> str`: the same for a terminal,
and usually a function that builds such a panel. It may have
    `summary(panel) -> str`: the panel in one line, for a table of predictions.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from autotrain_gradio.core.registry import NamedRegistry


@dataclass(frozen=True)
class PanelKind:
    """A kind of panel. module: dotted path of the module that renders it, imported when it is needed."""

    name: str
    module: str

    def load(self) -> Any:
        """Import the module."""
        return importlib.import_module(self.module)


KINDS: NamedRegistry[PanelKind] = NamedRegistry(
    "panel kind",
    (
        PanelKind(name, f"autotrain_gradio.core.panels.{name}")
        for name in (
            "numbers",
            "bars",
            "lines",
            "scatter",
            "matrix",
            "table",
            "gallery",
            "transcripts",
            "tokens",
            "markdown",
            "scores",
            "text",
            "download",
        )
    ),
)
"""All kinds by name; tasks and extensions register more."""
