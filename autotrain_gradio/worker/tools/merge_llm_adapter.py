"""The tool `merge-llm-adapter`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autotrain_gradio.runs import publishing
from autotrain_gradio.tasks.tools import ToolCall
from autotrain_gradio.training import adapter_merge


def run(call: ToolCall) -> dict[str, Any]:
    """Merge an adapter; return `{folder, base, dtype, difference, embeddings, address}`.

    address: URL of the uploaded model; empty: it was not uploaded.

    Raises:
        UserError: the adapter cannot be merged, or the result cannot be uploaded: the folder keeps it.
    """
    given = call.arguments
    folder, name = Path(given["folder"]), given["repository"]
    if name:
        owner, _, short = str(name).rpartition("/")
        name = publishing.writable_repository(owner, short, "--repo-id")  # before the work
    done = adapter_merge.merge(
        given["adapter"],
        folder,
        base=given["base"],
        dtype=given["dtype"],
        multiple=given["multiple"],
        progress=call.progress,
    )
    address = ""
    if name:
        call.progress("Uploading the model", 0.9)
        hint = f"The folder {folder} has it: upload it with 'hf upload {name} {folder}'."
        if given["temporary"]:
            hint = "Try again, with --output-folder to keep the merged model."
        address = publishing.upload(folder, name, "Upload the merged model", hint)
    return {**done.to_dict(), "folder": "" if given["temporary"] else str(folder), "address": address}
