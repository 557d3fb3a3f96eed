"""Sentence transformers: training. Workers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from datasets import Dataset, DatasetDict
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainingArguments

from autotrain_gradio import data
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.text_format import in_sentence, pluralize
from autotrain_gradio.data.files.json_files import read_json
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.sentence_transformers import TASK, losses, models, pair_classifier
from autotrain_gradio.tasks.sentence_transformers.base_scores import evaluate_base
from autotrain_gradio.tasks.sentence_transformers.evaluation import (
    ClassEvaluator,
    FormatEvaluator,
    Measured,
    can_correlate,
    evaluator_of,
)
from autotrain_gradio.tasks.sentence_transformers.formats import FIRST, PAIR_CLASS, RETRIEVAL, SECOND, TARGET, THIRD
from autotrain_gradio.tasks.sentence_transformers.models import tiny_model
from autotrain_gradio.tasks.sentence_transformers.preview import preview
from autotrain_gradio.tasks.sentence_transformers.probe import probe
from autotrain_gradio.tasks.sentence_transformers.report import Results
from autotrain_gradio.tasks.sentence_transformers.search import load, write_corpus
from autotrain_gradio.tasks.sentence_transformers.trainer import LengthGroupedBatches, PairTrainer, UniqueTextBatches
from autotrain_gradio.training import card, distributed, text_models
from autotrain_gradio.training.arguments import arguments
from autotrain_gradio.training.evaluator import Evaluation
from autotrain_gradio.training.fit import Fit, fit
from autotrain_gradio.training.text_preview import measured_rows
from autotrain_gradio.training.tokens import FAR, longest, tokenize

__all__ = ["load", "preview", "probe", "tiny_model", "train"]

TEXTS = (FIRST, SECOND, THIRD)


def train(run: Reporter) -> None:
    """Fine-tune an embedding model on the run's pairs or triplets, and write the model and a report.

    Raises:
        UserError: the model cannot be loaded, or the training fails with a known error.
    """
    params, rows = run.params, data.load(run.directory)
    format = str((read_json(run.directory / "data" / "manifest.json") or {})["format"])
    classes = list(rows["train"].features[TARGET].names) if format == PAIR_CLASS.name else []
    run.state("preparing", "Loading the model")
    with distributed.temporary_folder() as folder:
        model = models.open_model(run.spec.model, texts=texts_of(rows["train"]), seed=params.seed, scratch=folder)
    if torch.cuda.is_available():
        model.to("cuda")
    set_length(run, model, rows)
    dimensions = losses.matryoshka_dimensions(params, models.dimension(model))
    if dimensions and classes:
        run.note("matryoshka_dims has no effect on pairs with a relation.", level="warning")
        dimensions = []
    evaluator = evaluator_of(format, rows, dimensions, params.batch_size) if "validation" in rows else None
    base = evaluate_base(run, model, evaluator) if evaluator is not None and params.compare_with_base else None
    train_rows = training_rows(run, model, rows["train"], format)
    encoder = text_models.adapt(run, models.transformer_of(model), task_type="FEATURE_EXTRACTION")
    loss = losses.loss_of(model, format, params, classes)
    if isinstance(evaluator, ClassEvaluator):
        evaluator.classifier = loss.classifier
    args = arguments(
        params,
        SentenceTransformerTrainingArguments,
        run,
        train_rows=len(train_rows),
        validates=evaluator is not None,
        best=TASK.declared_metric(best_metric(run, evaluator)),
        batch_sampler=UniqueTextBatches if format in RETRIEVAL else LengthGroupedBatches,
        prompts=models.prompts_of(model, format),
        router_mapping=models.routes_of(model, format),
    )
    trainer = PairTrainer(
        model=model,
        args=args,
        train_dataset=train_rows,
        eval_dataset=columns_of(rows["validation"]) if evaluator is not None else None,
        loss=loss,
        evaluator=evaluator,
    )
    evaluations = evaluation(run, rows, evaluator, base, classes)
    done = fit(trainer, run, evaluations)
    found, report = evaluations.finish(trainer, done)
    run.state("running", "Saving the model")
    text_models.merge_adapters(run, encoder)
    compare(run, evaluator, base, found)

    def write(folder: Path) -> None:
        model.save_pretrained(str(folder), create_model_card=False)
        verify(folder, model)
        if classes:
            pair_classifier.save(folder, loss.classifier, classes)

    card.save(run, write, model_card(run, rows, format, model, found, done))
    if run.rank == 0 and not run.stopping:
        run.state("running", "Encoding the texts for the search")
        write_corpus(run, model, rows)
    run.report(report)


def texts_of(rows: Dataset) -> list[str]:
    """Return all texts of a split."""
    return [text for role in TEXTS if role in rows.features for text in rows[role]]


def columns_of(rows: Dataset) -> Dataset:
    """Return the columns that the loss takes, in its order; the collator calls the target `label`."""
    chosen = rows.select_columns([c for c in (*TEXTS, TARGET) if c in rows.features])
    return chosen.rename_column(TARGET, "label") if TARGET in rows.features else chosen


def training_rows(run: Reporter, model: SentenceTransformer, rows: Dataset, format: str) -> Dataset:
    """Return the training rows as the loss takes them, with mined negatives."""
    chosen, count = columns_of(rows), run.params.hard_negatives
    if not count:
        return chosen
    if format not in RETRIEVAL:
        run.note("hard_negatives has no effect on pairs with a target.", level="warning")
        return chosen
    run.state("preparing", "Mining hard negatives")
    found, drawn = losses.mine_negatives(model, chosen, count, run.params.seed)
    share = drawn / (count * len(rows))
    note = f" {share:.0%} of them were drawn at random, as there were no others." if drawn else ""
    run.note(f"{pluralize(count, 'hard negative')} per row {'was' if count == 1 else 'were'} mined.{note}")
    return found


def set_length(run: Reporter, model: SentenceTransformer, rows: DatasetDict) -> None:
    """Set the maximum sequence length of the model, and report how many texts are truncated."""
    wanted, encoder, tokenizer = run.params.max_seq_length, models.transformer_of(model), model.tokenizer
    # Its own limit may be lower than what the positions allow: that of all-MiniLM-L6-v2 is 256 of 512.
    tokenizer.model_max_length = FAR
    limit = min(wanted, longest(encoder.config, tokenizer, encoder) or wanted)
    model.max_seq_length = limit
    if limit < wanted:
        run.note(f"The model supports at most {limit:,} tokens: max_seq_length is lowered to that.", level="warning")
    for name, part in rows.items():
        chosen = part.select(measured_rows(len(part), run.params.seed))
        for role in TEXTS:
            if role not in part.features:
                continue
            tokens = tokenize(model.tokenizer, chosen[role], limit)
            assert tokens is not None
            if tokens.truncated:
                share, title = tokens.truncated / len(chosen), TITLES[role]
                what = "training" if name == "train" else "validation"
                run.note(
                    f"{share:.1%} of the {title} of the {what} rows are truncated to {limit:,} tokens; the longest has "
                    f"{int(tokens.full.max()):,}.",
                    hint=""
                    if limit < wanted
                    else "A higher max_seq_length truncates fewer texts, but needs more time.",
                )


TITLES = {FIRST: "first texts", SECOND: "second texts", THIRD: "negatives"}


def best_metric(run: Reporter, evaluator: FormatEvaluator | None) -> str:
    """Return the metric that selects the checkpoint: the format's score, where it can be computed."""
    if evaluator is None or run.params.metric_for_best_model == "loss":
        return "loss"
    targets = getattr(evaluator, "targets", None)
    if evaluator.score == "spearman" and targets is not None and not can_correlate(targets):
        run.note(
            "The validation pairs have too few different similarities for a correlation: the loss selects the "
            "checkpoint.",
            level="warning",
            hint="Add validation pairs.",
        )
        return "loss"
    return evaluator.score


def evaluation(
    run: Reporter, rows: DatasetDict, evaluator: FormatEvaluator | None, base: Measured | None, classes: Sequence[str]
) -> Evaluation:
    """Return the evaluations of the training by the evaluator of the format; None: there is no validation split."""
    if evaluator is None:
        return Evaluation(run, 0, "rows", declared=TASK.metrics)

    def results(values: dict[str, float]) -> Results:
        assert evaluator is not None
        measured = evaluator.latest or Measured(values)  # ranks other than 0 evaluate nothing
        return Results(evaluator, measured, base, TASK.metrics, classes, run.params.seed)

    return Evaluation(run, len(rows["validation"]), "rows", from_metrics=results, declared=TASK.metrics)


def compare(
    run: Reporter, evaluator: FormatEvaluator | None, base: Measured | None, found: Mapping[str, float]
) -> None:
    """Report the score of the base model and of the fine-tuned one."""
    if evaluator is None or base is None or not (evaluator.score in found and evaluator.score in base.metrics):
        return
    before, after = base.metrics[evaluator.score], found[evaluator.score]
    title = in_sentence(TASK.declared_metric(evaluator.score).title)
    text = f"Base model: {title} {before:.4f}; fine-tuned: {after:.4f} ({after - before:+.4f})."
    if after < before:
        hint = "Try a lower learning rate, fewer epochs or larger batches; or use the base model as it is."
        run.note(f"{text} The training made it worse on the validation rows.", level="warning", hint=hint)
    else:
        run.note(text)


def verify(folder: Path, model: SentenceTransformer) -> None:
    """Load the saved model with the public loader, and compare all weights with the one in memory.

    Raises:
        UserError: weights are missing or differ.
    """
    saved = SentenceTransformer(str(folder), device="cpu", local_files_only=True).state_dict()
    mine = model.state_dict()
    different = [k for k, v in mine.items() if k not in saved or not torch.equal(saved[k].to(v), v)]
    if different:
        message = f"The saved model differs from the trained one: {different[0]}."
        hint = "The checkpoints still exist: resume the run to save the model again."
        raise UserError(message, hint, "model", "model-incomplete")


def model_card(
    run: Reporter, rows: DatasetDict, format: str, model: SentenceTransformer, found: Mapping[str, float], done: Fit
) -> str:
    """Write the model card."""
    validation = len(rows["validation"]) if "validation" in rows else 0
    facts = {
        "data format": next(f.title for f in TASK.formats if f.name == format),
        "dimensions": models.dimension(model),
        "similarity": model.similarity_fn_name,
        "maximum sequence length": model.max_seq_length,
        "training rows": len(rows["train"]),
        "validation rows": validation,
        "steps": f"{done.steps} of {done.planned}",
    }
    path = f"./{run.spec.project_name}"
    usage = card.usage_code(TASK.loader_example, path, '"Your text"')
    if format == PAIR_CLASS.name:
        usage += "\n\n" + pair_classifier.EXAMPLE.format(model=path)
    return card.card(
        run,
        task="sentence-similarity",
        title="Embedding model",
        library="sentence-transformers",
        usage=usage,
        data=facts,
        metrics=found,
        measured_on=f"{validation} validation rows",
        note=done.selection_note("rows") if found else "",
    )
