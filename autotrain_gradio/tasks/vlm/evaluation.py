"""Evaluation of vision-language models: answers to validation rows beside those of the base model, and the report."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import pluralize, truncate
from autotrain_gradio.data.files.json_files import read_json, write_json
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.vlm import answer_metrics, models
from autotrain_gradio.tasks.vlm.batches import ImageRows
from autotrain_gradio.tasks.vlm.encoders import Encoder
from autotrain_gradio.training.evaluator import ComputedResults
from autotrain_gradio.training.image_files import open_image, thumbnail

FILE = "base_answers.json"
"""In the folder of the checkpoints: the answers of the base model, kept for a resumed run."""
NOUN = "rows"
SHOWN = 8
"""Answered rows that are shown at each evaluation."""
WORST = 24
CHARACTERS = 200
THUMBNAIL = 200


class ValidationAnswers:
    """Answers of the base model, made before the training, and of the trained model, at each evaluation.

    Attributes:
        rows: numbers of the answered rows in the validation data set: as many as the base model had time for.
        base, latest: answers of the base model, and those of the latest evaluation, to these rows.
    """

    def __init__(self, run: Reporter, encoder: Encoder, rows: ImageRows | None, white: float | None) -> None:
        self.rows: list[int] = []
        self.base: list[str] = []
        self.latest: list[str] = []
        self.white = white
        self._run, self._encoder, self._all = run, encoder, rows
        self._questions: list[models.Question] = []
        self.asked: list[str] = []
        self.references: list[str] = []

    def ask_base(self, model: Any) -> None:
        """Answer with the model before it is trained, unless an earlier attempt has done so."""
        most = self._run.params.generation_rows
        if self._all is None or not most:
            return
        order = np.random.default_rng(self._run.params.seed).permutation(len(self._all))[:most]
        rows = np.sort(order).tolist()
        path = self._run.checkpoints / FILE
        stored = read_json(path) if self._run.attempt > 1 else None
        if stored is None:
            self._run.state("preparing", f"Generating the answers of the base model to {len(rows):,} validation rows")
            self._choose(np.random.default_rng(self._run.params.seed).permutation(rows).tolist())
            given = self._answers(model, self._run.params.generation_seconds)
            pairs = sorted(zip(self.rows[: len(given)], given, strict=True))
            stored = {"rows": [row for row, _ in pairs], "generated": [text for _, text in pairs]}
            self._run.checkpoints.mkdir(parents=True, exist_ok=True)
            write_json(path, stored)
        self.base = list(stored["generated"])
        self._choose(list(stored["rows"]))
        if len(self.rows) < len(rows):
            message = f"{len(self.rows):,} of {pluralize(len(rows), 'validation row')} are answered at each evaluation"
            self._run.note(f"{message}: generation_seconds allows no more.", hint="Raise generation_seconds.")

    def _choose(self, rows: Sequence[int]) -> None:
        assert self._all is not None
        self.rows, self.asked, self.references, self._questions = list(rows), [], [], []
        for row in rows:
            made = self._all.conversation(row)
            self.asked.append(made.question)
            self.references.append(made.reference)
            text = self._encoder.prompt(made.asked())
            self._questions.append(models.Question(text, partial(self._images, row)))

    def _images(self, row: int) -> Sequence[Mapping[str, Any]]:
        assert self._all is not None
        return self._all.conversation(row).images

    def ask(self, model: Any) -> dict[str, float]:
        """Answer with the model as it is now; return the metrics of its answers."""
        self.latest = self._answers(model) if self.rows else []
        return answer_metrics.measure(self.latest, self.references)

    def again(self, model: Any, encoder: Encoder) -> list[str]:
        """Return the answers of a model that was loaded from its files."""
        return models.answer_within(model, encoder, self._questions, self.white)

    def _answers(self, model: Any, seconds: float = float("inf")) -> list[str]:
        was_training = model.training
        model.eval()
        found = models.answer_within(model, self._encoder, self._questions, self.white, seconds)
        model.train(was_training)
        return found


class AnswerResults(ComputedResults):
    """One evaluation: its metrics, answers, and the losses of the rows; see `Evaluation(from_metrics=…)`.

    losses: of each validation row (rows,).
    """

    def __init__(
        self, run: Reporter, values: Mapping[str, float], answers: ValidationAnswers, rows: ImageRows, losses: Any
    ) -> None:
        super().__init__(values)
        self._run, self._rows, self._losses = run, rows, losses
        self._answers, self._given = answers, list(answers.latest)

    def sample_panel(self) -> Panel | None:
        """Show the answers on the same few rows."""
        if not self._given:
            return None
        items = [self._item(number, "samples") for number in range(min(SHOWN, len(self._given)))]
        return panels.gallery("Answers on the same validation rows", items)

    def results_note(self) -> str:
        """Return on what the metrics were computed."""
        every, some = len(self._rows), len(self._given)
        note = f"On all {pluralize(every, 'validation row')}"
        if 0 < some < every:
            note = f"Loss and token accuracy on all {pluralize(every, 'validation row')}; the other metrics on the "
            note += f"generated answers to {some:,} of them"
        return f"{note}."

    def report(self) -> list[Panel]:
        """Return the metrics beside those of the base model, answers with their images, and the worst rows."""
        shutil.rmtree(self._run.directory / "report", ignore_errors=True)
        found: list[Panel] = []
        if self._given:
            before, after = (
                answer_metrics.measure(texts, self._answers.references) for texts in (self._answers.base, self._given)
            )
            names = (("chrf", "chrF", 1.0, ""), ("exact_match", "exact match", 100.0, "%"), ("anls", "ANLS", 1.0, ""))
            rows = [
                [title, f"{before[name] * factor:.3g}{unit}", f"{after[name] * factor:.3g}{unit}"]
                for name, title, factor, unit in names
            ]
            found.append(
                panels.table("Answers compared with the base model", ["metric", "base model", "this model"], rows)
            )
            items = [self._item(n, "report") for n in range(min(SHOWN, len(self._given)))]
            found.append(panels.gallery("Answers beside those of the base model", items))
            scores = answer_metrics.row_scores(self._given, self._answers.references)
            worst = [n for n in np.argsort(scores, kind="stable").tolist() if scores[n] < 100.0][:WORST]
            if worst:
                items = [self._item(n, "report") for n in worst]
                found.append(panels.gallery("Answers with the lowest chrF", items))
        worst = np.argsort(-self._losses, kind="stable")[:WORST].tolist()
        items = [self._row_item(row) for row in worst]
        return [*found, panels.gallery("Rows with the highest loss", items)]

    def _item(self, number: int, folder: str) -> dict[str, str]:
        """Return an answered row for a gallery. number: among the answered rows."""
        answers = self._answers
        given, reference = self._given[number], answers.references[number]
        right = answer_metrics.exact_match(given, reference)
        parts = [answers.asked[number], f"answer: {given or '(none)'}"]
        parts += [] if right else [f"reference: {reference}"]
        parts.append(f"base model: {answers.base[number] or '(none)'}")
        caption = " · ".join(truncate(part, CHARACTERS) for part in parts)
        return {
            "file": self._image(answers.rows[number], folder),
            "caption": caption,
            "tone": "good" if right else "bad",
        }

    def _row_item(self, row: int) -> dict[str, str]:
        made = self._rows.conversation(row)
        texts = (truncate(made.question, CHARACTERS), truncate(made.reference, CHARACTERS))
        caption = f"{texts[0]} · reference: {texts[1]} · loss {self._losses[row]:.3f}"
        return {"file": self._image(row, "report"), "caption": caption}

    def _image(self, row: int, folder: str) -> str:
        """Return the thumbnail of a row's first image, relative to the run."""
        number = self._rows.plans[row].row
        file = self._run.directory / folder / f"{number}.jpg"
        if not file.exists():
            cell = self._rows.conversation(row).images[0]
            thumbnail(open_image(cell, white=self._answers.white), file, THUMBNAIL)
        return f"{folder}/{file.name}"
