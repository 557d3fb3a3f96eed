"""What a terminal shows: text, tables, findings, panels, and the progress of a training."""

from __future__ import annotations

import json
import re
import shutil
import statistics
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.panels import Panel, unit_of

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
LABEL = 40
"""Characters of a bar's label that are shown."""
LINES_EVERY = 10.0
"""Seconds between two lines of progress where the output is no terminal."""


def say(text: str = "", *, error: bool = False, end: str = "\n") -> None:
    """Print text; to stderr when `error`. Control characters, which may come from data, are replaced."""
    print(_CONTROL.sub("�", text), end=end, file=sys.stderr if error else sys.stdout, flush=True)


def say_json(value: Any) -> None:
    """Print a value as JSON."""
    print(json.dumps(value, ensure_ascii=False, indent=2), flush=True)


def say_error(error: UserError, rename: Mapping[str, str] | None = None) -> None:
    """Print an error's findings to stderr: message, where, hint; never a traceback.

    rename: place in the spec → how the person wrote it (`params.lr` → `--lr`).
    """
    say(findings_text((f.to_dict() for f in error.findings), rename), error=True)


def findings_text(findings: Iterable[Mapping[str, Any]], rename: Mapping[str, str] | None = None) -> str:
    """Write findings, errors first: one paragraph each."""
    order = {"error": 0, "warning": 1, "info": 2}
    found = []
    for finding in sorted(findings, key=lambda f: order[f["level"]]):
        where = str(finding.get("where") or "")
        where = (rename or {}).get(where, where)
        text = f"{finding['level']}: {finding['message']}"
        if where and where not in finding["message"]:
            text += f"\n  where: {where}"
        if finding.get("hint"):
            text += f"\n  {finding['hint']}"
        found.append(text)
    return "\n".join(found)


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, indent: str = "") -> str:
    """Lay out a table; numbers to the right, all else to the left."""
    cells = [[show(v) for v in row] for row in rows]
    widths = [max(len(c), *(len(r[i]) for r in cells)) if cells else len(c) for i, c in enumerate(columns)]
    right = [bool(rows) and all(isinstance(r[i], int | float) for r in rows) for i in range(len(columns))]

    def line(values: Sequence[str]) -> str:
        parts = [v.rjust(w) if r else v.ljust(w) for v, w, r in zip(values, widths, right, strict=True)]
        return (indent + "  ".join(parts)).rstrip()

    return "\n".join([line(columns), line(["-" * w for w in widths]), *(line(r) for r in cells)])


def show(value: Any) -> str:
    """Write a value short: numbers with four digits, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e6 else f"{value:,.0f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return ", ".join(show(v) for v in value)
    return " ".join(str(value).split())


def panel_text(panel: Panel, *, rows: int = 20) -> str:
    """Write a panel as text; `rows`: longer tables are cut, and say so."""
    title = panel.get("title") or ""
    body = _PANELS[panel["kind"]](panel, rows)
    note = panel.get("note") or ""
    return "\n".join(part for part in (title, body, f"  {note}" if note else "") if part)


def _numbers(panel: Panel, rows: int) -> str:
    width = max((len(str(i["label"])) for i in panel["items"]), default=0)
    return "\n".join(f"  {str(i['label']).ljust(width)}  {show(i['value'])}" for i in panel["items"])


def _bars(panel: Panel, rows: int) -> str:
    series: dict[str, list[float]] = panel["series"]
    totals = [sum(values[i] for values in series.values()) for i in range(len(panel["labels"]))]
    labels = [show(label) if len(label) <= LABEL else f"{show(label[:LABEL])}…" for label in panel["labels"]]
    width, most = max((len(label) for label in labels), default=0), max(totals, default=0) or 1
    lines = []
    for i, (label, total) in list(enumerate(zip(labels, totals, strict=True)))[:rows]:
        parts = " + ".join(show(values[i]) for values in series.values())
        figures = parts if len(series) > 1 else show(total)
        lines.append(
            f"  {label.ljust(width)}  {'█' * round(24 * total / most)} {figures} {unit_of(panel, total)}".rstrip()
        )
    if len(series) > 1:
        lines.append(f"  ({' + '.join(series)})")
    return "\n".join(lines) + _more(len(totals), rows)


def _lines(panel: Panel, rows: int) -> str:
    found = []
    for name, points in panel["series"].items():
        if points:
            found.append([name, points[0][1], points[-1][1], min(p[1] for p in points), max(p[1] for p in points)])
    return table(["", "first", "last", "lowest", "highest"], found, indent="  ")


def _scatter(panel: Panel, rows: int) -> str:
    """Write the ranges and how closely the points follow each other: a terminal has no place to draw them."""
    points = [(float(a), float(b)) for a, b in panel["points"]]
    if not points:
        return "  no points"
    found = [
        [name, min(v), statistics.fmean(v), max(v)]
        for name, v in zip((panel["x"], panel["y"]), zip(*points, strict=True), strict=True)
    ]
    body = table(["", "lowest", "mean", "highest"], found, indent="  ")
    if len({a for a, _ in points}) < 2 or len({b for _, b in points}) < 2:
        return body
    return f"{body}\n  correlation {statistics.correlation(*zip(*points, strict=True)):.3f}, {len(points):,} points"


def _matrix(panel: Panel, rows: int) -> str:
    labels = panel["labels"]
    body = [[label, *values[:rows]] for label, values in zip(labels, panel["values"], strict=True)][:rows]
    head = f"  rows: {panel['rows']}, columns: {panel['columns']}\n"
    return head + table(["", *labels[:rows]], body, indent="  ") + _more(len(labels), rows)


def _table(panel: Panel, rows: int) -> str:
    return table(panel["columns"], panel["rows"][:rows], indent="  ") + _more(len(panel["rows"]), rows)


def _gallery(panel: Panel, rows: int) -> str:
    lines = []
    for item in panel["items"][:rows]:
        words = [str(item[k]) for k in ("group", "caption", "detail") if item.get(k)]
        lines.append(f"  {item['file']}" + (f": {' · '.join(words)}" if words else ""))
    return "\n".join(lines) + _more(len(panel["items"]), rows)


def _transcripts(panel: Panel, rows: int) -> str:
    """Write what was said over what was recognised; `[-missing-]`, `{+added+}` and `[-old-]{+new+}` as wdiff has it."""
    lines = []
    for row in panel["rows"][:rows]:
        figures = [f"{n.upper()} {float(row[n]):.0%}" for n in ("wer", "cer") if row.get(n) is not None]
        facts = [str(row[n]) for n in ("file", "caption") if row.get(n)]
        lines.append("  " + " ".join(_marked(part) for part in row["parts"]))
        if facts or figures:
            lines.append("    " + " · ".join([*facts, *figures]))
    return "\n".join(lines) + _more(len(panel["rows"]), rows)


def _marked(part: Mapping[str, Any]) -> str:
    if part["is"] == "same":
        return show(part["reference"])
    return "".join(
        form.format(show(part[side]))
        for side, form in (("reference", "[-{}-]"), ("prediction", "{{+{}+}}"))
        if part[side]
    )


def _tokens(panel: Panel, rows: int) -> str:
    lines = []
    for item in panel["items"][:rows]:
        cut = f" ✂ {'|'.join(show(t) for t in item['cut'])}" if item["cut"] else ""
        more = f" … and {show(item['more'])} more" if item["more"] else ""
        lines += [f"  {show(item['label'])}", f"    {'|'.join(show(t) for t in item['read'])}{cut}{more}"]
    return "\n".join(lines) + _more(len(panel["items"]), rows)


def _markdown(panel: Panel, rows: int) -> str:
    return str(panel["text"])


def _more(total: int, rows: int) -> str:
    return f"\n  … and {total - rows} more" if total > rows else ""


_PANELS = {
    "numbers": _numbers,
    "bars": _bars,
    "lines": _lines,
    "scatter": _scatter,
    "matrix": _matrix,
    "table": _table,
    "gallery": _gallery,
    "transcripts": _transcripts,
    "tokens": _tokens,
    "markdown": _markdown,
}


def duration(seconds: float) -> str:
    """Write a time span: `42 s`, `3 min 5 s`, `2 h 10 min`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class Bar:
    """Shows what a call or a training is doing: one line that changes on a terminal, else a line now and then."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._live = sys.stderr.isatty()
        self._last, self._time, self._drawn = "", 0.0, False
        self._notes: set[str] = set()
        self._evaluated: float = -1
        self._state = ""

    def call(self, message: str, fraction: float) -> None:
        """Show the progress of a call, for instance of a check."""
        self._draw(f"{_bar(fraction)} {message}", important=False)

    def training(self, snapshot: Mapping[str, Any]) -> None:
        """Show a run's snapshot: its state, progress, new notes and new validation figures."""
        for note in snapshot["notes"]:
            if note["message"] not in self._notes:
                self._notes.add(note["message"])
                self.print(f"{note['level']}: {note['message']}" + (f"\n  {note['hint']}" if note["hint"] else ""))
        self._evaluation(snapshot)
        changed = snapshot["state"] != self._state
        self._state = snapshot["state"]
        self._draw(training_line(snapshot), important=changed)

    def _evaluation(self, snapshot: Mapping[str, Any]) -> None:
        found = {n: p for n, p in snapshot["series"].items() if n.startswith("eval_") and p}
        step = max((p[-1][0] for p in found.values()), default=-1)
        if step > self._evaluated:
            self._evaluated = step
            wanted = ["eval_loss", *(f"eval_{n}" for n in _headlines(snapshot))]
            figures = [f"{n.removeprefix('eval_')} {show(found[n][-1][1])}" for n in wanted if n in found]
            if figures:
                self.print(f"validation at step {step:g}: " + ", ".join(figures))

    def print(self, text: str) -> None:
        """Print a line that stays, above the one that changes."""
        if not self._quiet:
            self.clear()
            say(text, error=True)

    def _draw(self, line: str, *, important: bool) -> None:
        if self._quiet or line == self._last:
            return
        now = time.monotonic()
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write("\r\x1b[2K" + _CONTROL.sub(" ", line)[:width])
            sys.stderr.flush()
            self._drawn = True
        elif important or now - self._time >= LINES_EVERY:
            say(line, error=True)
        else:
            return
        self._last, self._time = line, now

    def clear(self) -> None:
        """Remove the line that changes."""
        if self._drawn:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
            self._drawn, self._last = False, ""


def training_line(snapshot: Mapping[str, Any]) -> str:
    """Say in one line what a run is doing."""
    state, progress = snapshot["state"], snapshot["progress"]
    if state == "queued":
        place = snapshot.get("queue_position")
        return "Waiting in the queue" + (f", number {place}" if place else "")
    if state in {"running", "stopping"} and progress:
        parts = [_bar(progress["fraction"]), f"{progress['unit']} {progress['step']:,} of {progress['total']:,}"]
        if progress["epochs"]:
            parts.append(f"epoch {progress['epoch']:.1f} of {progress['epochs']:g}")
        if "loss" in snapshot["metrics"]:
            parts.append(f"loss {show(snapshot['metrics']['loss'])}")
        if progress["eta_seconds"] is not None:
            parts.append(f"{duration(progress['eta_seconds'])} left")
        return "  ".join([*parts, *(["stopping"] if state == "stopping" else [])])
    return snapshot["title"] + (f": {snapshot['detail']}" if snapshot.get("detail") else "")


def _headlines(snapshot: Mapping[str, Any]) -> list[str]:
    best = snapshot.get("best")
    return [best["name"]] if best and best["name"] != "loss" else []


def _bar(fraction: float, width: int = 24) -> str:
    full = round(max(0.0, min(1.0, fraction)) * width)
    return f"[{'#' * full}{'.' * (width - full)}] {fraction:4.0%}"
