"""The report of a search, of trials that were not run."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from autotrain_gradio import data
from autotrain_gradio.training.tabular import engine, report
from autotrain_gradio.training.tabular.search import Search
from tests.unit.data import roles
from tests.unit.data.conftest import plant


def search(*tried: tuple[str, float], metric: str = "R²") -> Search:
    """Return what the report asks of a search with these trials: the family's title and the score."""
    entries = [SimpleNamespace(family=SimpleNamespace(title=t), score=s, spread=0.01) for t, s in tried]
    found: Any = SimpleNamespace(
        leaderboard=lambda: sorted(entries, key=lambda e: -e.score),
        problem=SimpleNamespace(score=SimpleNamespace(title=metric)),
    )
    return cast(Search, found)


def test_model_families_are_compared_by_their_best_trial() -> None:
    drawn = report.families(search(("Ridge", 0.8), ("SVM", 0.9), ("SVM", 0.7), ("SVM", 0.85), ("Tree", 0.4)))
    assert [p["title"] for p in drawn] == ["Best trial of each model family"]
    assert drawn[0]["columns"] == ["model", "best R²", "±", "trials"]
    assert drawn[0]["rows"] == [["SVM", 0.9, 0.01, 3], ["Ridge", 0.8, 0.01, 1], ["Tree", 0.4, 0.01, 1]]
    drawn = report.families(search(("Ridge", 0.8), ("SVM", 0.9), ("SVM", 0.7), metric="Balanced accuracy"))
    assert drawn[0]["columns"][1] == "best balanced accuracy"


def test_the_comparison_is_omitted_for_one_trial_per_family() -> None:
    assert report.families(search(("Ridge", 0.8), ("SVM", 0.9))) == []
    assert report.families(search(("Ridge", 0.8), ("Ridge", 0.9))) == []


@pytest.mark.parametrize("files, first", [(("a.csv",), "row 2"), (("a.csv", "b.csv"), "a.csv, row 2")])
def test_rows_are_named_by_their_location_in_the_data(tmp_path: Path, files: tuple[str, ...], first: str) -> None:
    draft = tmp_path / "draft"
    draft.mkdir()
    lines = "".join(f"{i}.5,{i * i % 7}\n" for i in range(30))
    folder = plant(tmp_path / "in", {name: f"size,target\n{lines}" for name in files})
    roles.check(draft, roles.NUMBERS, folder, valid_fraction=0.2)
    manifest = json.loads((draft / "data" / "manifest.json").read_text())
    seen = []
    for part in data.load(draft).values():
        found = engine.read_split(part, {"size": "number"}, manifest)
        for row, size in enumerate(found.frame["size"]):
            assert found.names[row].endswith(f"row {int(size) + 2}")
            seen.append(found.names[row])
    assert first in seen and len(set(seen)) == 30 * len(files)
