"""What the report says of a search, without one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from autotrain_gradio.training.tabular import report
from autotrain_gradio.training.tabular.search import Search


def search(*tried: tuple[str, float]) -> Search:
    """Return what the report asks of a search with these trials: the family's title and the score."""
    entries = [SimpleNamespace(family=SimpleNamespace(title=t), score=s, spread=0.01) for t, s in tried]
    found: Any = SimpleNamespace(
        leaderboard=lambda: sorted(entries, key=lambda e: -e.score),
        problem=SimpleNamespace(score=SimpleNamespace(title="R²")),
    )
    return cast(Search, found)


def test_kinds_of_models_are_compared_by_their_best_trial() -> None:
    drawn = report.families(search(("Ridge", 0.8), ("SVM", 0.9), ("SVM", 0.7), ("SVM", 0.85), ("Tree", 0.4)))
    assert [p["title"] for p in drawn] == ["Each kind of model"]
    assert drawn[0]["columns"] == ["model", "best R²", "±", "trials"]
    assert drawn[0]["rows"] == [["SVM", 0.9, 0.01, 3], ["Ridge", 0.8, 0.01, 1], ["Tree", 0.4, 0.01, 1]]


def test_where_the_leaderboard_says_it_all_nothing_is_compared() -> None:
    assert report.families(search(("Ridge", 0.8), ("SVM", 0.9))) == []
    assert report.families(search(("Ridge", 0.8), ("Ridge", 0.9))) == []
