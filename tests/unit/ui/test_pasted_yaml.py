"""Pasted YAML keeps the data of the form only if it names that data."""

from __future__ import annotations

from typing import Any

import pytest

from autotrain_gradio.tasks.registry import registry
from autotrain_gradio.ui.spec_views import is_current

TEXTS = registry().get("text-classification")
UPLOADED = {"source": "upload", "path": "reviews.csv"}
ON_HUB = {"source": "hub", "path": "bob/reviews"}
IN_FOLDER = {"source": "path", "path": "/data/2024/train.csv"}


@pytest.mark.parametrize(
    ("pasted", "current", "same"),
    [
        ({}, UPLOADED, True),
        ({"path": "reviews.csv"}, UPLOADED, True),
        ({"path": "elsewhere/reviews.csv"}, UPLOADED, True),
        ({"source": "path", "path": "/elsewhere/reviews.csv"}, UPLOADED, True),
        ({"path": "others.csv"}, UPLOADED, False),
        ({"source": "hub", "path": "alice/reviews.csv"}, UPLOADED, False),
        ({"source": "sample", "path": "reviews.csv"}, UPLOADED, False),
        ({"source": "hub", "path": "bob/reviews"}, ON_HUB, True),
        ({"source": "hub", "path": "alice/reviews"}, ON_HUB, False),
        ({"source": "sample", "path": "bob/reviews"}, ON_HUB, False),
        ({"path": "/data/2024/train.csv"}, IN_FOLDER, True),
        ({"path": "/data/2025/train.csv"}, IN_FOLDER, False),
    ],
)
def test_the_data_of_the_form_is_kept_only_if_it_is_named(
    pasted: dict[str, Any], current: dict[str, Any], same: bool
) -> None:
    assert is_current(TEXTS, pasted, current) is same
