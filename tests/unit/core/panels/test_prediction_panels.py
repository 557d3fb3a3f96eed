"""The kinds of panels that predictions are made of."""

from __future__ import annotations

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import RenderContext, render_html, render_summary, render_text
from autotrain_gradio.core.predictions import as_table, flat_values, summary, with_panels

EVIL = "<script>alert(1)</script>"


def test_scores_show_the_predicted_labels_and_each_threshold() -> None:
    panel = panels.scores("Prediction", {EVIL: 0.6, "b": 0.3}, predicted=[EVIL], thresholds={EVIL: 0.25, "b": 0.5})
    drawn = render_html(panel)
    assert "<script" not in drawn and drawn.count("class='at-given'") == 1 and drawn.count("✓") == 1
    assert "width:60.0%" in drawn and "left:25.0%" in drawn and "left:50.0%" in drawn and "threshold" in drawn
    none = panels.scores("Prediction", {"b": 0.5}, predicted=[])
    assert "No label" in render_html(none) and "No label" in render_text(none) and render_summary(none) == "no label"
    assert "threshold" not in render_html(none)


def test_only_the_most_likely_of_many_classes_are_shown() -> None:
    panel = panels.scores("Prediction", {f"c{n}": (n + 1) / 1000 for n in range(100)})
    drawn = render_html(panel)
    assert drawn.count("<li class=") == panels.scores.__globals__["SCORES_SHOWN"] and "and 92 more" in drawn
    assert "<li>c99</li>" in drawn and "… and 92 more" in render_text(panel) and render_summary(panel) == "c99 10.0%"
    several = panels.scores("Prediction", {f"c{n}": n / 1000 for n in range(30)}, predicted=[])
    assert render_html(several).count("<b>") == 30, "of a multi-label prediction all"


def test_a_transcript_is_shown_with_the_times_of_its_segments() -> None:
    parts = [{"start": 0.0, "end": 4.25, "text": "नमस्ते"}, {"start": 4.25, "end": 3725.0, "text": EVIL}]
    panel = panels.text_block("Transcript", "नमस्ते <b>", segments=parts, note="3725 s of audio.")
    drawn = render_html(panel)
    assert "नमस्ते &lt;b&gt;" in drawn and "0:00.0–0:04.2" in drawn and "0:04.2–1:02:05" in drawn
    assert "<script" not in drawn and "3725 s" in drawn
    assert "  0:00.0–0:04.2  नमस्ते\n" in render_text(panel) and render_summary(panel) == "नमस्ते <b>"
    silent = panels.text_block("Transcript", " ", empty="No speech was recognized.")
    assert "No speech" in render_html(silent) and "No speech" in render_text(silent)


def test_a_download_has_a_url_and_a_preview_of_its_rows() -> None:
    panel = panels.download("Predictions", "/run/x/out.csv", rows=600, columns=["a"], preview=[[EVIL], ["2"]])
    drawn = render_html(panel, RenderContext(download=lambda path: f"ticket{path}"))
    assert "href='ticket/run/x/out.csv' download='out.csv'" in drawn and "600 rows" in drawn and "<script" not in drawn
    assert "The first 2 rows:" in drawn
    assert "600 rows in here.csv" in render_text(panel, RenderContext(download=lambda path: "here.csv"))


def test_numbers_have_their_units_in_every_form() -> None:
    panel = panels.numbers("Prediction", {"rent": 1234.0, "rooms": 3.0}, units={"rent": "€"})
    assert "<dd>1,234 €</dd>" in render_html(panel) and "<dd>3</dd>" in render_html(panel)
    assert "rent   1,234 €" in render_text(panel) and render_summary(panel) == "rent 1,234 €, rooms 3"


def test_a_prediction_without_panels_is_shown_by_its_values() -> None:
    made = with_panels({"label": "red", "scores": {"red": 1.0}, "note": "Old."})
    assert summary(made) == "red" and "Old." in render_text(made["panels"][0])
    own = {"label": "red", "panels": [panels.text_block("Own", "x")]}
    assert with_panels(own) == own


def test_predictions_become_a_table() -> None:
    first = {"label": "a", "scores": {"a": 0.75, "b": 0.25}, "panels": []}
    second = {"labels": ["x", "y"], "segments": [{"start": 0}], "row": 3, "input": {}}
    assert flat_values(second) == {"labels": "x, y", "segments": '[{"start": 0}]'}
    columns, rows = as_table([("one", first), ("two", second)])
    assert columns == ["input", "label", "scores a", "scores b", "labels", "segments"]
    assert rows[0] == ["one", "a", 0.75, 0.25, None, None] and rows[1][4] == "x, y"
    targets = {"targets": {"t": {"label": "a"}, "u": {"label": "b"}}}
    each = [panels.scores(n, {v["label"]: 0.5}) for n, v in targets["targets"].items()]
    both = with_panels({**targets, "panels": each})
    assert summary(both) == "t: a 50.0%, u: b 50.0%"
