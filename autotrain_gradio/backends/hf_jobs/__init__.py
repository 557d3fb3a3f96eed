"""The backend `hf-jobs`: trainings on the machines of Hugging Face Jobs, which are billed by the minute."""

from __future__ import annotations

from autotrain_gradio.backends.base import BackendType, Capabilities
from autotrain_gradio.backends.hf_jobs.flavors import HfJobs
from autotrain_gradio.backends.remote.backend import RemoteBackend
from autotrain_gradio.core.settings import Settings


def _open(settings: Settings) -> RemoteBackend:
    return RemoteBackend(settings, HfJobs(settings))


BACKEND = BackendType(
    "hf-jobs",
    "Hugging Face Jobs",
    Capabilities(
        outlives_app=True,
        needs_login=True,
        stoppable=True,
        price_known=True,
        own_environment=True,
        flavors=None,
        calls=False,
        stop_delay=240.0,
    ),
    _open,
)
