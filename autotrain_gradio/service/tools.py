"""Run a tool (`tasks.tools`) in a worker process of this machine."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from autotrain_gradio.backends import calls, process
from autotrain_gradio.core import memory
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.text_format import MIB
from autotrain_gradio.tasks.tools import TOOLS

SECONDS = 24 * 3600.0
"""Time limit: downloading and uploading a large model takes hours."""


def run_tool(
    name: str, arguments: Mapping[str, Any], *, limits: Limits, progress: Callable[[str, float], None] | None = None
) -> Any:
    """Run a tool and return its result, as JSON data. For the user of the machine only, never for a visitor.

    arguments: JSON data; files and folders are absolute paths. limits: those of time and memory are replaced by those
    of the machine: a tool may load a large model.

    Raises:
        NotFound: unknown tool.
        UserError: raised by the tool.
        WorkerError: its worker ran out of memory, or was killed.
    """
    tool = TOOLS.get(name)
    limits = replace(limits, call_seconds=SECONDS, call_mebibytes=memory.total_memory() // MIB)
    with tempfile.TemporaryDirectory(prefix="autotrain-gradio-") as folder:
        context = {"tool": tool.name, "arguments": dict(arguments)}
        env = process.environment({})
        return calls.call(Path(folder), "tool", context, limits=limits, progress=progress, env=env, grace=5.0)
