"""Limits of each visitor in shared mode: one table for the settings, their environment variables and their help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.text_format import GIB, parse_bytes

PREFIX = "AUTOTRAIN_GRADIO_VISITOR_"


def _limit(default: float, help_text: str) -> Any:
    return field(default=default, metadata={"help": help_text})


@dataclass(frozen=True)
class VisitorLimits:
    """Sizes are in bytes (in variables also `500MB` or `2GiB`). 0 in a variable means no limit, None here."""

    running: float | None = _limit(1, "Trainings of one visitor that run at the same time; further ones wait.")
    queued: float | None = _limit(3, "Trainings of one visitor that run or wait.")
    epochs: float | None = _limit(50, "Epochs of one training, for tasks that train in epochs.")
    hours: float | None = _limit(4, "Hours of one training; one that reaches the limit saves a checkpoint and stops.")
    all_queued: float | None = _limit(100, "Trainings of all visitors together that run or wait.")
    drafts: float | None = _limit(30, "Drafts and runs that one visitor keeps.")
    calls: float | None = _limit(3, "Previews, model inspections and predictions at the same time.")
    all_calls: float | None = _limit(16, "Such calls of all visitors together.")
    upload_bytes: float | None = _limit(4 * GIB, "Size of one upload.")
    upload_bytes_per_hour: float | None = _limit(8 * GIB, "Bytes that one address uploads in an hour.")
    disk_bytes: float | None = _limit(20 * GIB, "Disk space of all drafts and runs of one visitor.")

    @classmethod
    def unlimited(cls) -> VisitorLimits:
        """Return no limits, for the user of this computer."""
        return cls(**dict.fromkeys(help_texts()))

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> VisitorLimits:
        """Read the limits from `AUTOTRAIN_GRADIO_VISITOR_RUNNING` and so on.

        Raises:
            UserError: a variable is not a number or a size, or is negative.
        """
        given: dict[str, float | None] = {}
        for declared in fields(cls):
            text = env.get(variable(declared.name), "").strip()
            if text:
                given[declared.name] = _parse(variable(declared.name), text, size="bytes" in declared.name)
        return cls(**given)


def variable(name: str) -> str:
    """Return the environment variable of a limit."""
    return PREFIX + name.upper()


def help_texts() -> dict[str, str]:
    """Return limit → its help."""
    return {declared.name: str(declared.metadata["help"]) for declared in fields(VisitorLimits)}


def _parse(name: str, text: str, *, size: bool) -> float | None:
    try:
        value = parse_bytes(text) if size else float(text)
    except ValueError:
        value = -1.0
    if not value >= 0:
        kind = "a size such as 500MB or 2GiB" if size else "a number"
        raise UserError(f"{name} is '{text}': it must be {kind}; 0 means no limit.", "", name, "bad-variable")
    return value or None
