"""Places where trainings run. A spec names one; each declares what it can."""

from __future__ import annotations

from autotrain_gradio.backends import local
from autotrain_gradio.backends.base import Backend
from autotrain_gradio.core.errors import SpecError, did_you_mean

BACKENDS: dict[str, Backend] = {"local": local}


def backend(name: str) -> Backend:
    """Return the backend of that name.

    Raises:
        SpecError: there is none.
    """
    if name not in BACKENDS:
        raise SpecError(f"There is no backend '{name}'.", did_you_mean(name, BACKENDS), "backend", "unknown-backend")
    return BACKENDS[name]
