"""Where a training runs: the backend, and the hardware flavor and maximum cost of one that rents machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from autotrain_gradio.core.spec import ResourceSpec, RunSpec
from autotrain_gradio.ui.param_fields import Field, create_fields

Values = Mapping[Any, Any]
Place = Mapping[str, Any]
"""`{"name", "title", "rents"}` of a backend; rents: it has flavors with prices."""
FIRST_COST = 2.0
"""Maximum cost in USD that is suggested when a backend with prices is chosen; the user sees and changes it."""


@dataclass
class TrainingPlace:
    """The components; all are hidden if there is only one place.

    places: the backends that can be chosen.
    """

    places: Sequence[Place]
    backend: gr.Radio
    flavor: gr.Dropdown
    max_cost: Field
    row: gr.Row | None = None
    """Of flavor and maximum cost, once they are rendered: an empty row would be visible."""

    @classmethod
    def build(cls, places: Sequence[Place], spec: Mapping[str, Any], *, prefix: str) -> TrainingPlace:
        """Create the components for a spec; they are shown where `render` is called."""
        chosen = str(spec.get("backend") or RunSpec.model_fields["backend"].default)
        listed = list(places)
        if chosen not in {p["name"] for p in listed}:  # of a YAML file: it is not lost
            listed.append({"name": chosen, "title": chosen, "rents": True})
        resources = spec.get("resources") or {}
        flavor = str(resources.get("flavor") or "")
        (max_cost,) = create_fields(ResourceSpec, ("max_cost",), resources, prefix=f"{prefix}-resources")
        return cls(
            listed,
            backend=gr.Radio(
                choices=[(str(p["title"]), str(p["name"])) for p in listed],
                value=chosen,
                label="Where to train",
                visible=len(listed) > 1,
                interactive=True,
                elem_id=f"{prefix}-backend",
                render=False,
            ),
            flavor=gr.Dropdown(
                choices=[flavor] if flavor else [],
                value=flavor or None,
                label="Hardware flavor",
                info="Machine to rent, with its price.",
                allow_custom_value=True,
                interactive=True,
                elem_id=f"{prefix}-resources-flavor",
                render=False,
            ),
            max_cost=max_cost,
        )

    def render(self) -> None:
        """Show the components, in the Gradio context that is open."""
        self.backend.render()
        rents = self._rents(self.backend.value)
        with gr.Row(elem_classes="at-fields", visible=rents) as self.row:
            self.flavor.render()
            self.max_cost.component.render()

    def components(self) -> list[Any]:
        """Return the components that the user edits."""
        return [self.backend, self.flavor, self.max_cost.component]

    def resources(self, values: Values) -> dict[str, Any]:
        """Return the resources of the values, without those of a place that rents no machines."""
        if not self._rents(values[self.backend]):
            return {"flavor": "", "max_cost": None}
        flavor = values[self.flavor] or ""
        return {"flavor": str(flavor), "max_cost": self.max_cost.read(values[self.max_cost.component])}

    def choose(self, values: Values, flavors: Sequence[Mapping[str, Any]], *, has_limit: bool) -> dict[Any, Any]:
        """Return the updates for a newly chosen place.

        flavors: `{"name", "text", "gpu"}` of its flavors. has_limit: the form has a time limit.
        """
        rents = self._rents(values[self.backend])
        updates: dict[Any, Any] = {self.row: gr.Row(visible=rents)}
        if not rents:
            return updates
        names = [str(f["name"]) for f in flavors]
        value = values[self.flavor]
        if value not in names:
            value = next((str(f["name"]) for f in flavors if f["gpu"]), names[0] if names else None)
        choices = [(str(f["text"]), str(f["name"])) for f in flavors]
        updates[self.flavor] = gr.Dropdown(choices=choices, value=value)
        if not has_limit and not values[self.max_cost.component]:
            updates[self.max_cost.component] = gr.Textbox(value=f"{FIRST_COST:g}")
        return updates

    def _rents(self, backend: str) -> bool:
        return any(p["rents"] for p in self.places if p["name"] == backend)
