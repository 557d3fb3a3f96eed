"""API calls about where a training runs: backends, hardware flavors, prices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autotrain_gradio.backends import DEFAULT, backend_type, registry
from autotrain_gradio.service.core import Core
from autotrain_gradio.tasks.registry import Resolved


class Places(Core):
    """The places where this installation can train, and what they cost."""

    def training_places(self) -> list[dict[str, Any]]:
        """List the backends on which the user of this machine can train: `{"name", "title", "rents"}`.

        rents: it has flavors with prices. Those that need a login are listed if there is one; in shared mode none of
        them, because visitors must not use the login of the server.
        """
        found = []
        for declared in registry():
            can = declared.capabilities
            if not can.needs_login or (not self.settings.shared and self._backends.get(declared.name).has_login()):
                found.append({"name": declared.name, "title": declared.title, "rents": can.flavors is None})
        return sorted(found, key=lambda place: (place["name"] != DEFAULT, place["name"]))

    def flavors(self, backend: str) -> list[dict[str, Any]]:
        """List the hardware flavors of a backend, cheapest first: `{"name", "text", "gpu"}`; empty if it has none.

        Raises:
            UserError: they cannot be fetched.
        """
        return [
            {"name": f.name, "text": f.text(), "gpu": f.accelerators > 0} for f in self._backends.get(backend).flavors()
        ]

    def price(self, spec: Mapping[str, Any] | Resolved) -> str:
        """Return a sentence about price and limits of the training; empty if its backend has no price.

        Raises:
            UserError: the spec is invalid, or has no limit that the backend needs.
        """
        return self._price(self._resolve(spec))

    def _price(self, resolved: Resolved) -> str:
        found = self._backends.get(resolved.spec.backend).quote(resolved.spec.resources)
        return "" if found is None else f"{backend_type(resolved.spec.backend).title}, {found.text()}"
