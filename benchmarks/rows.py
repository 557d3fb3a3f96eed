"""Result rows of the benchmarks, and their Markdown table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """A measurement and its baseline, from the same run on the same machine.

    ratio: ours / theirs, or the share to which the target applies.
    target: upper bound of the ratio; with `at_least` the lower bound.
    """

    name: str
    ours: str
    theirs: str
    ratio: float
    target: float
    at_least: bool = False

    @property
    def good(self) -> bool:
        """Whether the ratio meets the target."""
        return self.ratio >= self.target if self.at_least else self.ratio <= self.target

    def cells(self) -> list[str]:
        """Return the cells of the table row."""
        bound = "≥" if self.at_least else "≤"
        verdict = "yes" if self.good else "no"
        return [self.name, self.ours, self.theirs, f"{self.ratio:.3g}", f"{bound} {self.target:g}", verdict]


HEADER = ["measurement", "ours", "compared with", "ratio", "target", "met"]


def markdown(rows: list[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = [HEADER, ["---"] * len(HEADER), *(row.cells() for row in rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def peak_memory() -> int:
    """Return the peak resident memory of this process in bytes: VmHWM, proc(5).

    `getrusage` would include the peak of the parent process before exec.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024
