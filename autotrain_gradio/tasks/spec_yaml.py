"""Parse YAML with the tasks' declarations: AutoTrain has a few of their parameters in its section `data`."""

from __future__ import annotations

from collections.abc import Mapping

from autotrain_gradio.core import spec
from autotrain_gradio.core.errors import NotFound
from autotrain_gradio.core.spec import RunSpec, Secrets
from autotrain_gradio.tasks.registry import Registry, registry


def from_yaml(
    text: str, environ: Mapping[str, str] | None = None, tasks: Registry | None = None
) -> tuple[RunSpec, Secrets]:
    """Parse a RunSpec from YAML, as `core.spec.from_yaml`.

    Raises:
        SpecError: the text is not a YAML mapping, or a setting is unknown or invalid.
    """
    known = tasks or registry()

    def data_params(task: str) -> list[str]:
        try:
            return known.get(task).params_in_data()
        except NotFound:  # reported when the spec is resolved
            return []

    return spec.from_yaml(text, environ, data_params)
