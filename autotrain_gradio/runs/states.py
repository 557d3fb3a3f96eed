"""The states of a run: which of them are active, ended or resumable, and their titles.

The names are used on disk and in the API, the titles on the page and in the terminal.
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
    "unreadable": "Unreadable",
}
ACTIVE = frozenset({"preparing", "running", "stopping"})
"""A worker process exists, or is being started."""
REPORTED_END = frozenset({"completed", "failed", "cancelled"})
"""End states that the worker itself reports."""
ENDED = REPORTED_END | {"interrupted"}
UNREADABLE = "unreadable"
"""The record of the run is damaged, or its files do not respond."""
RESUMABLE = ENDED - {"completed"}


def title(state: str) -> str:
    """Return the title of a state, for instance `Stopped` for `cancelled`."""
    return TITLES.get(state, state.capitalize())
