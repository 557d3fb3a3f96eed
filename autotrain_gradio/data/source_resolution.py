"""Resolve the data source from a path and options, for the page, the command line and the worker."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from autotrain_gradio.core.errors import SpecError, did_you_mean
from autotrain_gradio.core.spec import DataSpec
from autotrain_gradio.data.declarations import NamedData, Source


def resolve_source(
    sources: Sequence[Source],
    spec: DataSpec,
    samples: Collection[str] = (),
    *,
    uploaded: bool = False,
    shared: bool = False,
) -> Source:
    """Return the source that the spec names, or the one whose `matches` has the greatest confidence.

    samples: names of the task's samples. uploaded: the draft holds uploaded files. shared: visitors ask; whether a file
    of the server exists is not revealed to them.

    Raises:
        SpecError: the task has no such source.
    """
    known = {source.name: source for source in sources}
    if spec.source:
        if spec.source in known:
            return known[spec.source]
        hint = did_you_mean(spec.source, known)
        raise SpecError(f"'{spec.source}' is not a data source.", hint, "data.source", "unknown-source")
    exists = bool(spec.path) and not shared and path_exists(expand_user(spec.path))
    named = NamedData(spec.path, spec.options, frozenset(samples), exists, uploaded)
    confidence = {s.name: s.matches(named) for s in sources if s.matches is not None}
    best = max(confidence, key=lambda name: confidence[name], default="")
    if not best or confidence[best] <= 0:
        raise SpecError(
            f"It is not clear where the data '{spec.path}' comes from.",
            f"Name the source: {', '.join(known)}.",
            "data.source",
            "unknown-source",
        )
    return known[best]


def expand_user(path: str) -> Path:
    """Return the path with `~` expanded, unchanged if the user does not exist."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def path_exists(path: Path) -> bool:
    """Return whether the path exists; False for an invalid one (too long, NUL)."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
