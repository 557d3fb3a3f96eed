from __future__ import annotations

from autotrain_gradio.core.panels import render_html, transcripts
from autotrain_gradio.core.panels.folded_list import OPEN, folded_list


def items(count: int) -> list[str]:
    return [f"<li>{n}</li>" for n in range(count)]


def test_items_after_the_first_ones_are_folded() -> None:
    found = folded_list("kind", items(OPEN + 3))
    before, after = found.split("<details")
    assert before == f"<ul class='kind'>{''.join(items(OPEN))}</ul>"
    assert "<summary>Show 3 more</summary>" in after and after.count("<li>") == 3


def test_one_item_is_not_hidden_alone() -> None:
    assert folded_list("kind", items(OPEN + 1)) == f"<ul class='kind'>{''.join(items(OPEN + 1))}</ul>"


def test_items_that_are_not_included_are_counted() -> None:
    assert folded_list("kind", items(1), not_included=1234).endswith("<p class='at-note'>and 1,234 more</p>")


def test_a_long_list_of_transcripts_is_folded() -> None:
    rows = [{"reference": "a", "prediction": "b"}] * 20
    assert f"Show {20 - OPEN} more" in render_html(transcripts("Worst", rows))
