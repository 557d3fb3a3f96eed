"""Parameters that name a file or a model: absolute on one's own machine, refused or limited on a shared page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from autotrain_gradio.core.errors import Forbidden
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.service.access import resolve_and_authorize
from autotrain_gradio.tasks.base import Params, param
from autotrain_gradio.tasks.registry import Resolved, registry


class NamingParams(Params):
    """Parameters that name a file and a model."""

    script: str = param("", "basic", names="file")
    """A file."""
    judge: str = param("", "basic", names="model")
    """A model."""


def resolved(**params: str) -> Resolved:
    first = next(iter(registry()))
    task = replace(first, params=NamingParams, defaults=None)
    return Resolved(RunSpec(task=task.name, params=params), task, NamingParams(**params))


def test_paths_in_parameters_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    monkeypatch.chdir(tmp_path)
    found = resolve_and_authorize(resolved(script="score.py", judge="model"), registry(), shared=False)
    assert found.params.model_dump() == {"seed": 42, "script": f"{tmp_path}/score.py", "judge": f"{tmp_path}/model"}
    assert found.spec.params == {"script": f"{tmp_path}/score.py", "judge": f"{tmp_path}/model"}
    hub = resolve_and_authorize(resolved(judge="org/model"), registry(), shared=False)
    assert hub.spec.params == {"judge": "org/model"}


@pytest.mark.parametrize("params", [{"script": "score.py"}, {"judge": "/srv/model"}, {"judge": "../model"}])
def test_visitors_cannot_name_files_of_the_server_in_parameters(params: dict[str, str]) -> None:
    with pytest.raises(Forbidden) as caught:
        resolve_and_authorize(resolved(**params), registry(), shared=True)
    assert caught.value.findings[0].where == f"params.{next(iter(params))}"
    found = resolve_and_authorize(resolved(judge="org/model"), registry(), shared=True)
    assert found.spec.params == {"judge": "org/model"}
