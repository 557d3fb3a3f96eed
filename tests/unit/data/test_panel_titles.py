"""Titles of the panels of several columns."""

from __future__ import annotations

from autotrain_gradio.core.panels import panel_id, table
from autotrain_gradio.data.pipeline.check_result import distinct_titles


def test_panels_of_two_columns_are_told_apart_by_their_columns() -> None:
    found = distinct_titles(
        [
            ("Question", table("Words in a text", [], [])),
            ("Answer", table("Words in a text", [], [])),
            ("Answer", table("Classes", [], [])),
        ]
    )
    assert [p["title"] for p in found] == ["Question: words in a text", "Answer: words in a text", "Classes"]
    assert [panel_id(p) for p in found] == ["question-words-in-a-text", "answer-words-in-a-text", "classes"]
