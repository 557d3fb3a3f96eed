"""The search: its folds, of which none shares a row with another, and what is left of it when it is stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autotrain_gradio.data.values import content_ids
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.registry import resolve
from autotrain_gradio.tasks.tabular_classification import TASK
from autotrain_gradio.tasks.tabular_classification import train as classification
from autotrain_gradio.tasks.tabular_regression import train as regression
from autotrain_gradio.training.tabular import engine, families, model, scoring, search
from tests.unit.training.tabular.conftest import CLASSIFY, REGRESS, Make


def noise(rows: int, times: int) -> pd.DataFrame:
    """Return rows of which nothing can be learnt, each so many times, in any order."""
    draw = np.random.default_rng(5)
    table = pd.DataFrame(
        {"a": draw.normal(size=rows), "b": draw.normal(size=rows), "c": draw.choice(list("xyz"), rows)}
    )
    table.loc[::9, "a"] = None
    table["target"] = np.arange(rows) % 2
    return pd.concat([table] * times).sample(frac=1, random_state=0, ignore_index=True)


def targets(table: pd.DataFrame, kind: str) -> list[model.Target]:
    """Return targets: classes of one column, several labels, or numbers."""
    codes = table["target"].to_numpy(dtype=np.int64)
    if kind == "number":
        return [model.Target("target", codes + table["b"].to_numpy())]
    return [model.Target(f"target {n}", codes, ["no", "yes"]) for n in range(2 if kind == "labels" else 1)]


@pytest.mark.parametrize("kind", ["class", "labels", "number"])
@pytest.mark.parametrize("wanted", [None, 1, 3])
@pytest.mark.parametrize("times", [2, 3])
def test_copies_of_a_row_lie_in_one_fold(kind: str, wanted: int | None, times: int) -> None:
    table = noise(60, times)
    rows = table.drop(columns="target")
    content = search.content_ids(rows)
    found = list(search.make_splits(targets(table, kind), wanted, 3, content))
    assert len(found) == (wanted or 5)
    for train, validation in found:
        assert sorted([*train, *validation]) == list(range(len(table))) and len(validation) >= len(table) // 10
        assert not set(rows["b"].iloc[train]) & set(rows["b"].iloc[validation])
        if kind == "class":
            assert 0.3 < table["target"].iloc[validation].mean() < 0.7
    again = list(search.make_splits(targets(table, kind), wanted, 3, content))
    assert all((a == b).all() for x, y in zip(found, again, strict=True) for a, b in zip(x, y, strict=True))


def test_rows_that_are_equal_by_chance_are_no_copies() -> None:
    draw = np.random.default_rng(0)
    few = [draw.integers(0, 3, 400) for _ in range(3)]
    assert content_ids.by_chance(content_ids.of_columns(few), few)
    many = [np.tile(draw.integers(0, top, 200), 2) for top in (2**60, 9, 2**60)]
    assert not content_ids.by_chance(content_ids.of_columns(many), many)
    frame = pd.DataFrame({"a": few[0], "b": few[1], "c": few[2]})
    assert (search.content_ids(frame) == -1).all()


def test_learning_by_heart_does_not_lead_the_board(prepared: Make) -> None:
    made = prepared(noise(80, 4), model="knn", num_trials=1, data={"valid_fraction": 0})
    classification.train(made.reporter())
    report = {p["title"]: p for p in json.loads((made.directory / "report.json").read_text())}
    board = report["Leaderboard"]
    assert board["rows"][0][2] < 0.75, "its neighbours are no copies of a row"
    assert "320 rows are duplicates; duplicates are in the same fold" in board["note"]


class Stopped(Reporter):
    """Is asked to stop once the best model is being fitted on all rows."""

    at = "Fitting the best model"

    def state(self, state: str, detail: str = "") -> None:
        super().state(state, detail)
        if detail.startswith(self.at):
            self.request_stop()


def fits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets the number of rows of each fit."""
    found: list[int] = []
    fit = model.fit

    def counted(family: Any, settings: Any, rows: Any, *rest: Any, **more: Any) -> Any:
        found.append(len(rows))
        return fit(family, settings, rows, *rest, **more)

    monkeypatch.setattr(model, "fit", counted)
    return found


@pytest.mark.parametrize("task", [CLASSIFY, REGRESS])
def test_a_stop_waits_for_one_fit_only(prepared: Make, monkeypatch: pytest.MonkeyPatch, task: str) -> None:
    table = noise(60, 1)
    if task == REGRESS:
        table["target"] += table["b"]
    made = prepared(table, task, model="decision_tree", num_trials=1, folds=4, data={"valid_fraction": 0})
    found = fits(monkeypatch)
    asked: list[int] = []
    monkeypatch.setattr(engine, "importance", lambda *a, **k: asked.append(1))
    run = Stopped(made.directory, made.resolved.spec, made.resolved.params)
    (classification if task == CLASSIFY else regression).train(run)
    assert found == [45] * 4 + [60] and not asked
    assert run.model.exists() and made.events("result"), "what is known of each row was kept from the search"
    drawn = [p["title"] for p in json.loads((made.directory / "report.json").read_text())]
    assert drawn[:2] == ["Results", "Leaderboard"] and "Permutation importance" not in drawn


def test_a_stop_of_a_later_attempt_saves_what_there_is(prepared: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = prepared(noise(60, 1), model="decision_tree", num_trials=1, folds=4, data={"valid_fraction": 0})
    classification.train(made.reporter())
    found = fits(monkeypatch)
    run = Stopped(made.directory, made.resolved.spec, made.resolved.params, attempt=2, resume=True)
    classification.train(run)
    assert found == [60] and run.model.exists()
    assert "only its cross-validation score" in made.events("note")[-1]["message"]
    assert [p["title"] for p in json.loads((made.directory / "report.json").read_text())] == ["Leaderboard"]
    third = made.reporter(3)
    classification.train(third)
    assert len(found) == 6, "one fit of all rows, and the four folds, since nobody stops it"
    titles = [p["title"] for p in json.loads((made.directory / "report.json").read_text())]
    assert titles[:3] == ["Results", "Leaderboard", "Permutation importance"]


def test_the_leaderboard_is_there_before_the_last_fit(prepared: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = prepared(noise(60, 1), model="decision_tree", num_trials=1)
    monkeypatch.setattr(engine, "_fit", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        classification.train(made.reporter())
    assert json.loads((made.directory / "report.json").read_text())[0]["title"] == "Leaderboard"


def test_large_answers_are_worked_out_again(prepared: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for size in (2**28, 0):
        monkeypatch.setattr(search, "CACHE_BYTES", size)
        made = prepared(
            noise(60, 1), model="decision_tree", num_trials=2, data={"valid_fraction": 0}, name=f"kept {size}"
        )
        classification.train(made.reporter())
        found.append(made.events("result")[-1]["values"])
    assert found[0] == found[1]


def test_a_family_that_was_cut_off_is_tried_again_with_its_defaults(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    rows = pd.DataFrame({"x": draw.normal(size=60)})
    target = model.Target("target", (rows["x"] > 0).to_numpy().astype(np.int64), ["no", "yes"])
    params = resolve({"task": CLASSIFY, "params": {"num_trials": 2, "folds": 3}}).params
    problem = search.Problem(rows, {"x": "number"}, [target], scoring.score("accuracy", TASK.metrics), params, 1)
    known = families.select("logistic_regression,decision_tree", "classification", 60)
    stop: list[bool] = []

    def found(*, resume: bool) -> search.Search:
        return search.Search(
            problem,
            known,
            tmp_path,
            resume=resume,
            stop=lambda: stop.append(True) or len(stop) == 7,  # in the second trial, between its first two folds
            on_trial=lambda _: None,
            failed=lambda family, error: None,
        )

    first = found(resume=False)
    first.run()
    assert first.done == 1
    second = found(resume=True)
    second.run()
    tree = next(e for e in second.leaderboard() if e.family.name == "decision_tree")
    assert second.done == 2 and tree.settings == families.BY_NAME["decision_tree"].defaults()


def test_one_fold_of_many_small_classes() -> None:
    values = np.repeat(np.arange(6), 2)
    ((train, validation),) = search.make_splits([model.Target("target", values, list("abcdef"))], 1, 0, np.full(12, -1))
    assert sorted([*train, *validation]) == list(range(12))


def test_each_family_makes_an_estimator_of_its_tasks() -> None:
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(30, 3)).astype(np.float32)
    answers = {"classification": (rows[:, 0] > 0).astype(int), "regression": rows[:, 0]}
    made = 0
    for family in families.FAMILIES:
        for task, wanted in answers.items():
            if family.of(task) is None:
                with pytest.raises(ValueError, match="no estimator"):
                    family.make(task, family.defaults(), 0, 1)
                continue
            estimator = family.make(task, family.defaults(), 0, 1)
            assert hasattr(estimator, "predict_proba") == (task == "classification")
            settings = estimator.get_params()
            for name, value in family.defaults().items():
                assert value in (settings.get(name), settings.get(f"estimator__{name}")), (family.name, name)
            if family.name in {"svm", "adaboost", "elastic_net", "knn"}:
                estimator.fit(rows, wanted)
            made += 1
    assert made == 2 * len(families.FAMILIES) - 4
