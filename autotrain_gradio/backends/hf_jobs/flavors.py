"""The flavors of Hugging Face Jobs with their prices, as the Hub lists them; cached for a day."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from typing import Any

from autotrain_gradio.backends.hf_jobs.account import Account, raise_engine_error
from autotrain_gradio.backends.price import Flavor
from autotrain_gradio.backends.remote.engine import Engine, EngineError
from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.core.json_files import write_json
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.spec import ResourceSpec
from autotrain_gradio.runs.files import read_object

CACHE = "hf-jobs-hardware.json"
FRESH_SECONDS = 86_400.0
RETRY_SECONDS = 60.0
"""Time for which a failed request is not repeated."""
HOURS = {"minute": 60.0, "hour": 1.0, "second": 3600.0}
"""Unit of a price → its number in an hour."""


class HfJobs:
    """Hugging Face Jobs, as an `EngineType`."""

    name = "hf-jobs"
    title = "Hugging Face Jobs"

    def __init__(self, settings: Settings) -> None:
        self._endpoint = settings.hub_endpoint
        self._path = settings.home / "cache" / CACHE
        self._lock = threading.Lock()
        self._found: tuple[float, list[Flavor]] = (0.0, [])
        self._failed: tuple[float, EngineError] | None = None

    def open(self, token: str) -> Engine:
        """Return the account of a token."""
        return Account(token, self._endpoint)

    def check(self, resources: ResourceSpec) -> Sequence[Finding]:
        """Return nothing: the common checks are sufficient."""
        return ()

    def flavors(self) -> Sequence[Flavor]:
        """Return the flavors, cheapest first. Older prices are used only if the Hub does not respond.

        Raises:
            EngineError: the Hub does not respond, and they were never fetched.
        """
        with self._lock:
            fetched, known = self._found
            if not known:
                fetched, known = self._read()
            if time.time() - fetched < FRESH_SECONDS:
                self._found = fetched, known
                return known
            if self._failed is not None and time.monotonic() - self._failed[0] < RETRY_SECONDS:
                if known:
                    return known
                raise self._failed[1]
            try:
                known = self._fetch()
            except EngineError as error:
                self._failed = time.monotonic(), error
                if known:
                    return known
                raise
            self._found, self._failed = (time.time(), known), None
            self._write(known)
            return known

    def _fetch(self) -> list[Flavor]:
        from huggingface_hub import HfApi

        with raise_engine_error("The prices of Hugging Face Jobs cannot be fetched"):
            found = HfApi(endpoint=self._endpoint).list_jobs_hardware(token=False)
        flavors = []
        for one in found:
            per_hour = HOURS.get(one.unit_label)
            if per_hour is None:
                raise EngineError(f"The price of the flavor {one.name} is per '{one.unit_label}', an unknown unit.")
            gpus = int(one.accelerator.quantity) if one.accelerator else 0
            memory = str(one.accelerator.vram) if one.accelerator else ""
            title = one.pretty_name + (f" ({memory} of GPU memory)" if memory else f" ({one.cpu}, {one.ram})")
            flavors.append(Flavor(one.name, title, round(one.unit_cost_usd * per_hour, 6), gpus, memory))
        return sorted(flavors, key=lambda f: f.price)

    def _read(self) -> tuple[float, list[Flavor]]:
        with contextlib.suppress(DataError, KeyError, TypeError):  # a damaged cache is fetched again
            found: dict[str, Any] = read_object(self._path) or {}
            if found.get("endpoint") == self._endpoint:
                return float(found["time"]), [Flavor(**one) for one in found["flavors"]]
        return 0.0, []

    def _write(self, flavors: Sequence[Flavor]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        listed = [vars(flavor) for flavor in flavors]
        write_json(self._path, {"endpoint": self._endpoint, "time": time.time(), "flavors": listed})
