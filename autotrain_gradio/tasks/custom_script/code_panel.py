"""Panel: lines of source code or of a program's output, as they are."""

from __future__ import annotations

from html import escape

from autotrain_gradio.core.panels import Panel, RenderContext, new_panel

KIND = "code-lines"


def code_lines(title: str, lines: list[str], *, end: bool = False, note: str = "", id: str = "") -> Panel:
    """Return lines in a monospaced font. They are escaped, never rendered. end: show their end first."""
    return new_panel(KIND, title, id=id, note=note, lines=list(lines), end=end)


def html(panel: Panel, context: RenderContext) -> str:
    """Return the lines in a box that scrolls."""
    text = escape("\n".join(str(line) for line in panel["lines"]))
    # In a reversed column a box is scrolled to its end.
    end = ";display:flex;flex-direction:column-reverse" if panel.get("end") else ""
    content = f"<span style='color:inherit'>{text}</span>"  # Gradio colours what is inside of prose
    return f"<pre class='at-log' style='height:auto;max-height:20rem{end}' tabindex='0'>{content}</pre>"


def text(panel: Panel, context: RenderContext) -> str:
    """Return the lines, indented."""
    return "\n".join(f"  {line}" for line in panel["lines"])
