"""Training in several processes (data parallel): which rank this is, and decisions that all ranks take together.

Collective operations need every rank: if one stopped a step earlier than the others, they would wait for it forever.
So rank 0 decides and broadcasts the decision. See torch.distributed, "Collective functions".

torch is imported only where several processes run: models of tables are trained without it.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

from autotrain_gradio.runs.reporter import Reporter

Value = TypeVar("Value")
INTERVAL_SECONDS = 0.5
"""Time between two decisions: each one is a collective operation, and on a GPU waits for the steps before it."""
MAX_INTERVAL = 64


def world_size() -> int:
    """Return the number of training processes."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """Return the rank of this process, from 0."""
    return int(os.environ.get("RANK", "0"))


def is_parallel() -> bool:
    """Return whether several processes train together and can communicate."""
    if world_size() == 1:
        return False
    import torch.distributed as dist

    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def broadcast(value: Any) -> Any:
    """Return rank 0's value on every rank; it is pickled between processes of this run."""
    if not is_parallel():
        return value
    import torch.distributed as dist

    box = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]


def on_first_rank(work: Callable[[], Value]) -> Value:
    """Do work on rank 0 alone, and return its result on every rank. All ranks are on one machine."""
    return cast("Value", broadcast(work() if rank() == 0 else None))


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give all ranks the same temporary folder; it is removed when all of them have left it.

    The ranks are connected first: a task may open its model before its training arguments, which do that too.
    """
    if world_size() > 1:
        import torch
        from accelerate import PartialState

        PartialState(cpu=not torch.cuda.is_available())
    with tempfile.TemporaryDirectory() as folder:
        yield Path(broadcast(folder))
        if is_parallel():
            import torch.distributed as dist

            dist.barrier()


def gather_rows(accelerator: Any, values: Any) -> Any:
    """Return the values of the rows of all ranks' batches, in the order of the data set, on every rank.

    values: tensor (rows, …) of this rank's batch. The rows that fill the last batch are removed.
    """
    return accelerator.gather_for_metrics(values) if is_parallel() else values


def agree_to_stop(run: Reporter, stopped: bool) -> bool:
    """Return on every rank whether rank 0 has stopped a loop without communication. stopped: whether this rank has."""
    if not is_parallel():
        return stopped
    together: bool = broadcast(stopped)
    if together:
        run.follow_stop()
    return together


class SharedDecision:
    """Whether to stop, and whether to save, decided by rank 0 for all ranks.

    Every rank calls `decide` equally often: after each training step and each batch of an evaluation. It communicates
    only at some of the calls, about twice a second; rank 0 sets the interval.
    """

    def __init__(self, run: Reporter) -> None:
        self._run = run
        self._paces = {"train": _Pace(), "evaluate": _Pace()}

    def decide(self, *, save: bool = False, evaluating: bool = False) -> tuple[bool, bool]:
        """Return whether to stop and whether to save now.

        save: whether to save; only rank 0's value counts. evaluating: called after a batch of an evaluation, not
        after a training step: their durations differ.
        """
        if not is_parallel():
            return self._run.stop_requested(), save
        import torch
        import torch.distributed as dist

        pace = self._paces["evaluate" if evaluating else "train"]
        pace.calls += 1
        if pace.calls < pace.interval:
            return False, False
        message = torch.tensor([int(self._run.stop_requested()), int(save), pace.next_interval()])
        message = message.to("cuda" if dist.get_backend() == "nccl" else "cpu")
        dist.broadcast(message, src=0)
        stop, save_now, pace.interval = (int(value) for value in message.tolist())
        pace.calls = 0
        if stop:
            self._run.follow_stop()
        return bool(stop), bool(save_now)


class _Pace:
    """The number of calls of one kind between two communications."""

    def __init__(self) -> None:
        self.calls, self.interval = 0, 1
        self._last = time.monotonic()

    def next_interval(self) -> int:
        """Return the calls until the next communication, at most twice as many as now."""
        now = time.monotonic()
        fitting = int(self.calls / max(1e-3, now - self._last) * INTERVAL_SECONDS)
        self._last = now
        return min(MAX_INTERVAL, 2 * self.interval, max(1, fitting))


def decision(run: Reporter) -> SharedDecision:
    """Return the run's shared decision, the same at every call."""
    if not isinstance(run.shared_decision, SharedDecision):
        run.shared_decision = SharedDecision(run)
    return run.shared_decision
