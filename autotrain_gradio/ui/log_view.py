"""The log of a run, as it grows: only what is new travels, and a reader's place is kept."""

from __future__ import annotations

from typing import Any

import gradio as gr

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.service import Service

TEMPLATE = """<pre class="at-log" role="log" tabindex="0" aria-label="Log of the training" data-run="${value}"></pre>"""

SCRIPT = """
const LIMIT = 400000;
let run = null, offset = 0, busy = false;
const poll = async () => {
  const pre = element.querySelector('pre');
  if (!pre || busy || document.hidden || pre.offsetParent === null) return;
  const wanted = props.value || '';
  if (wanted !== run) { run = wanted; offset = null; pre.textContent = ''; }
  if (!run) return;
  busy = true;
  try {
    const part = await server.tail({run: run, offset: offset});
    if (!part || props.value !== run) return;
    if (offset !== null && part.size < offset) { offset = null; pre.textContent = ''; return; }
    offset = part.offset;
    if (part.text) {
      const atEnd = pre.scrollHeight - pre.scrollTop - pre.clientHeight < 40;
      pre.append(document.createTextNode(part.text));
      while (pre.childNodes.length > 1 && pre.textContent.length > LIMIT) pre.firstChild.remove();
      if (atEnd) pre.scrollTop = pre.scrollHeight;
    } else if (!pre.childNodes.length) {
      pre.dataset.empty = 'yes';
    }
    if (pre.childNodes.length) delete pre.dataset.empty;
  } catch (error) {
    /* The server is away; the page says so, and the next poll tries again. */
  } finally { busy = false; }
};
const timer = setInterval(() => { if (element.isConnected) poll(); else clearInterval(timer); }, 1000);
poll();
"""
FIRST_BYTES = 100_000
"""How much of a long log is shown at first: its end."""


def create(service: Service, *, elem_id: str) -> Any:
    """Create the log; its value is the id of the run."""

    def tail(asked: Any) -> dict[str, Any] | None:
        """Return what the log has beyond an offset. What is asked comes from a browser: nothing in it is trusted."""
        run, offset = (asked.get("run"), asked.get("offset")) if isinstance(asked, dict) else (None, None)
        if not isinstance(run, str) or not isinstance(offset, int | None):
            return None
        try:
            return service.log(run, -FIRST_BYTES if offset is None else max(0, offset))
        except UserError:
            return None  # the run is gone; the page says so elsewhere

    return gr.HTML("", html_template=TEMPLATE, js_on_load=SCRIPT, server_functions=[tail], elem_id=elem_id)
