"""Evaluation by greedy completions of all validation prompts, beside those of the base model; panels and report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import truncate
from autotrain_gradio.data.files.json_files import read_json, write_json
from autotrain_gradio.data.kinds.conversation_messages import stored
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.llm_grpo.rewards import Reward, Score, total
from autotrain_gradio.tasks.llm_grpo.rows import PREDICTED, Prompt, batch_of
from autotrain_gradio.training import language_models
from autotrain_gradio.training.evaluator import ComputedResults

FILE = "base_completions.json"
"""In the folder of the checkpoints: the completions of the base model, kept for a resumed run."""
CHARACTERS = 600
WORST = 12
BINS = 10
NOUN = "prompts"


@dataclass(frozen=True)
class Scored:
    """Greedy completions of prompts, one item of each list a prompt.

    tokens: their lengths. clipped: whether they ended at the maximum length. scores: reward → of each completion.
    totals: weighted sums.
    """

    texts: list[str]
    tokens: list[int]
    clipped: list[bool]
    scores: dict[str, list[Score]]
    totals: list[float]

    def means(self) -> dict[str, float]:
        """Return the mean of the totals, of each reward over the rows that it applies to, and of the lengths."""
        found = {"reward": float(np.mean(self.totals))}
        for name, scores in self.scores.items():
            if values := [s for s in scores if s is not None]:
                found[f"reward_{name}"] = float(np.mean(values))
        return {
            **found,
            "completion_tokens": float(np.mean(self.tokens)),
            "clipped": float(np.mean(self.clipped)),
        }

    def shown_scores(self, row: int) -> str:
        """Return the rewards of a completion as text."""
        parts = [f"{name} {_number(scores[row])}" for name, scores in self.scores.items()]
        return " · ".join([f"{self.totals[row]:.3g}", *parts]) if len(parts) > 1 else f"{self.totals[row]:.3g}"


def _number(value: Score) -> str:
    return "–" if value is None else f"{value:.3g}"


class GreedyEvaluation:
    """Greedy completions of the same prompts by the base model, and by the trained one at each evaluation.

    Attributes:
        base: of the base model; None until `score_base`.
        latest: of the latest evaluation.
    """

    def __init__(
        self,
        run: Reporter,
        tokenizer: Any,
        prompts: Sequence[Prompt],
        rewards: Sequence[Reward],
        count_tokens: Callable[[str], int],
    ) -> None:
        self.prompts, self.rewards = prompts, rewards
        self.base: Scored | None = None
        self.latest: Scored | None = None
        self._run, self._tokenizer, self._count_tokens = run, tokenizer, count_tokens

    def score_base(self, model: Any) -> bool:
        """Score the model before it is trained, unless an earlier attempt has done so; False: the user stopped it."""
        path = self._run.checkpoints / FILE
        stored_before = read_json(path) if self._run.attempt > 1 else None
        if stored_before is not None:
            self.base = Scored(**stored_before)
            return True
        found = self._score(model, self._stopped_in_base)
        if found is None:
            return False
        self.base = found
        self._run.checkpoints.mkdir(parents=True, exist_ok=True)
        write_json(path, asdict(found))
        return True

    def _stopped_in_base(self, done: int) -> bool:
        message = f"Completions of the base model: {done:,} of {len(self.prompts):,} prompts"
        self._run.state("preparing", message)
        return self._run.stop_requested()

    def score(self, model: Any, after_batch: Callable[[], None]) -> dict[str, float]:
        """Score the model as it is now, and return the metrics. after_batch: called after each batch."""

        def never(done: int) -> bool:
            after_batch()
            return False

        self.latest = self._score(model, never)
        assert self.latest is not None
        return self.latest.means()

    def _score(self, model: Any, stopped: Callable[[int], bool]) -> Scored | None:
        """Return the completions and rewards. stopped: called with the number of prompts that are done."""
        was_training, size = model.training, self._run.params.eval_batch_size
        model.eval()
        texts: list[str] = []
        clipped: list[bool] = []
        for start in range(0, len(self.prompts), size):
            ids = [p.ids for p in self.prompts[start : start + size]]
            for text, ended in language_models.generate(model, self._tokenizer, ids, batch_size=size):
                texts.append(text)
                clipped.append(ended)
            if stopped(len(texts)):
                return None
        model.train(was_training)
        batch = batch_of(self.prompts, texts)
        scores = {reward.name: reward.score(batch) for reward in self.rewards}
        rows = ({name: values[i] for name, values in scores.items()} for i in range(len(texts)))
        totals = [total(row, self.rewards) for row in rows]
        return Scored(texts, [self._count_tokens(text) for text in texts], clipped, scores, totals)


class RewardResults(ComputedResults):
    """One evaluation; see `Evaluation(from_metrics=…)`."""

    def __init__(self, values: Mapping[str, float], evaluation: GreedyEvaluation, shown: int) -> None:
        assert evaluation.latest is not None and evaluation.base is not None
        super().__init__(values)
        self._scored, self._base = evaluation.latest, evaluation.base
        self._prompts, self._rewards, self._shown = evaluation.prompts, evaluation.rewards, shown

    def sample_panel(self) -> Panel | None:
        """Show the completions of the same few prompts."""
        return self._completions("Completions of the same validation prompts", range(self._count))

    @property
    def _count(self) -> int:
        return min(self._shown, len(self._prompts))

    def _completions(self, title: str, rows: Sequence[int], note: str = "") -> Panel:
        """Show prompts with both completions and their rewards."""
        cells = []
        for row in rows:
            prompt = self._prompts[row]
            cells.append(
                [
                    truncate(prompt.text, CHARACTERS),
                    truncate(self._base.texts[row], CHARACTERS),
                    self._base.shown_scores(row),
                    truncate(self._scored.texts[row], CHARACTERS),
                    self._scored.shown_scores(row),
                    truncate(prompt.answer or "", CHARACTERS),
                ]
            )
        names = ["prompt", "base model", "its reward", "this model", "its reward", "reference"]
        values = [stored(self._prompts[row].messages) for row in rows]
        return panels.table(title, names, cells, note=note, examples={PREDICTED: values})

    def results_note(self) -> str:
        """Return on what the metrics were computed."""
        return f"Of the greedy completions of all {len(self._prompts):,} validation prompts."

    def report(self) -> list[Panel]:
        """Return the rewards beside those of the base model, their distribution, and completions."""
        before, after = self._base.means(), self._scored.means()
        rows: list[list[Any]] = [["Total", "", *_change(before, after, "reward")]]
        for reward in self._rewards:
            name = f"reward_{reward.name}"
            if name in after:
                rows.append([reward.title, f"{reward.weight:g}", *_change(before, after, name)])
        rows.append(["Length in tokens", "", *_change(before, after, "completion_tokens")])
        note = "Means over the validation prompts, of greedy completions. The total is the weighted sum."
        columns = ["reward", "weight", "base model", "this model", "change"]
        found = [panels.table("Rewards beside those of the base model", columns, rows, note=note)]
        edges = np.histogram_bin_edges([*self._base.totals, *self._scored.totals], BINS)
        names = [f"{low:.3g} to {high:.3g}" for low, high in zip(edges[:-1], edges[1:], strict=True)]
        counts = {
            title: np.histogram(scored.totals, edges)[0].tolist()
            for title, scored in (("base model", self._base), ("this model", self._scored))
        }
        found.append(panels.bars("Total reward of the prompts", names, counts))
        found.append(self._completions("Completions beside those of the base model", range(self._count)))
        worst = np.argsort(self._scored.totals, kind="stable")[:WORST].tolist()
        return [*found, self._completions("Prompts with the lowest reward", worst)]


def _change(before: Mapping[str, float], after: Mapping[str, float], name: str) -> list[str]:
    if name not in before:
        return ["–", f"{after[name]:.3f}", "–"]
    return [f"{before[name]:.3f}", f"{after[name]:.3f}", f"{after[name] - before[name]:+.3f}"]
