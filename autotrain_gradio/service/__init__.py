"""The one API under every face: page, command line and Python call nothing below it.

Everything in and out is plain data. Whoever asks is an `owner`: `local` for the person at the
machine, a random visitor id on a shared page. A run's id is its read-only ticket; changing a run,
or taking its files away, needs its owner. That is decided here and nowhere else.
"""

from autotrain_gradio.core.owners import LOCAL
from autotrain_gradio.runs.states import ACTIVE, ENDED, RESUMABLE
from autotrain_gradio.service.service import Service, wait

__all__ = ["ACTIVE", "ENDED", "LOCAL", "RESUMABLE", "Service", "wait"]
