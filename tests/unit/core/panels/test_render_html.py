"""Panels as HTML: complete, escaped, readable."""

from __future__ import annotations

import math
from urllib.parse import quote

import pytest

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import RenderContext, render_all_html
from autotrain_gradio.core.panels.chart_svg import SERIES_COLOURS
from autotrain_gradio.core.text_format import format_value

EVIL = "<script>alert(1)</script>"


CONTEXT = RenderContext(lambda path: f"files/{quote(path)}")


def test_every_kind_of_panel_is_rendered_as_escaped_html() -> None:
    drawn = render_all_html(
        [
            panels.numbers(EVIL, {EVIL: EVIL}, note=EVIL),
            panels.bars(EVIL, [EVIL], {EVIL: [1], "b": [2]}, unit=EVIL),
            panels.lines(EVIL, {EVIL: [(0, 1.0), (1, math.nan), (2, 0.5)], "b": []}),
            panels.scatter(EVIL, [(0, 1.0), (1, 2.0)], x=EVIL, y=EVIL, line="diagonal"),
            panels.matrix(EVIL, [EVIL, "b"], [[1, 2], [0, 3]], rows=EVIL, columns=EVIL),
            panels.table(EVIL, [EVIL, "n"], [[EVIL, 0.5]]),
            panels.gallery(EVIL, [{"file": f"check/{EVIL}.jpg", "caption": EVIL, "group": EVIL, "tone": "bad"}]),
            panels.transcripts(
                EVIL,
                [{"reference": EVIL, "prediction": f"{EVIL} <b>raw", "file": f"report/{EVIL}.wav", "caption": EVIL}],
            ),
            panels.comparisons(EVIL, [{"lines": [(EVIL, f"{EVIL} <b>raw")], "caption": EVIL}]),
            panels.tokens(EVIL, [{"label": EVIL, "read": [EVIL], "cut": [f"{EVIL} <b>raw"], "more": 3}]),
            panels.markdown("**bold** <b>raw</b>"),
            panels.scores(EVIL, {EVIL: 0.9, "b": 0.1}, predicted=[EVIL], thresholds={EVIL: 0.5}, note=EVIL),
            panels.text_block(EVIL, EVIL, segments=[{"start": 0, "end": 1, "text": EVIL}] * 2),
            panels.download(EVIL, f"/{EVIL}.csv", rows=1, columns=[EVIL], preview=[[EVIL]]),
            {"kind": "unheard-of", "title": EVIL},
        ],
        CONTEXT,
    )
    assert "<script" not in drawn and "<b>raw" not in drawn
    assert drawn.count("<section") == len([k for k in panels.KINDS if k.module.startswith(panels.__name__)]) + 1
    assert "<strong>bold</strong>" in drawn and "unheard-of" in drawn
    assert "files/check/%3Cscript%3E" in drawn


def test_an_empty_table_shows_its_note_and_text_tables_adapt_to_phones() -> None:
    assert "<table" not in render_all_html([panels.table("Mistakes", ["text"], [], note="None is wrong.")], CONTEXT)
    assert "None." in render_all_html([panels.table("Mistakes", ["text"], [])], CONTEXT)
    long = render_all_html([panels.table("Mistakes", ["text", "true"], [["word " * 20, "good"]])], CONTEXT)
    assert "at-of-texts" in long and "<td data-name='true'>good" in long
    assert "at-of-texts" not in render_all_html([panels.table("Each", ["class", "F1"], [["good", 0.5]])], CONTEXT)


def test_truncated_tokens_have_their_own_element() -> None:
    items = [{"label": "row 1", "read": ["[CLS]", "we"], "cut": ["well"], "more": 1200}]
    drawn = render_all_html([panels.tokens("Read", items)], CONTEXT)
    assert "<span>[CLS]</span> <span>we</span> <del>well</del>" in drawn and "and 1,200 more" in drawn


def test_audio_players_load_nothing_until_played() -> None:
    items = [
        {"file": "check/a.wav", "caption": "नमस्ते", "detail": "speaker 1 · 2.0 s", "group": "train"},
        {"file": "check/a.jpg", "group": "train"},
    ]
    drawn = render_all_html([panels.gallery("Examples", items)], CONTEXT)
    assert drawn.count("<audio controls preload='none' src='files/check/a.wav'") == 1
    assert drawn.count("<img") == 1 and "<p class='at-caption' dir='auto'>नमस्ते</p>" in drawn
    assert "speaker 1 · 2.0 s" in drawn and "aria-label='Play: नमस्ते'" in drawn


def test_differences_of_transcripts_are_marked_by_elements_not_only_by_colour() -> None:
    rows = [
        {"reference": "one cat three", "prediction": "one cut extra", "wer": 1.0, "cer": 0.5},
        {"reference": "", "prediction": "a"},
        {"reference": "b", "prediction": ""},
    ]
    drawn = render_all_html([panels.transcripts("Heard", rows)], CONTEXT)
    assert "Reference</dt><dd dir='auto'>one <mark class='at-swap'>c<u>a</u>t</mark>" in drawn
    assert "WER 100% · CER 50%" in drawn
    assert "<ins class='at-extra'>a</ins>" in drawn and "<del class='at-missing'>b</del>" in drawn
    assert drawn.count("(empty)") == 2
    nothing = render_all_html([panels.transcripts("Worst rows", [], note="All are right.")], CONTEXT)
    assert "Marked" not in nothing and "All are right." in nothing


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567, "1,234,567"),
        (0.93333, "0.9333"),
        (9.2e-4, "0.00092"),
        (5e-5, "5.0e-05"),
        (math.nan, "–"),
        (None, "–"),
        (2.0, "2"),
        ("a", "a"),
    ],
)
def test_numbers_are_formatted(value: object, text: str) -> None:
    assert format_value(value) == text


@pytest.mark.parametrize("background", ["#ffffff", "#0f172a"])  # the cards of both modes
def test_series_colours_have_sufficient_contrast(background: str) -> None:
    def luminance(colour: str) -> float:
        """Return the relative luminance, from 0 to 1 (WCAG 2.2)."""
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for colour in SERIES_COLOURS:
        low, high = sorted((luminance(colour), luminance(background)))
        assert (high + 0.05) / (low + 0.05) >= 3, colour


def test_all_first_cells_of_a_table_with_a_long_text_look_alike() -> None:
    rows = [["Clean the drip tray.", 1], ["The pressure valve does not open at working temperature.", 2]]
    assert render_all_html([panels.table("Passages", ["passage", "rank"], rows)], CONTEXT).count("at-long") == 2
    assert "at-long" not in render_all_html([panels.table("Passages", ["passage", "rank"], rows[:1])], CONTEXT)
