"""Findings, and the errors that carry them: every problem that is reported to a user.

A message says what happened and which value was seen; `where` says in which file, row, column or
setting; `hint` says what to do. A traceback is never part of it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Level = Literal["error", "warning", "info"]
INTERRUPTED = "stopped-by-signal"
"""Code of the error of a training that the user has stopped with Ctrl-C."""
LEVELS: tuple[Level, ...] = ("error", "warning", "info")


@dataclass(frozen=True)
class Fix:
    """A change of `RunSpec.data` that resolves a finding.

    label: what the button says.
    change: deep-merged into the spec's `data` section, for instance `{"labels": {"Cat": "cat"}}`.
    note: a sentence about its effect, where a finding has several.
    """

    label: str
    change: dict[str, Any]
    note: str = ""


@dataclass(frozen=True)
class Finding:
    """One problem or fact about a dataset, a spec or a run.

    Only the level `error` prevents training. `code` is stable, in kebab-case, for programs and tests.
    alternatives: further fixes, each with a note: the data allows several, and the finding says which one was assumed.
    """

    level: Level
    code: str
    message: str
    hint: str = ""
    where: str = ""
    fix: Fix | None = None
    alternatives: tuple[Fix, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON-ready data; without the keys `fix` and `alternatives` if it has none."""
        data = asdict(self)
        data["alternatives"] = list(data["alternatives"])
        return {k: v for k, v in data.items() if k not in {"fix", "alternatives"} or v}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Finding:
        """Rebuild a finding from `to_dict`."""
        fix, alternatives = data.get("fix"), data.get("alternatives") or ()
        known = {k: data[k] for k in ("level", "code", "message", "hint", "where") if k in data}
        return cls(**known, fix=Fix(**fix) if fix else None, alternatives=tuple(Fix(**a) for a in alternatives))

    def __str__(self) -> str:
        text = self.message
        if self.where:
            text = f"{self.where}: {text}"
        return " ".join([text, *filter(None, (self.hint, *(a.note for a in self.alternatives)))])


def count_by_level(findings: Iterable[Finding]) -> dict[Level, int]:
    """Count findings per level, every level present."""
    counts: dict[Level, int] = dict.fromkeys(LEVELS, 0)
    for finding in findings:
        counts[finding.level] += 1
    return counts


@dataclass(eq=False)
class UserError(Exception):
    """An error that the user can correct. Any other exception is a bug, and crashes."""

    message: str
    hint: str = ""
    where: str = ""
    code: str = "error"
    findings: Sequence[Finding] = field(default_factory=tuple)

    def __post_init__(self) -> None:
        super().__init__(self.message)
        if not self.findings:
            self.findings = (Finding("error", self.code, self.message, self.hint, self.where),)

    @classmethod
    def from_findings(cls, findings: Sequence[Finding]) -> UserError:
        """Return one error for several findings; its message is that of the first finding of level error."""
        first = next((f for f in findings if f.level == "error"), findings[0])
        more = sum(f.level == "error" for f in findings) - 1
        message = first.message if more < 1 else f"{first.message} (and {more} more)"
        return cls(message, first.hint, first.where, first.code, tuple(findings))

    def __str__(self) -> str:
        return "\n".join(str(finding) for finding in self.findings)


class SpecError(UserError):
    """The run's settings are wrong: an unknown name, a value out of range."""


class DataError(UserError):
    """The data cannot be read or trained on."""


class NotFound(UserError):
    """A requested run, task or file does not exist."""


class Forbidden(UserError):
    """The caller has no permission for this."""


class StateError(UserError):
    """The state of the run does not allow this."""


class MissingExtra(UserError):
    """An optional package is needed; the hint is its exact install command."""


class WorkerError(UserError):
    """A worker process exited without a result: killed, cancelled, out of memory or timed out."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a sentence with the closest known names, or a list of the known names when none is close."""
    names = sorted(set(known))
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if near:
        return "Did you mean " + " or ".join(f"'{n}'" for n in near) + "?"
    shown = ", ".join(names[:30]) + (" …" if len(names) > 30 else "")
    return f"Known: {shown}." if names else ""


def similar_names(missing: Iterable[str], given: Iterable[str]) -> str:
    """Return a question with the closest given name of each missing one: "Did you mean 'Rooms' for 'rooms'?"; or "".

    Case does not matter.
    """
    folded = {name.casefold(): name for name in given}
    near = {name: difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6) for name in missing}
    found = [f"'{folded[close[0]]}' for '{name}'" for name, close in near.items() if close]
    return f"Did you mean {', '.join(found)}?" if found else ""
