"""What a benchmark returns, and how it is printed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One measured figure beside what it is compared with, from the same run on the same machine.

    ratio: ours / theirs, or the share that the target speaks of.
    target: bound of the ratio; `at_least` says on which side of it is good.
    """

    name: str
    ours: str
    theirs: str
    ratio: float
    target: float
    at_least: bool = False

    @property
    def good(self) -> bool:
        """Whether the ratio is on the right side of its target."""
        return self.ratio >= self.target if self.at_least else self.ratio <= self.target

    def cells(self) -> list[str]:
        """Return the cells of the table of results."""
        bound = "≥" if self.at_least else "≤"
        verdict = "yes" if self.good else "no"
        return [self.name, self.ours, self.theirs, f"{self.ratio:.3g}", f"{bound} {self.target:g}", verdict]


HEADER = ["measurement", "ours", "compared with", "ratio", "target", "met"]


def markdown(rows: list[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = [HEADER, ["---"] * len(HEADER), *(row.cells() for row in rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def peak_memory() -> int:
    """Return the most bytes that this process has held in memory: VmHWM, proc(5).

    `getrusage` would tell of the process that started this one, if that had more.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024
