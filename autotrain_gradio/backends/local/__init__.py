"""The local backend: trainings and calls are subprocesses on this machine."""

from __future__ import annotations

from autotrain_gradio.backends.base import BackendType, Capabilities
from autotrain_gradio.backends.local.backend import LocalBackend

BACKEND = BackendType(
    "local",
    "This machine",
    Capabilities(outlives_app=True, needs_login=False, stoppable=True, price_known=True),
    LocalBackend,
)
