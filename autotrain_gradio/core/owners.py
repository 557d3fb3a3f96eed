"""Who a run belongs to: the person at the machine, or a visitor of a shared page with a random id."""

from __future__ import annotations

LOCAL = "local"
"""Owner of the runs of the person at the machine; every other owner is a visitor."""


def is_visitor(owner: str) -> bool:
    """Whether a run's owner is a visitor of a shared page."""
    return owner != LOCAL
