"""The settings of an installation, read from the environment once and passed down."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.text_format import GIB, MIB, format_bytes, parse_bytes
from autotrain_gradio.core.visitor_limits import VisitorLimits

SHARED_VARIABLE = "AUTOTRAIN_GRADIO_SHARED"
YES, NO = {"1", "true", "yes"}, {"0", "false", "no"}
MEMORY_VARIABLE = "AUTOTRAIN_GRADIO_TRAINING_MEMORY"
LEAST_MEMORY = 256 * MIB
"""Minimum memory of a training in bytes."""
AUTH_VARIABLE = "AUTOTRAIN_GRADIO_AUTH"
"""Environment variable with the `user:password` that the page requires; workers do not get it."""


def is_shared(env: Mapping[str, str]) -> bool:
    """Whether the environment asks for shared mode: what a worker inherits from a shared page."""
    return env.get(SHARED_VARIABLE, "").lower() in YES


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
    table_cells: int = 200_000_000
    """Maximum number of cells (rows × columns) of one table file."""
    table_rows: int = 50_000_000
    """Maximum number of rows of one table file."""
    table_columns: int = 20_000
    """Maximum number of columns of one table file."""
    table_bytes: int = 2 * GIB
    """Maximum size of a text table, of an unpacked workbook, and of the values of a Parquet file in memory."""
    media_bytes: int = 2 * GIB
    """Maximum size of one image file; audio is decoded in blocks."""
    call_seconds: float = 3600.0
    """Maximum duration of a check or another short call."""
    check_seconds: float = 600.0
    """Maximum duration of a check of uploaded files, to which `check_seconds_per_gibibyte` is added for their size."""
    check_seconds_per_gibibyte: float = 1800.0
    checks: int = 8
    """Maximum number of checks that run at the same time; others wait."""
    checks_per_visitor: int = 1
    """Maximum number of checks of one visitor that run at the same time, in shared mode."""
    checks_waiting: int = 16
    """Maximum number of checks that wait; further ones are refused."""
    training_memory: float = 0.85
    """Memory that a training may use: up to 1 a fraction of the machine's (or its container's) memory, which trainings
    that run at the same time share equally; else bytes of each."""
    call_mebibytes: int = 8192
    predict_seconds: float = 120.0
    predictor_idle_seconds: float = 300.0
    abandoned_seconds: float = 60.0
    """How long a check continues after its page was closed: time to reload the page or to reconnect."""
    stop_grace_seconds: float = 60.0
    """Time after a stop request before the process group of the worker is signalled."""
    draft_days: float = 7.0
    """Drafts that were not started are removed after this many days."""

    def for_visitors(self) -> Limits:
        """Return the stricter limits of shared mode, in which visitors upload files."""
        return replace(
            self,
            archive_members=min(self.archive_members, 200_000),
            archive_bytes=min(self.archive_bytes, 20 * GIB),
            table_cells=min(self.table_cells, 50_000_000),
            table_rows=min(self.table_rows, 10_000_000),
            table_bytes=min(self.table_bytes, GIB),
            media_bytes=min(self.media_bytes, GIB // 2),
            call_seconds=min(self.call_seconds, 1800.0),
            check_seconds=min(self.check_seconds, 120.0),
            check_seconds_per_gibibyte=min(self.check_seconds_per_gibibyte, 600.0),
            checks=min(self.checks, 4),
            call_mebibytes=min(self.call_mebibytes, 4096),
        )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Limits:
        """Return the limits of a worker: those for visitors if `AUTOTRAIN_GRADIO_SHARED` is 1."""
        env = os.environ if environ is None else environ
        return cls().for_visitors() if is_shared(env) else cls()

    def check_time(self, upload_bytes: int | None) -> float:
        """Return the time limit of a check in seconds. upload_bytes: None if the size of the data is not known."""
        if upload_bytes is None:
            return self.call_seconds
        return min(self.call_seconds, self.check_seconds + upload_bytes / GIB * self.check_seconds_per_gibibyte)


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
        `AUTOTRAIN_GRADIO_STOP_GRACE` (seconds), `AUTOTRAIN_GRADIO_TRAINING_MEMORY` (memory that trainings may use:
        `80%` of this machine's, divided by the slots, or for instance `12GB` each; default 85%),
        `AUTOTRAIN_GRADIO_SHARED` (1 or 0; overrides `shared`), `AUTOTRAIN_GRADIO_HOSTS` (names, separated by
        commas), `HF_ENDPOINT`; the limits of visitors are in `core/visitor_limits.py`.

        shared: public mode, unless the environment variable is set; None: on a Space, or with additional hosts.

        Raises:
            UserError: a variable is not a number, or too small.
        """
        env = os.environ if environ is None else environ
        on_space = bool(env.get("SPACE_ID"))
        if env.get("AUTOTRAIN_GRADIO_HOME"):
            home = _folder(env["AUTOTRAIN_GRADIO_HOME"])
        elif on_space:
            bucket = Path("/data")
            base = bucket if bucket.is_dir() and os.access(bucket, os.W_OK) else Path(tempfile.gettempdir())
            home = base / "autotrain-gradio"
        else:
            home = Path.home() / ".autotrain-gradio"
        hosts = tuple(h.strip() for h in env.get("AUTOTRAIN_GRADIO_HOSTS", "").split(",") if h.strip())
        value = env.get(SHARED_VARIABLE, "").lower()
        if value in YES | NO:
            shared = value in YES
        elif shared is None:
            # Behind a name of its own others can reach the page, too.
            shared = on_space or bool(hosts)
        slots = _number(env, "AUTOTRAIN_GRADIO_SLOTS", at_least=1)
        grace = _number(env, "AUTOTRAIN_GRADIO_STOP_GRACE", at_least=0)
        limits = Limits() if grace is None else Limits(stop_grace_seconds=grace)
        if (memory := _memory(env)) is not None:
            limits = replace(limits, training_memory=memory)
        return cls(
            home=Path(os.path.realpath(home)),
            limits=limits.for_visitors() if shared else limits,
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


def _folder(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        hint = "Write the path without '~'."
        where = "AUTOTRAIN_GRADIO_HOME"
        raise UserError(f"The folder '{text}' cannot be found: {error}", hint, where, "home-unusable") from None


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


def _memory(env: Mapping[str, str]) -> float | None:
    """Return the memory of a training as a fraction of the machine's or in bytes; None if it is not set."""
    text = env.get(MEMORY_VARIABLE, "").strip()
    if not text:
        return None
    percent = text.endswith("%")
    try:
        value = float(text[:-1]) / 100 if percent else parse_bytes(text)
    except ValueError:
        value = 0.0
    if not (0.05 <= value <= 1.0 if percent else value >= LEAST_MEMORY):
        wanted = f"a percentage from 5% to 100%, or a size such as 12GB, at least {format_bytes(LEAST_MEMORY)}"
        raise UserError(f"{MEMORY_VARIABLE} is '{text}': it must be {wanted}.", "", MEMORY_VARIABLE, "bad-variable")
    return value
