"""Scores for model selection: titles and directions are those of the declared metrics."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from autotrain_gradio.tasks.base import Metric, Task
from autotrain_gradio.tasks.tabular import SELECTION_METRICS
from autotrain_gradio.tasks.tabular_classification import TASK as CLASSIFICATION
from autotrain_gradio.tasks.tabular_regression import TASK as REGRESSION
from autotrain_gradio.training.tabular import scoring
from autotrain_gradio.training.tabular.model import Target

CLASSES = Target("y", np.array([0, 1, 1, 0, 1, 1]), ["a", "b"])
NUMBERS = Target("y", np.array([1.0, 2.0, 3.0, 4.0]))


@pytest.mark.parametrize("task", [CLASSIFICATION, REGRESSION], ids=lambda t: t.name)
def test_every_choice_prefers_better_predictions(task: Task) -> None:
    names = [n for n in get_args(task.params.model_fields["scoring"].annotation) if n != "auto"]
    assert len(names) >= 4
    target = CLASSES if task is CLASSIFICATION else NUMBERS
    good, bad = target.values + 0.1, target.values[::-1] + 0.5
    if target.classes is not None:
        right = np.where(np.arange(2) == target.values[:, None], 0.9, 0.1)
        good, bad = right, right[:, ::-1]
    for name in names:
        score = scoring.choose(name, [target], (*task.metrics, *SELECTION_METRICS))
        assert score([good], [target]) > score([bad], [target]), name
        assert score.shown(score([good], [target])) == pytest.approx(score.of(good, target))
        assert score.name == name and score.title[0].isupper()


def test_the_direction_is_declared_once() -> None:
    declared = [Metric("r2", "My R²", higher_is_better=False)]
    score = scoring.choose("auto", [NUMBERS], declared)
    assert score.title == "My R²" and score([NUMBERS.values], [NUMBERS]) == -1.0
    with pytest.raises(KeyError):
        scoring.choose("mae", [NUMBERS], declared)
