"""Output of a worker: messages to its caller as tagged lines on stdout (`runs.wire`), and the log on stderr."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.runs import wire
from autotrain_gradio.runs.failure import findings_of


def answer(directory: Path, work: Callable[[], Any], cancelled: Callable[[], bool] = lambda: False) -> bool:
    """Call `work` and send its result, its items one by one, or its error; return whether it succeeded.

    cancelled: checked before each item is sent; then the generator is closed, and the result follows.
    """
    try:
        value = work()
        if isinstance(value, Generator):
            with contextlib.closing(value):
                for item in value:
                    if cancelled():
                        break
                    send({"kind": "item", "value": item})
            value = None
        text = wire.line({"kind": "result", "value": value})
    except Exception as error:  # the caller gets findings; the traceback goes to the log
        if not isinstance(error, UserError):
            log(traceback.format_exc())
        send({"kind": "error", "findings": [f.to_dict() for f in findings_of(error, directory, training=False)]})
        return False
    sys.stdout.write(text)
    sys.stdout.flush()
    return True


def send(message: dict[str, Any]) -> None:
    """Send a message to the caller."""
    sys.stdout.write(wire.line(message))
    sys.stdout.flush()


def send_progress(message: str, fraction: float) -> None:
    """Send the description of the current work, and the fraction that is done."""
    send({"kind": "progress", "message": message, "fraction": fraction})


def send_found(value: Any) -> None:
    """Send a partial result."""
    send({"kind": "found", "value": value})


def log(text: str) -> None:
    """Write to the log; errors, such as a full disk, are ignored."""
    with contextlib.suppress(OSError):
        sys.stderr.write(text.rstrip("\n") + "\n")
        sys.stderr.flush()
