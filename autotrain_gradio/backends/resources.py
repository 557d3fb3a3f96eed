"""Validation of a run's requested resources against its task and its backend."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autotrain_gradio.backends.base import BackendType, TrainingBackend
from autotrain_gradio.core.errors import Finding, did_you_mean
from autotrain_gradio.core.spec import ResourceSpec
from autotrain_gradio.tasks.base import Task


def resource_findings(
    resources: ResourceSpec, task: Task, params: Any, declared: BackendType, backend: TrainingBackend
) -> Iterator[Finding]:
    """Return an error for each resource that is not available. params: the task's parameters."""
    can, place = declared.capabilities, declared.title.lower()
    if can.max_nodes is not None and resources.nodes > can.max_nodes:
        message = f"{resources.nodes} nodes are requested; the backend '{declared.name}' ({place}) has {can.max_nodes}."
        yield Finding("error", "too-many-nodes", message, "Lower nodes, or choose another backend.", "resources.nodes")
    if resources.flavor and can.flavors is not None and resources.flavor not in can.flavors:
        hint = did_you_mean(resources.flavor, can.flavors) or "Leave flavor empty, or choose another backend."
        message = f"The backend '{declared.name}' has no hardware flavor '{resources.flavor}'."
        yield Finding("error", "unknown-flavor", message, hint, "resources.flavor")
    processes = resources.process_count * resources.nodes
    if processes > 1 and "distributed" not in task.can:
        message = f"{task.title} trains in one process; {processes} are requested."
        hint = "Leave processes empty, and gpus at 1 or less."
        yield Finding("error", "not-distributed", message, hint, "resources.processes")
    elif processes > 1 and getattr(params, "auto_find_batch_size", False):
        # A process that runs out of memory would restart alone, while the others wait for its gradients.
        message = f"auto_find_batch_size works with one process only; {processes} are requested."
        hint = "Switch auto_find_batch_size off and lower the batch size, or leave processes empty."
        yield Finding("error", "batch-size-not-distributed", message, hint, "params.auto_find_batch_size")
    yield from backend.check_resources(resources)
