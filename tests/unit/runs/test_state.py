"""The table of states in docs/architecture.md, every row and every pair of rows that could compete."""

from __future__ import annotations

from typing import Any

import pytest

from autotrain_gradio.runs.record import derive
from autotrain_gradio.runs.states import TITLES, UNREADABLE

Record = dict[str, Any]


def asked(kind: str, attempt: int = 1, **fields: Any) -> Record:
    return {"kind": kind, "attempt": attempt, "time": 1.0, **fields}


def said(state: str, attempt: int = 1) -> Record:
    return {"kind": "state", "attempt": attempt, "state": state}


QUEUED = asked("queued")
STARTED = [QUEUED, asked("started")]
STOP = [*STARTED, asked("stop")]
LOST = [*STARTED, asked("interrupted", reason="why", hint="do")]

TABLE: list[tuple[str, list[Record], list[Record], bool | None, str]] = [
    ("nothing", [], [], None, "draft"),
    ("queued", [QUEUED], [], None, "queued"),
    ("queued, and the backend knows nothing of it", [QUEUED], [], False, "queued"),
    ("stopped in the queue", [QUEUED, asked("stop")], [], None, "cancelled"),
    ("cancelled in the queue", [QUEUED, asked("cancelled")], [], None, "cancelled"),
    ("handed over", STARTED, [], True, "preparing"),
    ("handed over, not asked", STARTED, [], None, "preparing"),
    ("could not be started", [*STARTED, asked("failed", reason="no")], [], False, "failed"),
    ("exited before the first event", STARTED, [], False, "interrupted"),
    ("preparing", STARTED, [said("preparing")], True, "preparing"),
    ("running", STARTED, [said("preparing"), said("running")], True, "running"),
    ("running, exited", STARTED, [said("running")], False, "interrupted"),
    ("exited, recorded", LOST, [said("running")], None, "interrupted"),
    ("stop asked while preparing", STOP, [said("preparing")], True, "stopping"),
    ("stop asked before the first word", STOP, [], True, "stopping"),
    ("stop asked while running", STOP, [said("running")], None, "stopping"),
    ("stop asked, then exited", STOP, [said("running")], False, "interrupted"),
    ("killed", [*STOP, asked("kill")], [said("running")], True, "stopping"),
    ("completed", STARTED, [said("running"), said("completed")], True, "completed"),
    ("completed, worker exited", STARTED, [said("completed")], False, "completed"),
    ("completed although a stop was asked", STOP, [said("completed")], False, "completed"),
    ("the last word beats a false alarm", LOST, [said("running"), said("completed")], False, "completed"),
    ("cancelled by a stop", STOP, [said("running"), said("cancelled")], False, "cancelled"),
    ("failed", STARTED, [said("failed")], False, "failed"),
    ("a second attempt waits", [*STARTED, asked("queued", 2)], [said("failed")], None, "queued"),
    (
        "a second attempt begins",
        [*STARTED, asked("queued", 2), asked("started", 2)],
        [said("failed")],
        True,
        "preparing",
    ),
    (
        "an old stop is not for the second attempt",
        [*STOP, asked("queued", 2), asked("started", 2)],
        [said("cancelled"), said("running", 2)],
        True,
        "running",
    ),
    (
        "an old interruption is not for the second attempt",
        [*LOST, asked("queued", 2), asked("started", 2)],
        [said("running"), said("running", 2)],
        True,
        "running",
    ),
    ("an unknown word of a later version", STARTED, [said("dreaming")], True, "preparing"),
]


@pytest.mark.parametrize(
    ("controls", "events", "alive", "state"), [row[1:] for row in TABLE], ids=[r[0] for r in TABLE]
)
def test_state(controls: list[Record], events: list[Record], alive: bool | None, state: str) -> None:
    assert derive(controls, events, alive).name == state


def test_every_state_is_in_the_table() -> None:
    assert {row[-1] for row in TABLE} == set(TITLES) - {UNREADABLE}


def test_a_reason_comes_with_what_went_wrong_and_with_nothing_else() -> None:
    finding = {"message": "The toy broke.", "hint": "Mend it."}
    error = {"kind": "error", "attempt": 1, "finding": finding}
    failed = derive(STARTED, [error, said("failed")])
    assert (failed.reason, failed.hint) == ("The toy broke.", "Mend it.")
    assert derive(STARTED, [said("failed")]).reason  # even a failure without a word
    assert derive(STARTED, [error, said("completed")]).reason == ""
    lost = derive(LOST, [said("running")])
    assert (lost.reason, lost.hint) == ("why", "do")
    exited = derive(STARTED, [said("running")], False)
    assert "exited" in exited.reason and "Resume" in exited.hint
    assert derive([*STARTED, asked("queued", 2)], [error, said("failed")]).reason == ""
