"""Names of runs on the command line and in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autotrain_gradio.core.errors import NotFound, did_you_mean

if TYPE_CHECKING:
    from autotrain_gradio.service import Service


def find_run(service: Service, name: str) -> str:
    """Return the id of a run for its id, a unique prefix of it, or a project name (its newest run).

    Raises:
        NotFound: no run matches, or the prefix matches several.
    """
    rows = service.runs()
    ids = [r["id"] for r in rows]
    if name in ids:
        return name
    of_project = [r["id"] for r in rows if r["project_name"] == name]
    if of_project:
        return str(of_project[0])
    matching = [i for i in ids if i.startswith(name)]
    if len(matching) == 1:
        return str(matching[0])
    if matching:
        raise NotFound(
            f"'{name}' is the prefix of {len(matching)} runs.", "Give more characters: " + ", ".join(matching[:5])
        )
    known = [*ids, *(r["project_name"] for r in rows if r["project_name"])]
    raise NotFound(f"The run '{name}' does not exist.", did_you_mean(name, known) or "No runs found.", code="no-run")
