"""Numeric targets: the columns of the role `target`, one number each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from datasets import Dataset

from autotrain_gradio.data.files.json_files import read_json

ROLE = "target:"


@dataclass(frozen=True)
class Targets:
    """The targets of a data set. names: of their columns. units: name → unit of the numbers, if they have one."""

    names: tuple[str, ...]
    units: Mapping[str, str]

    @classmethod
    def of(cls, directory: Path, rows: Dataset) -> Targets:
        """Return the targets of a split of a run or draft in a directory."""
        units = (read_json(directory / "data" / "manifest.json") or {}).get("units") or {}
        names = tuple(name.removeprefix(ROLE) for name in rows.column_names if name.startswith(ROLE))
        return cls(names, {name: units[name] for name in names if name in units})

    def values(self, rows: Dataset) -> np.ndarray:
        """Return the numbers float64 (rows, targets)."""
        return np.column_stack([np.asarray(rows[ROLE + name], dtype=np.float64) for name in self.names])

    def shown(self, number: float, name: str) -> str:
        """Format a number with the unit of its target."""
        unit = self.units.get(name, "")
        return f"{number:,.4g}{f' {unit}' if unit else ''}"

    def listed(self, rows: Dataset, row: int) -> str:
        """Return the numbers of a row: the only one, or each with the name of its target."""
        texts = [self.shown(float(rows[row][ROLE + name]), name) for name in self.names]
        return texts[0] if len(texts) == 1 else ", ".join(f"{n} {t}" for n, t in zip(self.names, texts, strict=True))
