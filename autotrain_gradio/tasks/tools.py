"""Tools of the command line that need the libraries of a worker, but no run: `autotrain-gradio tools NAME`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from autotrain_gradio.core.registry import NamedRegistry


@dataclass(frozen=True)
class Tool:
    """A call of a worker that belongs to no run.

    module: dotted path of a module that only workers import. It has `run(call: ToolCall) -> Any`, which returns JSON
        data.
    """

    name: str
    module: str
    help: str


@dataclass(frozen=True)
class ToolCall:
    """One call of a tool. arguments: JSON data, with absolute paths. progress: callback (message, fraction)."""

    arguments: Mapping[str, Any]
    progress: Callable[[str, float], None]


TOOLS = NamedRegistry[Tool](
    "tool",
    (
        Tool(
            "merge-llm-adapter",
            "autotrain_gradio.worker.tools.merge_llm_adapter",
            "Merge a LoRA adapter of a language model into its base model, and save or upload the result.",
        ),
        Tool(
            "convert-to-kohya",
            "autotrain_gradio.worker.tools.convert_to_kohya",
            "Convert LoRA weights of diffusers or PEFT to kohya's naming, which other image generators load.",
        ),
    ),
)
