"""The log of a run: new text is appended as it is written."""

from __future__ import annotations

from typing import Any

import gradio as gr

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.service import Service
from autotrain_gradio.ui import theme

TEMPLATE = """<pre class="at-log" role="log" tabindex="0" aria-label="Training log" data-run="${value}"></pre>"""
INITIAL_BYTES = 100_000
"""Number of bytes of a long log that are shown at first, from its end."""


def create_log(service: Service, *, elem_id: str) -> gr.HTML:
    """Create the component; its value is the id of the run."""

    def tail(request: Any) -> dict[str, Any] | None:
        """Return the log from an offset on. The request comes from a browser and is not trusted."""
        run, offset = (request.get("run"), request.get("offset")) if isinstance(request, dict) else (None, None)
        if not isinstance(run, str) or not isinstance(offset, int | None):
            return None
        try:
            return service.log(run, -INITIAL_BYTES if offset is None else max(0, offset))
        except UserError:
            return None  # the run was deleted; `LiveStatus` shows the error

    return gr.HTML(
        "", html_template=TEMPLATE, js_on_load=theme.script("run_log"), server_functions=[tail], elem_id=elem_id
    )
