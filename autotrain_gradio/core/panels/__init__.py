"""Panels: plain data that the page draws as HTML and the command line as text.

A profile of a dataset, a preview, sample predictions, a report and a prediction are lists of panels. A worker writes
them as JSON; their kind, looked up in `KINDS`, has the module that renders them. A task or an extension can add a kind.
"""

from autotrain_gradio.core.panels.bars import bars
from autotrain_gradio.core.panels.comparisons import comparisons
from autotrain_gradio.core.panels.download import download
from autotrain_gradio.core.panels.gallery import gallery
from autotrain_gradio.core.panels.kinds import KINDS, PanelKind
from autotrain_gradio.core.panels.lines import lines
from autotrain_gradio.core.panels.markdown import markdown
from autotrain_gradio.core.panels.matrix import matrix
from autotrain_gradio.core.panels.numbers import numbers
from autotrain_gradio.core.panels.panel import (
    Panel,
    RenderContext,
    find_panel,
    new_panel,
    panel_id,
    slug,
    unit_for,
)
from autotrain_gradio.core.panels.render import render_all_html, render_html, render_summary, render_text
from autotrain_gradio.core.panels.scatter import scatter
from autotrain_gradio.core.panels.scores import scores
from autotrain_gradio.core.panels.table import table
from autotrain_gradio.core.panels.text import text_block
from autotrain_gradio.core.panels.tokens import tokens
from autotrain_gradio.core.panels.transcripts import transcripts

__all__ = [
    "KINDS",
    "Panel",
    "PanelKind",
    "RenderContext",
    "bars",
    "comparisons",
    "download",
    "find_panel",
    "gallery",
    "lines",
    "markdown",
    "matrix",
    "new_panel",
    "numbers",
    "panel_id",
    "render_all_html",
    "render_html",
    "render_summary",
    "render_text",
    "scatter",
    "scores",
    "slug",
    "table",
    "text_block",
    "tokens",
    "transcripts",
    "unit_for",
]
