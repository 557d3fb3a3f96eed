"""The heavy half: here it only counts words, where another task would load a library."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from autotrain_gradio import data
from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.runs.reporter import Reporter

from . import MoodParams
from .mood_faces import mood_faces


def train(run: Reporter) -> None:
    """Count the words of each mood and write the counts as the model."""
    rows = data.load(run.directory)
    target = "target" if "target" in rows["train"].features else "rating"
    named = rows["train"].features[target].names
    if target == "rating":  # the format `ratings`: 1 to 5
        named = ["sad" if int(name) < 3 else "glad" for name in named]
    names = sorted(set(named))
    counts: dict[str, Counter[str]] = {name: Counter() for name in names}
    run.state("running", "Counting words")
    for epoch in range(1, run.params.epochs + 1):
        for row in rows["train"]:
            counts[named[row[target]]].update(words(row["text"]))
        known = sum(len(c) for c in counts.values())
        run.metric(epoch, epoch, words=known)
        run.progress(epoch, run.params.epochs, epoch, run.params.epochs)
        if run.stop_requested():
            break
    right = [mood_of(row["text"], counts, run.params) == named[row[target]] for row in rows.get("validation", [])]
    if right:
        run.metric(epoch, epoch, eval_accuracy=sum(right) / len(right))
    run.model.mkdir(exist_ok=True)
    (run.model / "words.json").write_text(json.dumps(counts), encoding="utf-8")
    moods = Counter(named[row[target]] for row in rows["train"])
    shares = {name: count / moods.total() for name, count in moods.items()}
    known = panels.numbers("Words known", {name: len(c) for name, c in counts.items()})
    run.report([known, mood_faces("Moods of the training rows", shares)])


def preview(draft: Path, spec: RunSpec, params: MoodParams, context: dict[str, Any]) -> list[Panel]:
    """Show the words that the training will see in the first sentences."""
    found = data.load(draft)["train"]["text"][:3]
    return [panels.table("Words that are counted", ["sentence", "words"], [[t, ", ".join(words(t))] for t in found])]


def load(directory: Path) -> Any:
    """Return a predictor: `[{"text": sentence}]` → `[{"label": mood, "scores": {mood: share}, "panels": [panel]}]`."""
    counts = {n: Counter(c) for n, c in json.loads((directory / "model" / "words.json").read_text("utf-8")).items()}

    def predict(inputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        found = [scores(i["text"], counts, MoodParams()) for i in inputs]
        return [{"label": max(s, key=lambda n: s[n]), "scores": s, "panels": [mood_faces("Mood", s)]} for s in found]

    return predict


def words(text: str) -> list[str]:
    return text.lower().split()


def scores(text: str, counts: dict[str, Counter[str]], params: MoodParams) -> dict[str, float]:
    seen = {name: params.smoothing + sum(c[w] for w in words(text)) for name, c in counts.items()}
    return {name: value / sum(seen.values()) for name, value in seen.items()}


def mood_of(text: str, counts: dict[str, Counter[str]], params: MoodParams) -> str:
    found = scores(text, counts, params)
    return max(found, key=lambda n: found[n])
