"""Metrics and progress in the output of a script. Workers only.

A line is used if it is

* a JSON object whose values are all numbers or null: `{"step": 10, "loss": 0.5}`,
* such an object, or `name=value` pairs, behind the tag `@metrics`,
* a dict of numbers as transformers' Trainer prints it: `{'loss': 0.5, 'epoch': 1.0}`,
* `@progress step=3 total=10`.

`step` and `epoch` are no metrics but their place; without a step the last one counts, or else the number of the line.
"""

from __future__ import annotations

import ast
import json
import math
import re
import time
from dataclasses import dataclass, field
from typing import Any

from autotrain_gradio.core.text_format import is_number, join_examples, pluralize
from autotrain_gradio.runs.reporter import Reporter

METRICS, PROGRESS = "@metrics", "@progress"
MAX_NAMES = 100
MAX_NAME = 80
MAX_STEP = 2**53
FREE_EVENTS = 20_000
"""Lines of metrics that are all recorded; of further ones, one in `THIN_SECONDS`."""
THIN_SECONDS = 0.5
_PAIR = re.compile(r"([^\s=]+)=(\S+)")


@dataclass(frozen=True)
class Measured:
    """Metrics of a line; values that are not finite are NaN."""

    values: dict[str, float]
    step: int | None = None
    epoch: float | None = None


@dataclass(frozen=True)
class Progressed:
    """Progress of a line."""

    step: int
    total: int


def parse_line(line: bytes) -> Measured | Progressed | str | None:
    """Return what a line reports; None: it is ordinary output; a text: why a tagged line is invalid."""
    text = line.strip()
    if text.startswith(b"{") and text.endswith(b"}"):
        return _measured(_object(text.decode("utf-8", "replace")))
    if not text.startswith(b"@"):
        return None
    tag, _, rest = text.decode("utf-8", "replace").partition(" ")
    if tag not in (METRICS, PROGRESS):
        return None
    rest = rest.strip()
    given = _object(rest) if rest.startswith("{") else {n: _number(v) for n, v in _PAIR.findall(rest)}
    if tag == PROGRESS:
        step, total = (given or {}).get("step"), (given or {}).get("total")
        if not is_number(step) or not is_number(total) or not 0 <= step <= total < MAX_STEP or total < 1:
            return "expected '@progress step=3 total=10'"
        return Progressed(int(step), int(total))
    return _measured(given) or "expected '@metrics step=3 loss=0.5' or a JSON object of numbers"


def _object(text: str) -> dict[str, Any] | None:
    """Return the object of a line of JSON or of a Python dict of numbers; None for anything else."""
    try:
        found = json.loads(text) if "'" not in text else ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None
    if not isinstance(found, dict):
        return None
    # transformers formats the numbers that it prints.
    return {n: _number(v) if "'" in text and isinstance(v, str) else v for n, v in found.items()}


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def _measured(given: dict[str, Any] | None) -> Measured | None:
    if not given or not all(isinstance(n, str) and (v is None or _is_float(v)) for n, v in given.items()):
        return None
    values = {n[:MAX_NAME]: math.nan if v is None else float(v) for n, v in given.items() if n not in ("step", "epoch")}
    if not values:
        return None
    step, epoch = given.get("step"), given.get("epoch")
    known = _is_float(step) and 0 <= step < MAX_STEP  # type: ignore[operator]
    of_epoch = float(epoch) if _is_float(epoch) and 0 <= epoch < MAX_STEP else None  # type: ignore[arg-type, operator]
    return Measured(values, int(step) if known else None, of_epoch)  # type: ignore[arg-type]


def _is_float(value: Any) -> bool:
    """Whether a value is a number, perhaps not a finite one."""
    return isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**1000)


@dataclass
class MetricRecorder:
    """Reports the metrics and the progress of a script's output to the run.

    Attributes:
        summary: name → `{first, last, lowest, highest, step}` of finite values.
        invalid, thinned, unnamed: number of tagged lines that are invalid, of lines that were not recorded because
            there are too many, and of values that were not because there are too many names.
    """

    run: Reporter
    summary: dict[str, dict[str, float]] = field(default_factory=dict)
    invalid: int = 0
    thinned: int = 0
    unnamed: int = 0
    _step: int | None = None
    _epoch: float = 0.0
    _lines: int = 0
    _next: float = 0.0
    _latest: dict[str, tuple[int, float, float]] = field(default_factory=dict)
    _why_invalid: str = ""

    def line(self, line: bytes) -> None:
        """Report what a line of output contains."""
        found = parse_line(line)
        if isinstance(found, str):
            self.invalid += 1
            self._why_invalid = self._why_invalid or found
        elif isinstance(found, Progressed):
            self.run.progress(found.step, found.total, 0.0, 0.0, own_steps=True)
        elif found is not None:
            self._record(found)

    def _record(self, found: Measured) -> None:
        self._lines += 1
        if found.step is not None:
            self._step = found.step
        step = self._lines if self._step is None else self._step
        self._epoch = self._epoch if found.epoch is None else found.epoch
        values = {n: v for n, v in found.values.items() if n in self.summary or len(self.summary) < MAX_NAMES}
        self.unnamed += len(found.values) - len(values)
        for name, value in values.items():
            self._summarize(name, step, value)
        now = time.monotonic()
        if self._lines > FREE_EVENTS and now < self._next:
            self.thinned += 1
            self._latest |= {name: (step, self._epoch, value) for name, value in values.items()}
            return
        self._next = now + THIN_SECONDS
        self._latest = {n: latest for n, latest in self._latest.items() if n not in values}
        self.run.metrics(step, self._epoch, values, own_steps=True)

    def _summarize(self, name: str, step: int, value: float) -> None:
        known = self.summary.setdefault(name, {})
        if math.isfinite(value):
            known["first"] = known.get("first", value)
            known["lowest"] = min(known.get("lowest", value), value)
            known["highest"] = max(known.get("highest", value), value)
            known["last"], known["step"] = value, float(step)

    def close(self) -> None:
        """Report the last values, and what was not recorded."""
        for name, (step, epoch, value) in self._latest.items():
            self.run.metrics(step, epoch, {name: value}, own_steps=True)
        if self.invalid:
            message = (
                f"{pluralize(self.invalid, 'tagged line')} of the output could not be parsed: {self._why_invalid}."
            )
            self.run.note(message, level="warning")
        if self.thinned:
            message = (
                f"The script printed {pluralize(self._lines, 'line')} of metrics; {self.thinned:,} were not recorded."
            )
            self.run.note(message, level="warning", hint="Print fewer, for instance every tenth step.")
        if self.unnamed:
            shown = join_examples(list(self.summary), limit=3)
            message = f"Only the first {MAX_NAMES} names of metrics are recorded ({shown})."
            self.run.note(message, level="warning", hint="Use 'step' for numbers that count.")
