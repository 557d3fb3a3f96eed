"""The states of a run: which of them are active, ended or resumable, and their titles.

The names are those of the files on disk and of the API; people see the titles.
"""

from __future__ import annotations

TITLES = {
    "draft": "Draft",
    "queued": "Queued",
    "preparing": "Starting",
    "running": "Running",
    "stopping": "Stopping",
    "completed": "Completed",
    "failed": "Failed",
    "cancelled": "Stopped",
    "interrupted": "Interrupted",
}
ACTIVE = frozenset({"preparing", "running", "stopping"})
"""A worker process exists, or is being started."""
REPORTED_END = frozenset({"completed", "failed", "cancelled"})
"""End states that the worker itself reports."""
ENDED = REPORTED_END | {"interrupted"}
RESUMABLE = ENDED - {"completed"}


def title(state: str) -> str:
    """Return the name of a state as people see it, for instance `Stopped` for `cancelled`."""
    return TITLES.get(state, state.capitalize())
