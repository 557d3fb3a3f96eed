"""Prices and limits of a training: what it may cost at most, and how long it may take."""

from __future__ import annotations

from collections.abc import Sequence

from autotrain_gradio.backends.price import Flavor, Quote, format_cost
from autotrain_gradio.core.errors import Finding, did_you_mean
from autotrain_gradio.core.spec import ResourceSpec
from autotrain_gradio.core.text_format import format_duration, join_examples, pluralize

LEAST_SECONDS = 300.0
"""Shortest limit: starting a machine and installing the packages takes some minutes."""


def limit_of(resources: ResourceSpec, price: float) -> float | None:
    """Return the hard limit of the duration in seconds, from time limit and maximum cost; None if neither is given."""
    limits = [resources.timeout_seconds] if resources.timeout_seconds else []
    if resources.max_cost is not None and price > 0:
        limits.append(resources.max_cost / price * 3600)
    return min(limits, default=None)


def findings(resources: ResourceSpec, flavors: Sequence[Flavor]) -> list[Finding]:
    """Return an error for each setting with which a training cannot be started on a rented machine."""
    named = {flavor.name: flavor for flavor in flavors}
    shown = join_examples([f"{f.name} ({format_cost(f.price)} per hour)" for f in flavors], limit=8)
    if not resources.flavor:
        message = "No hardware flavor is chosen."
        return [Finding("error", "no-flavor", message, f"Set flavor to one of: {shown}.", "resources.flavor")]
    flavor = named.get(resources.flavor)
    if flavor is None:
        message = f"There is no hardware flavor '{resources.flavor}'."
        hint = did_you_mean(resources.flavor, named) or f"Choose one of: {shown}."
        return [Finding("error", "unknown-flavor", message, hint, "resources.flavor")]
    found = []
    if resources.gpus and resources.gpus > flavor.accelerators:
        message = f"{pluralize(resources.gpus, 'GPU')} requested; {flavor.name} has {flavor.accelerators or 'none'}."
        hint = "Lower gpus, or choose another flavor."
        found.append(Finding("error", "too-many-gpus", message, hint, "resources.gpus"))
    limit = limit_of(resources, flavor.price)
    if limit is None:
        message = f"A training on {flavor.name} costs {format_cost(flavor.price)} per hour and has no limit."
        hint = (
            "Set timeout (for instance 2h), max_cost (USD), or both: the training stops at the first that is reached."
        )
        found.append(Finding("error", "no-limit", message, hint, "resources.timeout"))
    elif limit < LEAST_SECONDS:
        message = (
            f"The limits allow {format_duration(limit)} on {flavor.name} ({format_cost(flavor.price)} per hour); "
            f"the shortest training takes {format_duration(LEAST_SECONDS)}."
        )
        where = "resources.max_cost" if resources.timeout_seconds != limit else "resources.timeout"
        found.append(Finding("error", "limit-too-short", message, "Raise timeout or max_cost.", where))
    return found


def quote(resources: ResourceSpec, flavors: Sequence[Flavor]) -> Quote | None:
    """Return the price of valid resources; None if they are not valid."""
    if findings(resources, flavors):
        return None
    flavor = next(f for f in flavors if f.name == resources.flavor)
    limit = limit_of(resources, flavor.price)
    return Quote(flavor.name, flavor.title, flavor.price, limit) if limit is not None else None
