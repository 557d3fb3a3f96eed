"""Image classification: what is measured, shown on the way, and reported at the end."""

from __future__ import annotations

import shutil

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.training import metrics
from autotrain_gradio.training.evaluator import Judge, class_results, classes_panel, confusion_panel
from autotrain_gradio.training.images import Images
from autotrain_gradio.training.sample_selection import spread
from autotrain_gradio.training.vision import thumbnail

SHOWN = 8
"""Validation images whose predictions are shown at each evaluation."""
MISTAKES = 24


def judge_of(run: Reporter, images: Images | None, names: list[str]) -> Judge:
    """Return the judge of a classifier of these classes by these validation images, if any."""
    shown = _Shown(run, images, names)
    return Judge(
        run, images, "images", measure=shown.measure, show=shown.sample, report=shown.report, results=shown.results
    )


class _Shown:
    """The validation images, and how logits (images, classes) look on them."""

    def __init__(self, run: Reporter, images: Images | None, names: list[str]) -> None:
        self._run, self._images, self._names = run, images, names
        self._targets = np.asarray(images.targets if images is not None else [], dtype=np.int64)
        self._chosen = spread(self._targets, SHOWN, run.params.seed)

    def measure(self, logits: np.ndarray) -> dict[str, float]:
        return metrics.classification(logits, self._targets)

    def sample(self, logits: np.ndarray) -> Panel:
        shares = metrics.softmax(logits[self._chosen])
        items = []
        for place, row in enumerate(self._chosen):
            file = self._run.samples / f"{row}.jpg"
            if not file.exists():
                thumbnail(self._image(row), file)
            items.append({"file": f"samples/{file.name}", **self._caption(shares[place], row)})
        return panels.gallery("Predictions on the same validation images", items)

    def results(self, found: dict[str, float], logits: np.ndarray) -> Panel:
        return class_results(found, logits, self._targets, self._names, "images")

    def report(self, logits: np.ndarray) -> list[Panel]:
        if len(self._names) == 2 and len(np.unique(self._targets)) == 1:
            self._run.note("The validation images are all of one class: there is no AUC.", level="warning")
        return [
            confusion_panel(logits, self._targets, self._names, "images"),
            classes_panel(logits, self._targets, self._names, "images"),
            self._mistakes(logits),
        ]

    def _image(self, row: int) -> np.ndarray:
        assert self._images is not None
        return self._images.image(row)

    def _caption(self, shares: np.ndarray, row: int) -> dict[str, str]:
        guess, truth = int(shares.argmax()), int(self._targets[row])
        caption = f"{self._names[guess]} {shares[guess]:.2f} ({self._names[truth]})"
        return {"caption": caption, "tone": "good" if guess == truth else "bad"}

    def _mistakes(self, logits: np.ndarray) -> Panel:
        shares = metrics.softmax(logits)
        wrong = np.flatnonzero(shares.argmax(axis=1) != self._targets)
        worst = wrong[np.argsort(-shares[wrong].max(axis=1), kind="stable")][:MISTAKES]
        folder = self._run.directory / "report"
        shutil.rmtree(folder, ignore_errors=True)
        items = []
        for row in map(int, worst):
            thumbnail(self._image(row), folder / f"{row}.jpg")
            items.append({"file": f"report/{row}.jpg", **self._caption(shares[row], row)})
        of = f"of {len(self._targets):,} validation images"
        note = f"{len(wrong):,} {of} are wrong." if len(wrong) else f"None {of} is wrong."
        return panels.gallery("Most confident mistakes", items, note=note)
