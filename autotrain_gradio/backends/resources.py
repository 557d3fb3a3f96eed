"""Whether a backend and a task can give a run the resources that it asks for."""

from __future__ import annotations

from collections.abc import Iterator

from autotrain_gradio.backends.base import Backend, BackendType
from autotrain_gradio.core.errors import Finding, did_you_mean
from autotrain_gradio.core.spec import ResourceSpec
from autotrain_gradio.tasks.base import Task


def resource_findings(
    resources: ResourceSpec, task: Task, declared: BackendType, backend: Backend
) -> Iterator[Finding]:
    """Return an error for each resource that is not available."""
    can, place = declared.capabilities, declared.title.lower()
    if can.max_nodes is not None and resources.nodes > can.max_nodes:
        message = f"{resources.nodes} nodes are requested; the backend '{declared.name}' ({place}) has {can.max_nodes}."
        yield Finding("error", "too-many-nodes", message, "Lower nodes, or choose another backend.", "resources.nodes")
    if resources.flavor and resources.flavor not in can.flavors:
        hint = did_you_mean(resources.flavor, can.flavors) or "Leave flavor empty, or choose another backend."
        message = f"The backend '{declared.name}' has no hardware flavor '{resources.flavor}'."
        yield Finding("error", "unknown-flavor", message, hint, "resources.flavor")
    processes = resources.process_count * resources.nodes
    if processes > 1 and "distributed" not in task.can:
        message = f"{task.title} trains in one process; {processes} are requested."
        hint = "Leave processes empty, and gpus at 1 or less."
        yield Finding("error", "not-distributed", message, hint, "resources.processes")
    yield from backend.check_resources(resources)
