"""The settings of an installation, read from the environment once and passed down."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.text_format import GIB
from autotrain_gradio.core.visitor_limits import VisitorLimits


@dataclass(frozen=True)
class Limits:
    """Limits on uploads and on the workers that open them.

    Sizes are in bytes unless the name says mebibytes, times in seconds.
    """

    upload_bytes: int = 20 * GIB
    archive_members: int = 1_000_000
    archive_bytes: int = 100 * GIB
    archive_ratio: float = 200.0
    """Maximum ratio of unpacked to packed size, checked once 64 MiB are unpacked."""
    image_pixels: int = 89_478_485
    """Pillow's own limit for decompression bombs: about 89 million pixels."""
    classes: int = 2000
    call_seconds: float = 3600.0
    call_mebibytes: int = 8192
    predict_seconds: float = 120.0
    predictor_idle_seconds: float = 300.0
    abandoned_seconds: float = 60.0
    """How long a check continues after its page was closed: time to reload the page or to reconnect."""
    stop_grace_seconds: float = 60.0
    """Time after a stop request before the process group of the worker is signalled."""
    draft_days: float = 7.0
    """Drafts that were not started are removed after this many days."""


@dataclass(frozen=True)
class Settings:
    """Configuration of an installation: a laptop, a server or a Space."""

    home: Path
    limits: Limits = field(default_factory=Limits)
    slots: int | None = None
    """Number of concurrent trainings; None: one per GPU, else one."""
    shared: bool = False
    """Public mode: visitors can reach the page (a Space, a share link). Folders of the server are refused,
    and each visitor lists only their own runs."""
    visitors: VisitorLimits = field(default_factory=VisitorLimits)
    """Limits of each visitor in shared mode."""
    hosts: tuple[str, ...] = ()
    """Additional names by which the page is reached, such as that of a reverse proxy."""
    uploads: Path = field(default_factory=lambda: upload_folder(os.environ))
    """Folder in which the page receives uploads; in shared mode, files are accepted from there only."""
    on_space: bool = False
    hub_endpoint: str = "https://huggingface.co"

    @property
    def runs(self) -> Path:
        """Folder that holds the run directories."""
        return self.home / "runs"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, *, shared: bool | None = None) -> Settings:
        """Read the settings.

        `AUTOTRAIN_GRADIO_HOME` (default `~/.autotrain-gradio`; on a Space `/data/autotrain-gradio`
        where a bucket is mounted, else a temporary folder), `AUTOTRAIN_GRADIO_SLOTS`,
        `AUTOTRAIN_GRADIO_STOP_GRACE` (seconds), `AUTOTRAIN_GRADIO_SHARED` (1 or 0; overrides `shared`),
        `AUTOTRAIN_GRADIO_HOSTS` (names, separated by commas), `HF_ENDPOINT`; the limits of visitors are in
        `core/visitor_limits.py`.

        shared: public mode, unless the environment variable is set; None: on a Space, or with additional hosts.

        Raises:
            UserError: a variable is not a number, or too small.
        """
        env = os.environ if environ is None else environ
        on_space = bool(env.get("SPACE_ID"))
        if env.get("AUTOTRAIN_GRADIO_HOME"):
            home = Path(env["AUTOTRAIN_GRADIO_HOME"]).expanduser()
        elif on_space:
            bucket = Path("/data")
            base = bucket if bucket.is_dir() and os.access(bucket, os.W_OK) else Path(tempfile.gettempdir())
            home = base / "autotrain-gradio"
        else:
            home = Path.home() / ".autotrain-gradio"
        hosts = tuple(h.strip() for h in env.get("AUTOTRAIN_GRADIO_HOSTS", "").split(",") if h.strip())
        value = env.get("AUTOTRAIN_GRADIO_SHARED", "").lower()
        if value in {"1", "true", "yes", "0", "false", "no"}:
            shared = value in {"1", "true", "yes"}
        elif shared is None:
            # Behind a name of its own others can reach the page, too.
            shared = on_space or bool(hosts)
        slots = _number(env, "AUTOTRAIN_GRADIO_SLOTS", at_least=1)
        grace = _number(env, "AUTOTRAIN_GRADIO_STOP_GRACE", at_least=0)
        limits = Limits() if grace is None else Limits(stop_grace_seconds=grace)
        return cls(
            home=home.resolve(),
            limits=limits,
            slots=None if slots is None else int(slots),
            shared=shared,
            visitors=VisitorLimits.from_env(env),
            hosts=hosts,
            uploads=upload_folder(env),
            on_space=on_space,
            hub_endpoint=env.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/"),
        )


def upload_folder(env: Mapping[str, str]) -> Path:
    """Return the folder in which Gradio stores uploads."""
    return Path(env.get("GRADIO_TEMP_DIR") or Path(tempfile.gettempdir()) / "gradio").resolve()


def _number(env: Mapping[str, str], name: str, *, at_least: float) -> float | None:
    text = env.get(name, "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not value >= at_least:
        raise UserError(f"{name} is '{text}': it must be a number, at least {at_least:g}.", "", name, "bad-variable")
    return value
