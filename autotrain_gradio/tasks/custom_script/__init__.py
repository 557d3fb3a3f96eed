"""Custom script: a program of the user, with its own packages, as a training run."""

from __future__ import annotations

from typing import Any

from pydantic import field_validator

from autotrain_gradio.core.panels import PanelKind
from autotrain_gradio.data.catalog import HUB, PATH, SAMPLE, UPLOAD
from autotrain_gradio.data.declarations import Column, Kind, Layout, SourceOption
from autotrain_gradio.tasks.base import Params, Sample, Task, param
from autotrain_gradio.tasks.custom_script import script_arguments
from autotrain_gradio.tasks.custom_script.metric_charts import charts_of
from autotrain_gradio.tasks.parameter_groups import ParameterGroup

_FOLDER = "autotrain_gradio.tasks.custom_script."
PROJECT_FILE = Kind("project-file", "file", _FOLDER + "project_kind")
PROJECT = Layout(
    "script-project",
    "A folder with a script",
    _FOLDER + "project_layout",
    """\
my-project.zip
├── script.py            (run as: python script.py ARGUMENTS)
├── requirements.txt     (optional: its packages, one a line)
└── data/points.csv      (any other files)

# script.py reports metrics as lines of JSON, and saves files in output/
print(json.dumps({"step": 1, "loss": 0.52, "val_loss": 0.61}))
torch.save(model.state_dict(), "output/model.pt")""",
    options=(SourceOption("script", "the Python file to run, as a path in the folder (default: script.py)."),),
    whole=True,
)


class CustomScriptParams(Params):
    """Parameters of a custom script."""

    args: str = param("", "basic", title="Arguments")
    """Arguments of the script, as in a shell: `--epochs 5 --name "two words"`. On this app's command line, write
    `--args="--epochs 5"`. AutoTrain's mappings `{epochs: 5}` and texts `epochs=5;verbose` are accepted too."""
    env: str = param("", "basic", title="Environment variables")
    """Environment variables of the script, as in a shell: `LEVEL=3 NAME="two words"`. They are stored with the run, so
    name secrets in `inherit_env` instead."""
    metric: str = param("", "basic", title="Main metric")
    """Name of the metric whose last value is shown as the result of the run. Empty: none."""
    app_packages: bool = param(False, "environment", title="Use the packages of this app")
    """Let the script also import the packages that are installed with this app, such as torch and transformers.
    Packages of its requirements.txt take precedence."""
    inherit_env: list[str] = param([], "environment", title="Variables to inherit")
    """Names of environment variables of the app that the script gets, such as HF_TOKEN or WANDB_API_KEY. Their values
    are not stored, and are masked in the log. Other variables are not passed on, except for those of the system (PATH,
    HOME, locale, proxies, GPUs)."""
    seed: int = param(42, "environment", title="Random seed", ge=0)
    """Random seed, which the script gets as the environment variable AUTOTRAIN_SEED."""

    @field_validator("args", mode="before")
    @classmethod
    def _args(cls, value: Any) -> Any:
        return script_arguments.normalize_arguments(value)

    @field_validator("env", mode="before")
    @classmethod
    def _env(cls, value: Any) -> Any:
        return script_arguments.normalize_variables(value)

    @field_validator("inherit_env")
    @classmethod
    def _inherit_env(cls, value: list[str]) -> list[str]:
        return script_arguments.check_names(value)


TASK = Task(
    name="custom-script",
    title="Custom script",
    modality="Scripts",
    summary="Run your own training script, with its own packages, as a run of this app: queue, log, charts and files.",
    module=_FOLDER + "train",
    preview_module=_FOLDER + "preview",
    params=CustomScriptParams,
    parameter_groups=(ParameterGroup("environment", "Environment of the script", after="basic"),),
    columns=(
        Column(
            "project_file",
            "File",
            PROJECT_FILE,
            "The files beside the script; all are copied for the run.",
            purpose="input",
        ),
    ),
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(PROJECT,),
    panel_kinds=(PanelKind("code-lines", _FOLDER + "code_panel"),),
    charts_of=charts_of,
    headline_param="metric",
    docs="docs/custom-script.md",
    files_only=True,
    local_only=True,
    shown=("args", "env", "app_packages", "inherit_env", "seed"),
    samples=(
        Sample(
            "perceptron",
            "A small network in plain Python",
            "custom_script/perceptron",
            "Trains a network on 400 points, reports losses and accuracies, and saves its weights. No packages needed.",
        ),
    ),
    aliases=("generic", "spacerunner", "script"),
    path_aliases=("script_path",),
    can=frozenset({"preview"}),
)
