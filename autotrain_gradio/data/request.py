"""What the data layer is asked for. Made from a resolved spec; knows roles and kinds, not tasks."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.spec import DataSpec
from autotrain_gradio.data.declarations import Check, Column, Format, Kind, Layout, Source
from autotrain_gradio.data.source_resolution import resolve_source

VERSION = 10
"""Part of every key: raise it when the same request would give other rows."""


@dataclass(frozen=True)
class Request:
    """Everything that decides about the rows.

    title: the task's name for people, for messages.
    columns: of the format that is used; until it is detected, those of all formats.
    samples: name of a sample → its folder, as `Sample.path` has it.
    token: for a gated or private dataset; never written anywhere.
    """

    title: str
    spec: DataSpec
    columns: tuple[Column, ...]
    sources: tuple[Source, ...]
    layouts: tuple[Layout, ...]
    checks: tuple[Check, ...] = ()
    formats: tuple[Format, ...] = ()
    """Alternative sets of columns; without any, `columns` is the only one."""
    files_only: bool = False
    """The data is files that are used as they are: none are held out for validation."""
    samples: Mapping[str, str] = field(default_factory=dict)
    seed: int = 42
    limits: Limits = field(default_factory=Limits)
    endpoint: str = "https://huggingface.co"
    token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.formats:
            object.__setattr__(self, "formats", (Format("default", "", self.columns),))

    @classmethod
    def of(cls, resolved: Any, *, limits: Limits | None = None, environ: Mapping[str, str] | None = None) -> Request:
        """Make a request of anything with a `spec`, a `task` and `params`, as `registry.Resolved` has.

        The Hub's address and token are read from `HF_ENDPOINT` and `HF_TOKEN`, or from `hf auth login`.
        """
        env = os.environ if environ is None else environ
        task = resolved.task
        return cls(
            title=task.title,
            spec=resolved.spec.data,
            columns=tuple(task.columns),
            formats=tuple(task.formats),
            sources=tuple(task.sources),
            layouts=tuple(task.layouts),
            checks=tuple(task.checks),
            files_only=task.files_only,
            samples={s.name: s.path for s in task.samples},
            seed=int(getattr(resolved.params, "seed", 42)),
            limits=limits or Limits.from_env(env),
            endpoint=(env.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/"),
            token=_token(env),
        )

    @property
    def media(self) -> Kind | None:
        """The first kind of column whose cells are files."""
        return next((c.kind for c in self.columns if c.kind.suffixes), None)

    @property
    def files(self) -> Kind:
        """The same, for layouts that read files.

        Raises:
            LookupError: the task has no such column, and must not declare the layout.
        """
        if self.media is None:
            raise LookupError(f"{self.title} has no column of files")
        return self.media

    @property
    def whole_folder(self) -> bool:
        """Whether all files of a folder belong to the data, whatever they are."""
        return all(layout.whole for layout in self.layouts)

    @property
    def needs_media(self) -> bool:
        """Whether every format has a column of files, so that a table without media files cannot be used."""
        return all(any(c.kind.suffixes for c in f.columns) for f in self.formats)

    def with_format(self, format: Format) -> Request:
        """Return the request for the columns of one of its formats."""
        return replace(self, columns=format.columns)

    @property
    def class_column(self) -> Column | None:
        """The first target column whose cells are class names, which folders can give."""
        return next((c for c in self.columns if c.is_target and c.kind.classes), None)

    def source(self, draft: Path) -> Source:
        """Return the source that the spec names, or the one that its path means.

        Raises:
            SpecError: the task has no such source.
        """
        uploaded = any((draft / "data" / name).is_dir() for name in ("upload", "media"))
        return resolve_source(self.sources, self.spec, self.samples, uploaded=uploaded)

    def key(self) -> str:
        """Return a digest of all settings that decide about the rows."""
        roles = [
            (f.name, c.role, c.purpose, c.kind.name, c.many, c.join, c.rest) for f in self.formats for c in f.columns
        ]
        parts = [VERSION, self.spec.model_dump(mode="json"), roles, self.seed, self.endpoint]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _token(env: Mapping[str, str]) -> str | None:
    if env.get("HF_TOKEN") or env.get("HF_HUB_DISABLE_IMPLICIT_TOKEN"):
        return env.get("HF_TOKEN") or None
    from huggingface_hub import get_token

    return get_token()
