"""The environment variables of a script: few of the app, and those that describe the run. Workers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.inherited_environment import inherited
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.tasks.custom_script import CustomScriptParams
from autotrain_gradio.tasks.custom_script.script_arguments import split_variables

OF_THE_APP = frozenset({"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "CONDA_PREFIX", "LD_PRELOAD"})
"""Variables of the app's own Python, which are wrong for another environment."""
APP_PREFIX = "AUTOTRAIN_GRADIO_"
RUN_VARIABLE = "AUTOTRAIN_GRADIO_RUN"
"""By which the processes of a run are found: see `backends/process.py`."""
TOKEN = "HF_TOKEN"


def script_environment(
    params: CustomScriptParams,
    environ: Mapping[str, str],
    *,
    python: Path,
    variables: Mapping[str, str],
) -> tuple[dict[str, str], list[str]]:
    """Return the environment of a script, and the values of its secrets, which the log must not show.

    environ: of the worker. python: interpreter of the script. variables: those that describe the run.

    Raises:
        UserError: a variable to inherit is not set.
    """
    env = {n: v for n, v in inherited(environ).items() if n not in OF_THE_APP and not n.startswith(APP_PREFIX)}
    if RUN_VARIABLE in environ:
        env[RUN_VARIABLE] = environ[RUN_VARIABLE]
    secrets = _secrets(params.inherit_env, environ)
    env |= {
        "PATH": f"{python.parent}:{env.get('PATH', '/usr/local/bin:/usr/bin:/bin')}",
        "VIRTUAL_ENV": str(python.parent.parent),
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
        # The login of this computer is not for every script.
        **({} if TOKEN in secrets else {"HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}),
        **variables,
        **split_variables(params.env),
        **secrets,
    }
    return env, [value for value in secrets.values() if len(value) >= 6]


def _secrets(names: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    found = {name: environ[name] for name in names if name in environ}
    if TOKEN in names and TOKEN not in found:
        from huggingface_hub import get_token

        if token := get_token():  # of `hf auth login`
            found[TOKEN] = token
    if missing := [name for name in names if name not in found]:
        raise UserError(
            f"The script should inherit {join_examples(missing)}, but the app has no such environment variable.",
            "Set it before the app is started, or remove it from the setting.",
            "params.inherit_env",
            "variable-missing",
        )
    return found
