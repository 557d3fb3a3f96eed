"""Run a tool in this process: a call that belongs to no run."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from autotrain_gradio.tasks.tools import TOOLS, ToolCall


def run_tool(context: Mapping[str, Any], progress: Callable[[str, float], None]) -> Any:
    """Run a tool and return its result, as JSON data. context: `tool` and `arguments`.

    Raises:
        UserError: the tool is unknown, or has failed for a reason that the user can correct.
    """
    tool = TOOLS.get(context["tool"])
    return importlib.import_module(tool.module).run(ToolCall(context["arguments"], progress))
