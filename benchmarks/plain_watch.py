"""The clock of the plain scripts."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

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


class LogWatch(Watch):
    """Also records the beginning of the training, and at each log its values, time and memory, as the app does."""

    def __init__(self) -> None:
        super().__init__()
        self.began = 0.0
        self.memory = 0
        self.logs: list[dict[str, float]] = []

    def on_train_begin(self, args, state, control, **kwargs):  # noqa: ANN001, ANN003, ANN201
        self.began = time.time()

    def on_log(self, args, state, control, logs=None, **kwargs):  # noqa: ANN001, ANN003, ANN201
        if "loss" in (logs or {}):
            self.logs.append({**logs, "step": state.global_step, "time": time.time()})
            self.memory = max(self.memory, _memory())

    def facts(self) -> dict[str, Any]:
        """Return the above, the seconds from the start of the process to the end of the first step, those from the
        beginning of the training to the end of the last step, the most memory in bytes, and the logs.
        """
        import psutil

        return {
            **super().facts(),
            "first_step_seconds": self.first - psutil.Process().create_time(),
            "train_seconds": self.last - self.began,
            "memory": self.memory,
            "logs": self.logs,
        }


def _memory() -> int:
    """Return the peak memory reserved on the GPU, or the resident memory of this process, in bytes."""
    import psutil
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_reserved())
    return int(psutil.Process().memory_info().rss)


def exit_now() -> None:
    """Exit at once: some threads of libraries do not."""
    sys.stdout.flush()
    os._exit(0)
