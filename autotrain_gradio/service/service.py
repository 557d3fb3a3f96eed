"""The complete service API: calls on drafts and on runs, and views of a spec."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from autotrain_gradio.core.spec import Secrets
from autotrain_gradio.runs.states import ENDED
from autotrain_gradio.service.drafts import Drafts
from autotrain_gradio.service.runs import Runs
from autotrain_gradio.tasks import views
from autotrain_gradio.tasks.registry import resolve
from autotrain_gradio.tasks.spec_yaml import from_yaml


class Service(Drafts, Runs):
    """The application without a user interface; constructor: see `Core`.

    The calls are in `drafts.py` and `runs.py`, and here for those on a spec alone.
    """

    def yaml(self, spec: Mapping[str, Any]) -> str:
        """Return the run as YAML."""
        return views.yaml_view(self._parsed(spec), self.tasks)

    def command(self, spec: Mapping[str, Any]) -> str:
        """Return the run as a command."""
        return views.command_view(self._parsed(spec), self.tasks)

    def python(self, spec: Mapping[str, Any]) -> str:
        """Return the run as a Python call."""
        return views.python_view(self._parsed(spec), self.tasks)

    def parse_yaml(self, text: str) -> tuple[dict[str, Any], Secrets]:
        """Parse YAML, also of AutoTrain, into a validated spec and its secrets."""
        # On a shared page `${NAME}` must not read the server's environment.
        spec, secrets = from_yaml(text, {} if self.settings.shared else None, self.tasks)
        found = self._resolve(spec.model_dump(exclude_unset=True)) if spec.data.path else resolve(spec, self.tasks)
        return found.spec.model_dump(mode="json", exclude_defaults=True), secrets


def wait(service: Service, run: str, *, every: float = 0.5) -> Iterator[dict[str, Any]]:
    """Yield the run's snapshots as they change, up to one with an end state."""
    version = None
    while True:
        snapshot = service.snapshot(run, version)
        if snapshot is not None:
            version = snapshot["version"]
            yield snapshot
            if snapshot["state"] in ENDED:
                return
        time.sleep(every)
