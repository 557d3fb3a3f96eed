"""Whether the Hugging Face Hub is reachable, and which of its models are downloaded already.

The layout of the cache is documented at https://huggingface.co/docs/huggingface_hub/guides/manage-cache.
"""

from __future__ import annotations

import os
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

CHECK_SECONDS = 60.0
"""How long a result counts; it is then renewed in the background."""
TIMEOUT_SECONDS = 3.0
WEIGHTS = (".safetensors", ".bin")


class HubModels:
    """What the page says about models of the Hub before one is loaded."""

    def __init__(self, endpoint: str) -> None:
        """endpoint: URL of the Hub, without a slash at its end."""
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._reachable = True
        self._checked = float("-inf")

    def refresh(self) -> None:
        """Request the Hub in the background if the last result is old; return at once."""
        with self._lock:
            if time.monotonic() - self._checked < CHECK_SECONDS:
                return
            self._checked = time.monotonic()
        threading.Thread(target=self.check, name="hub-reachable", daemon=True).start()

    def reachable(self) -> bool:
        """Return the latest result: True until a request has failed."""
        self.refresh()
        return self._reachable

    def check(self) -> None:
        """Request the Hub once, for at most `TIMEOUT_SECONDS` after its address is resolved."""
        self._checked = time.monotonic()
        self._reachable = not _is_true("HF_HUB_OFFLINE") and _answers(self._endpoint)

    def downloaded(self, model: str) -> bool:
        """Whether the cache of the user contains weights of a model. model: its id, such as `user/name`."""
        snapshots = _cache() / f"models--{model.replace('/', '--')}" / "snapshots"
        try:
            return any(file.suffix in WEIGHTS for file in snapshots.glob("*/*"))
        except (OSError, ValueError):  # an id that cannot be the name of a folder, or a folder that cannot be read
            return False


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=TIMEOUT_SECONDS):
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):  # not reachable, or `HF_ENDPOINT` is no URL
        return False


def _is_true(name: str) -> bool:
    return os.environ.get(name, "").strip().upper() in {"1", "ON", "YES", "TRUE"}


def _cache() -> Path:
    """Return the folder of downloaded repositories, by the environment variables of huggingface_hub."""
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    return Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub").expanduser()
