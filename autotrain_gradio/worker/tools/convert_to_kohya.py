"""The tool `convert-to-kohya`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autotrain_gradio.tasks.tools import ToolCall
from autotrain_gradio.training import kohya


def run(call: ToolCall) -> dict[str, Any]:
    """Convert a file; return `{file, layers: {component: n}, sdxl, assumed}`."""
    done = kohya.convert(Path(call.arguments["input"]), Path(call.arguments["output"]))
    return {"file": str(done.file), "layers": done.layers, "sdxl": done.sdxl, "assumed": done.assumed}
