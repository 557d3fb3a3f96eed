"""Evaluation of language models: answers on the same few rows beside those of the base model, and the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import pluralize, truncate
from autotrain_gradio.data.files.json_files import read_json, write_json
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.training import distributed, language_models
from autotrain_gradio.training.evaluator import ComputedResults

FILE = "base_answers.json"
"""In the folder of the checkpoints: the answers of the base model, kept for a resumed run."""
CHARACTERS = 600
WORST = 12
BOUNDS = (1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0, float("inf"))
"""Perplexities between which the rows are counted."""


@dataclass(frozen=True)
class SamplePrompt:
    """A validation row for which answers are generated. text: as it is shown. ids: its tokens. reference: its answer.

    value: the value of the task's input.
    """

    text: str
    ids: Sequence[int]
    reference: str
    value: str


def text_prompt(tokenizer: Any, text: str, limit: int) -> SamplePrompt:
    """Return the first half of a text as prompt, and the rest as reference. limit: maximum length in tokens."""
    ids = tokenizer(text, verbose=False)["input_ids"]
    cut = max(1, min(len(ids) // 2, limit // 2))
    begin, rest = (tokenizer.decode(part, skip_special_tokens=True) for part in (ids[:cut], ids[cut:]))
    return SamplePrompt(begin, ids[:cut], rest, begin)


class SampleAnswers:
    """Answers of the base model, made before the training, and of the trained model, at each evaluation.

    Attributes:
        latest: answers of the latest evaluation; as many as the base model gave within its time.
    """

    def __init__(self, run: Reporter, tokenizer: Any, prompts: Sequence[SamplePrompt]) -> None:
        self.base: list[str] = []
        self.latest: list[str] = []
        self._run, self._tokenizer, self._prompts = run, tokenizer, prompts

    @property
    def prompts(self) -> Sequence[SamplePrompt]:
        """The rows for which there are answers."""
        return self._prompts[: len(self.base)]

    def ask_base(self, model: Any) -> None:
        """Generate the answers of the model before it is trained, unless an earlier attempt has done so."""
        path = self._run.checkpoints / FILE
        stored = read_json(path) if self._run.attempt > 1 else None
        if stored is not None:
            self.base = list(stored["generated"])
            return
        if not self._prompts:
            return
        self._run.state("preparing", "Generating the answers of the base model")
        seconds = self._run.params.generation_seconds
        self.base = distributed.on_first_rank(lambda: list(self._generate(model, seconds)))
        if distributed.rank() == 0:
            self._run.checkpoints.mkdir(parents=True, exist_ok=True)
            write_json(path, {"generated": self.base})
        if len(self.base) < len(self._prompts):
            done = f"{len(self.base):,} of {pluralize(len(self._prompts), 'sample answer')}"
            self._run.note(f"{done} are generated: generation_seconds allows no more.")

    def ask(self, model: Any) -> None:
        """Generate the answers of the model as it is now; on rank 0, which reports them."""
        self.latest = list(self._generate(model)) if self.prompts and distributed.rank() == 0 else []

    def _generate(self, model: Any, seconds: float = float("inf")) -> list[str]:
        prompts = self._prompts if seconds < float("inf") else self.prompts
        was_training = model.training
        model.eval()
        found = list(language_models.generate_within(model, self._tokenizer, [p.ids for p in prompts], seconds))
        model.train(was_training)
        return found

    def panel(self, answers: Sequence[str], title: str) -> Panel:
        """Show answers beside those of the base model and the references."""
        names = ("prompt", "base model", "this model", "reference")
        items = [
            {"lines": [(n, truncate(t, CHARACTERS)) for n, t in zip(names, texts, strict=True)]}
            for texts in zip(
                (p.text for p in self.prompts), self.base, answers, (p.reference for p in self.prompts), strict=True
            )
        ]
        return panels.comparisons(title, items)


class AnsweredResults(ComputedResults):
    """Base of an evaluation with sample answers.

    answers: None: the model generates no text. noun: name of the rows in the plural. input_name: of the task's input.
    """

    def __init__(
        self, values: Mapping[str, float], answers: SampleAnswers | None, *, noun: str, input_name: str
    ) -> None:
        super().__init__(values)
        self._answers, self._noun, self._input = answers, noun, input_name
        self._given = list(answers.latest) if answers is not None else []

    def sample_panel(self) -> Panel | None:
        """Show the answers on the same few rows."""
        if not self._given or self._answers is None:
            return None
        panel = self._answers.panel(self._given, f"Answers on the same validation {self._noun}")
        return {**panel, "examples": {self._input: [p.value for p in self._answers.prompts]}}

    def answers_panels(self) -> list[Panel]:
        """Return the panel of the sample answers for the report, if there are some."""
        if not self._given or self._answers is None:
            return []
        return [self._answers.panel(self._given, "Answers beside those of the base model")]


class LanguageResults(AnsweredResults):
    """One evaluation: its metrics, sample answers, and the losses of the rows; see `Evaluation(from_metrics=…)`.

    describe: number of a validation sequence → its text, for the report.
    """

    def __init__(
        self,
        values: Mapping[str, float],
        answers: SampleAnswers,
        losses: np.ndarray,
        describe: Callable[[int], str],
        *,
        noun: str,
        input_name: str,
    ) -> None:
        super().__init__(values, answers, noun=noun, input_name=input_name)
        self._losses, self._describe = losses, describe

    def results_note(self) -> str:
        """Return on what the metrics were computed."""
        return f"Over all trained tokens of {len(self._losses):,} validation sequences."

    def report(self) -> list[Panel]:
        """Return the sample answers, the distribution of the perplexity, and the rows with the highest loss."""
        found = self.answers_panels()
        perplexities = np.exp(np.minimum(self._losses.astype(np.float64), 700.0))
        counts = np.histogram(perplexities, bins=[*BOUNDS[:-1], np.inf])[0]
        names = [f"{low:g} to {high:g}" for low, high in zip(BOUNDS[:-2], BOUNDS[1:-1], strict=True)]
        names.append(f"above {BOUNDS[-2]:g}")
        note = "1: the model predicts every token with certainty."
        found.append(panels.bars(f"Perplexity of the {self._noun}", names, {self._noun: counts.tolist()}, note=note))
        worst = np.argsort(-self._losses, kind="stable")[:WORST]
        rows = [
            [truncate(self._describe(int(i)), CHARACTERS), f"{self._losses[i]:.3f}", f"{perplexities[i]:,.1f}"]
            for i in worst
        ]
        title = f"{self._noun.capitalize()} with the highest loss"
        return [*found, panels.table(title, ["text", "loss", "perplexity"], rows)]
