"""The registry of panel kinds.

A kind is a module with
    `html(panel, context) -> str`: the panel's body; everything that comes from the panel is escaped,
    `text(panel, context) -> str`: the same for a terminal,
and usually a function that builds such a panel. It may have
    `summary(panel) -> str`: the panel in one line, for a table of predictions.
"""

from __future__ import annotations

from autotrain_gradio.core.registry import ModuleEntry, NamedRegistry


class PanelKind(ModuleEntry):
    """A kind of panel; its module renders it."""


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
            "comparisons",
            "tokens",
            "markdown",
            "scores",
            "text",
            "download",
        )
    ),
)
"""All kinds by name; tasks and extensions register more."""
