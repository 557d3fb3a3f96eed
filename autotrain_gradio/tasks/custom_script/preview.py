"""Preview: the command that is run, with its environment variables."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from autotrain_gradio.core import panels
from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.data.files.json_files import read_json
from autotrain_gradio.tasks.custom_script import CustomScriptParams
from autotrain_gradio.tasks.custom_script.code_panel import code_lines
from autotrain_gradio.tasks.custom_script.project import asked_script, find_project
from autotrain_gradio.tasks.custom_script.script_arguments import split_arguments, split_variables

DESCRIBED = {
    "AUTOTRAIN_OUTPUT_DIR": "the folder whose files become the model of the run",
    "AUTOTRAIN_DATA_DIR": "the folder with the script and its files, a copy for this run",
    "AUTOTRAIN_PREVIOUS_OUTPUT": "when the run is resumed: the output of its earlier attempt",
    "AUTOTRAIN_ATTEMPT": "the number of the attempt, from 1",
    "AUTOTRAIN_PROJECT_NAME": "the name of the project",
    "AUTOTRAIN_SEED": "the random seed",
}
"""Variables that the app sets → what they are."""


def preview(draft: Path, spec: RunSpec, params: CustomScriptParams, context: dict[str, Any]) -> list[Panel]:
    """Return the command line and the variables of the script.

    Raises:
        DataError: the data was not checked yet.
    """
    manifest = read_json(draft / "data" / "manifest.json")
    if manifest is None:
        raise DataError("The files were not checked.", "Check them first.", "data", "data-not-prepared")
    paths = list(manifest["files"])
    only = paths[0] if len(paths) == 1 else None
    project = find_project(paths, asked=asked_script(spec.data.options), only=only)
    if project is None:
        hint = "Check the files again."
        raise DataError("The script that was chosen is not among the checked files.", hint, "data", "script-missing")
    rows = [[name, value, "your setting"] for name, value in split_variables(params.env).items()]
    rows += [[name, "(not shown)", "inherited from the app"] for name in params.inherit_env]
    rows += [[name, "", text] for name, text in DESCRIBED.items()]
    return [
        code_lines("Command", [shlex.join(["python", project.script, *split_arguments(params.args)])]),
        panels.table("Environment variables", ["Variable", "Value", "Source or meaning"], rows),
    ]
