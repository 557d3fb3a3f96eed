"""The Python API from data in memory to predictions, in one process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import autotrain_gradio as at
from autotrain_gradio.api.foreground import default_service
from autotrain_gradio.core.errors import NotFound, UserError
from autotrain_gradio.core.settings import Settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("AUTOTRAIN_GRADIO_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    default_service(Settings.from_env()).close()
    default_service.cache_clear()


def _frame(rows: int) -> pd.DataFrame:
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"size": draw.normal(size=rows), "flag": draw.random(rows) < 0.5})
    frame["day"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(draw.integers(0, 300, rows), unit="D")
    return frame.assign(target=np.where(frame["size"] + frame["flag"] > 0.5, "+", "-"))


def test_from_a_frame_to_predictions(home: Path) -> None:
    frame, settings = _frame(120), {"model": "decision_tree", "num_trials": 1, "project_name": "signs"}
    run = at.train("tabular-classification", data=frame, target_column="target", progress=False, **settings)
    assert run.state == "completed"
    stored = pd.read_parquet(run.path / "data" / "media" / "data.parquet")
    pd.testing.assert_frame_equal(stored, frame, check_dtype=False)
    # The run is found again, and predicts what it is given.
    assert [r.id for r in at.runs()] == [run.id] == [at.run("signs").id] == [at.run(run.id[:20]).id]
    again = at.run(run.id)
    answers = again.predict(frame.head(20))
    assert {a["label"] for a in answers} == {"+", "-"} and len(answers) == 20
    assert [a["label"] for a in again.predict(*frame.head(20).to_dict("records"))] == [a["label"] for a in answers]
    assert again.predict(frame.iloc[0])[0]["scores"] == answers[0]["scores"]
    (odd,) = again.predict({"size": 99, "flag": "TRUE", "day": np.datetime64("2024-02-01"), "colour": "red"})
    assert "'colour'" in odd["warnings"][0] and "far outside the training data" in odd["warnings"][1]
    with pytest.raises(UserError, match="is missing: 'size'") as told:
        again.predict({"Size": 1, "flag": True, "day": None})
    assert "Did you mean 'Size' for 'size'?" in told.value.hint


def test_names_of_runs_that_do_not_exist(home: Path) -> None:
    assert at.runs() == []
    with pytest.raises(NotFound, match="'nothing' does not exist"):
        at.run("nothing")


def test_data_is_given_once(home: Path) -> None:
    with pytest.raises(UserError, match="given twice"):
        at.train("tabular-classification", data=_frame(9), data_path="rows.csv")
    with pytest.raises(UserError, match="type int is not accepted"):
        at.train("tabular-classification", data=3)
    assert at.runs() == []
