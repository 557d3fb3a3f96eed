"""The clock of the plain scripts."""

from __future__ import annotations

import os
import sys
import time

from transformers import TrainerCallback


class Watch(TrainerCallback):
    """Records the time of the first and the last optimizer step."""

    def __init__(self) -> None:
        self.first = self.last = 0.0
        self.steps = 0

    def on_step_end(self, args, state, control, **kwargs):  # noqa: ANN001, ANN003, ANN201
        self.first = self.first or time.time()
        self.last = time.time()
        self.steps = state.global_step

    def facts(self) -> dict[str, float]:
        """Return the optimizer steps, and the seconds from the end of the first one to the end of the last."""
        return {"steps": self.steps, "steps_seconds": self.last - self.first}


def exit_now() -> None:
    """Exit at once: some threads of libraries do not."""
    sys.stdout.flush()
    os._exit(0)
