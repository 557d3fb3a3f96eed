"""Extractive question answering: predictions of a trained model. Workers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

from autotrain_gradio.core import panels
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.tasks.extractive_question_answering.answers_panel import NO_ANSWER, answers_panel
from autotrain_gradio.tasks.extractive_question_answering.spans import MIN_ANSWER_TOKENS, RowSpans, characters
from autotrain_gradio.tasks.extractive_question_answering.window_dataset import WindowCollate, WindowDataset
from autotrain_gradio.tasks.extractive_question_answering.windows import Windows, make_windows
from autotrain_gradio.training import saved

SETTINGS = "question_answering"
"""Key of the model's config.json: `{doc_stride, max_answer_length, null_threshold}`."""
PREDICTION_BATCH_SIZE = 32
"""Windows in a batch of predictions."""
ALTERNATIVES = 3
"""Answers that are listed with their scores."""
CANDIDATES = 20
"""Best spans of a window among which alternatives are looked for."""


class load:  # noqa: N801 - called as a function: `load(directory)(inputs)`
    """The model that a run has trained.

    Inputs: `{"question": str, "context": str}`. Predictions: `{"answer", "score", "start", "end", "no_answer_score",
    "panels"}`. `answer`: the text, "" for "no answer"; `start`, `end`: its characters in the context, None without an
    answer; `score`: the probability of what is answered, among all spans and "no answer"; `no_answer_score`: that of
    "no answer" (None: the model always answers). `note`: the question was truncated.
    """

    def __init__(self, directory: Path) -> None:
        self._model, self._tokenizer = saved.load_model(
            directory / "model", AutoModelForQuestionAnswering, AutoTokenizer
        )
        settings = getattr(self._model.config, SETTINGS, None) or {}
        self._stride = int(settings.get("doc_stride", 128))
        self._most = int(settings.get("max_answer_length", MIN_ANSWER_TOKENS))
        self._threshold: float | None = settings.get("null_threshold")
        self._collate = WindowCollate(self._tokenizer)

    @torch.inference_mode()
    def __call__(self, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Answer questions.

        Raises:
            UserError: a question or a context is missing or empty.
        """
        for given in inputs:
            for name in ("question", "context"):
                text = given.get(name)
                if not isinstance(text, str) or not text.strip():
                    raise UserError(f"The {name} is empty.", f"Enter a {name}.", name, "no-text")
        questions, contexts = ([str(given[name]) for given in inputs] for name in ("question", "context"))
        limit = int(self._tokenizer.model_max_length)
        windows = make_windows(self._tokenizer, questions, contexts, None, limit=limit, stride=self._stride)
        assert windows is not None
        spans = RowSpans(contexts, self._most)
        best: list[dict[tuple[int, int], float]] = [{} for _ in inputs]
        items = WindowDataset(windows, by_length=True)
        for begin in range(0, len(items), PREDICTION_BATCH_SIZE):
            part = range(begin, min(begin + PREDICTION_BATCH_SIZE, len(items)))
            batch = self._collate([items[i] for i in part])
            batch = {k: v.to(self._model.device) for k, v in batch.items() if not k.endswith("_positions")}
            outputs = self._model(**batch)
            start, end = (logits.float().cpu().numpy() for logits in (outputs.start_logits, outputs.end_logits))
            for place, i in enumerate(part):
                window = int(items.order[i])
                scores = spans.add(windows, window, start[place], end[place])
                _add_candidates(best[windows.rows[window]], scores, windows, window, contexts)
        return [
            self._prediction(spans, row, questions[row], best[row], truncated=bool(windows.truncated[row]))
            for row in range(len(inputs))
        ]

    def _prediction(
        self, spans: RowSpans, row: int, question: str, best: Mapping[tuple[int, int], float], *, truncated: bool
    ) -> dict[str, Any]:
        may_refuse = self._threshold is not None
        refused = bool(spans.refused(self._threshold)[row])
        score, none = (float(p[row]) for p in spans.probabilities(may_refuse=may_refuse))
        context = spans.context(row)
        place = None if refused else (int(spans.starts[row]), int(spans.ends[row]))
        answer = "" if place is None else context[place[0] : place[1]]
        note = "The question is longer than half of a window and was truncated." if truncated else ""
        item = {
            "question": question,
            "context": context,
            "predicted": place,
            "answer": answer,
            "score": none if refused else score,
        }
        named = {
            context[begin:end]: float(np.exp(value - spans.score[row]) * score)
            for (begin, end), value in _apart(best)[:ALTERNATIVES]
        }
        if may_refuse:
            named[NO_ANSWER] = none
        predicted = [answer or NO_ANSWER]
        scores = panels.scores("Scores", named, id="scores") if named else None
        if scores is not None:
            scores["predicted"] = predicted
        return {
            "answer": answer,
            "score": none if refused else score,
            "start": place[0] if place else None,
            "end": place[1] if place else None,
            "no_answer_score": none if may_refuse else None,
            **({"note": note} if note else {}),
            "panels": [answers_panel("Answer", [item], note=note), *([scores] if scores else [])],
        }


def _add_candidates(
    best: dict[tuple[int, int], float], scores: np.ndarray, windows: Windows, window: int, contexts: Sequence[str]
) -> None:
    """Add the best spans of a window: characters → score."""
    flat = scores.ravel()
    order = np.argsort(-flat, kind="stable")[:CANDIDATES]
    offsets, context = windows.offsets_of(window), contexts[windows.rows[window]]
    for index in order[np.isfinite(flat[order])]:
        token, more = np.unravel_index(index, scores.shape)
        place = characters(context, offsets, int(token), int(token + more))
        best[place] = max(best.get(place, -np.inf), float(flat[index]))


def _apart(best: Mapping[tuple[int, int], float]) -> list[tuple[tuple[int, int], float]]:
    """Return spans that do not overlap, the best first."""
    kept: list[tuple[tuple[int, int], float]] = []
    for place, score in sorted(best.items(), key=lambda item: -item[1]):
        if all(place[1] <= other[0] or other[1] <= place[0] for other, _ in kept):
            kept.append((place, score))
    return kept
