"""Text reranking: training and prediction. Workers only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import DatasetDict
from sentence_transformers import CrossEncoder
from transformers import AutoModelForSequenceClassification, AutoTokenizer, TrainingArguments

from autotrain_gradio import data
from autotrain_gradio.core import panels
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import pluralize, truncate
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.text_reranking import TASK, models
from autotrain_gradio.tasks.text_reranking.evaluation import RerankingEvaluator, evaluation
from autotrain_gradio.tasks.text_reranking.formats import PASSAGE, QUERY
from autotrain_gradio.tasks.text_reranking.models import tiny_model
from autotrain_gradio.tasks.text_reranking.pairs import (
    RELEVANT,
    Pairs,
    pairs_of,
    training_pairs,
    validation_candidates,
)
from autotrain_gradio.tasks.text_reranking.preview import preview
from autotrain_gradio.tasks.text_reranking.probe import probe
from autotrain_gradio.training import card, distributed, pretrained, saved, text_models
from autotrain_gradio.training.arguments import arguments
from autotrain_gradio.training.fit import Fit, fit
from autotrain_gradio.training.text import Collate, Texts, set_length
from autotrain_gradio.training.tokens import longest
from autotrain_gradio.training.trainer_internals import LengthGroupedTrainer

__all__ = ["load", "preview", "probe", "tiny_model", "train"]

BATCH = 32
CHARACTERS = 400


def train(run: Reporter) -> None:
    """Fine-tune a cross-encoder on the run's pairs, and write the model and a report.

    Raises:
        UserError: the model cannot be loaded, or the training fails with a known error.
    """
    params, rows = run.params, data.load(run.directory)
    run.state("preparing", "Mining wrong passages")
    pairs = training_pairs(rows, params.negatives)
    candidates = validation_candidates(rows, params.candidates)
    report_pairs(run, rows, pairs, len(candidates))
    run.state("preparing", "Loading the model")
    with distributed.temporary_folder() as folder:
        texts = [*pairs.queries, *pairs.passages]
        model, tokenizer, fresh = models.open_model(run.spec.model, texts=texts, seed=params.seed, scratch=folder)
    best = "reranked_ndcg_at_10" if params.metric_for_best_model == "score" and candidates else "loss"
    args = arguments(
        params,
        TrainingArguments,
        run,
        train_rows=len(pairs),
        validates=bool(candidates),
        best=TASK.declared_metric(best),
        remove_unused_columns=False,
        label_names=["labels"],
    )
    limit = set_length(run, tokenizer, longest(model.config, tokenizer, model))
    sets = {}
    for name, part in (("training", pairs), ("validation", pairs_of(candidates))):
        found = tokenized(run, name, part, tokenizer, limit)
        if found is None:
            return
        sets[name] = found
    model = text_models.adapt(run, model, task_type="SEQ_CLS", fresh=fresh)
    valid = sets["validation"] if candidates else None
    evaluations = evaluation(run, candidates, None if valid is None else valid.rows)
    trainer = LengthGroupedTrainer(
        model=model,
        args=args,
        train_dataset=sets["training"],
        eval_dataset=valid,
        data_collator=Collate(tokenizer),
        compute_loss_func=loss_function(pairs.positive_weight if params.positive_weight == "balanced" else 1.0),
        **evaluations.trainer_arguments(),
    )
    done = fit(trainer, run, evaluations)
    found_metrics, report = evaluations.finish(trainer, done)
    run.state("running", "Saving the model")
    model = text_models.merge_adapters(run, trainer.model)
    compare(run, evaluations.best, found_metrics)
    write = saved.writer(model, tokenizer, AutoModelForSequenceClassification, AutoTokenizer, classes=1)
    card.save(run, write, model_card(run, rows, pairs, len(candidates), found_metrics, done))
    run.report(report)


def report_pairs(run: Reporter, rows: DatasetDict, pairs: Pairs, queries: int) -> None:
    """Report how many pairs are trained on, and validation queries that cannot be evaluated.

    Raises:
        UserError: there are no wrong passages, or no right ones.
    """
    right = sum(r >= RELEVANT for r in pairs.relevance)
    if not 0 < right < len(pairs):
        what = "wrong" if right else "right"
        message = f"There are no {what} passages to train on."
        hint = "Set negatives to 5, so that some are mined." if right else "Add passages that answer their queries."
        raise UserError(message, hint, "params.negatives" if right else "data", "one-class")
    mined = f", of which {pairs.mined:,} were mined" if pairs.mined else ""
    run.note(f"Training on {right:,} right and {pluralize(len(pairs) - right, 'wrong passage')}{mined}.")
    if "validation" in rows and not queries:
        text = "No validation query has a right passage: the model is not evaluated."
        run.note(text, level="warning", hint="Add validation rows of right passages.")


def loss_function(weight: float) -> Callable[..., torch.Tensor]:
    """Return the binary cross-entropy, as the library's BinaryCrossEntropyLoss. weight: of right passages."""

    def loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        logits = outputs.logits[:, 0]
        total = torch.nn.functional.binary_cross_entropy_with_logits(
            logits, labels.to(logits), pos_weight=torch.tensor(weight).to(logits), reduction="sum"
        )
        return total / (len(labels) if num_items_in_batch is None else num_items_in_batch)

    return loss


def tokenized(run: Reporter, name: str, pairs: Pairs, tokenizer: Any, limit: int) -> Texts | None:
    """Return tokenized pairs, and report how many are truncated; None if stopped."""

    def should_continue(done: int) -> bool:
        run.state("preparing", f"Tokenizing {name} pairs: {done:,} of {len(pairs):,}")
        return not run.stop_requested()

    tokens = models.tokenize_pairs(tokenizer, pairs, limit, should_continue=should_continue)
    if tokens is None:
        return None
    if tokens.truncated:
        share = tokens.truncated / len(pairs)
        run.note(
            f"{pluralize(tokens.truncated, f'{name} pair')} ({share:.1%}) were truncated to {limit:,} tokens; the "
            f"longest has {int(tokens.full.max()):,}.",
            hint="A higher max_seq_length truncates fewer pairs, but needs more time and memory.",
        )
    targets = np.asarray(pairs.relevance, dtype=np.float32)
    return Texts(tokens, targets, by_length=name == "validation")


def compare(run: Reporter, evaluator: Any, found: Mapping[str, float]) -> None:
    """Report the score of the retriever's order and of the model's."""
    if not isinstance(evaluator, RerankingEvaluator):
        return
    name = "reranked_ndcg_at_10"
    before, after = evaluator.before()[name], found[name]
    text = f"Order of the retriever: nDCG@10 {before:.4f}; reranked: {after:.4f} ({after - before:+.4f})."
    if after < before:
        hint = "Train longer, with more wrong passages, or choose a model that was trained for search."
        run.note(f"{text} The model made the order worse.", level="warning", hint=hint)
    else:
        run.note(text)


def model_card(
    run: Reporter, rows: DatasetDict, pairs: Pairs, queries: int, found: Mapping[str, float], done: Fit
) -> str:
    """Write the model card."""
    facts = {
        "training rows": len(rows["train"]),
        "training pairs": len(pairs),
        "mined wrong passages": pairs.mined,
        "validation queries": queries,
        "steps": f"{done.steps} of {done.planned}",
    }
    value = '{"query": "Your query", "passage": "A passage\\nAnother passage"}'
    return card.card(
        run,
        task="text-ranking",
        title="Reranker",
        library="sentence-transformers",
        usage=card.usage_code(TASK.loader_example, f"./{run.spec.project_name}", value),
        data=facts,
        metrics=found,
        measured_on=f"{queries} validation queries",
        note=done.selection_note("queries") if found else "",
    )


class load:  # noqa: N801 - called as a function: `load(directory)(inputs)`
    """The cross-encoder that a run has trained.

    Inputs: `{"query": str, "passage": str}`, each line a passage. Predictions: `{"scores": [float], "ranking":
    [{"text", "score", "rank", "line"}], "panels"}`: scores from 0 to 1 in the order of the lines; the ranking begins
    with the best.
    """

    def __init__(self, directory: Path) -> None:
        with pretrained.translated_errors("model"):
            device = "cuda" if torch.cuda.is_available() else "cpu"
            self._model = CrossEncoder(str(directory / "model"), device=device, local_files_only=True)

    def __call__(self, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Score the passages of each query.

        Raises:
            UserError: query or passages are missing or empty.
        """
        pairs: list[tuple[str, str]] = []
        sizes = []
        for given in inputs:
            query, text = given.get(QUERY), given.get(PASSAGE)
            for value, name in ((query, QUERY), (text, PASSAGE)):
                if not isinstance(value, str) or not value.strip():
                    raise UserError(f"The {name} is empty.", "Enter a text.", name, "no-text")
            lines = [line for line in str(text).splitlines() if line.strip()]
            pairs += [(str(query), line) for line in lines]
            sizes.append(len(lines))
        scores = self._model.predict(pairs, batch_size=BATCH, convert_to_numpy=True, show_progress_bar=False)
        found, start = [], 0
        for size in sizes:
            part = [float(s) for s in scores[start : start + size]]
            order = sorted(range(size), key=lambda i: -part[i])
            ranking = [
                {"text": pairs[start + i][1], "score": round(part[i], 4), "rank": rank, "line": i + 1}
                for rank, i in enumerate(order, 1)
            ]
            found.append({"scores": part, "ranking": ranking, "panels": [ranking_panel(ranking)]})
            start += size
        return found


def ranking_panel(ranking: Sequence[Mapping[str, Any]]) -> Panel:
    """Return the table of passages, the best first."""
    rows = [[truncate(" ".join(r["text"].split()), CHARACTERS), r["rank"], r["score"], r["line"]] for r in ranking]
    return panels.table("Passages by score", ["passage", "rank", "score", "line"], rows, id="ranking")
