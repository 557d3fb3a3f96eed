"""Extractive question answering: training. Workers only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datasets import DatasetDict
from transformers import AutoModelForQuestionAnswering, AutoTokenizer, Trainer, TrainingArguments

from autotrain_gradio import data
from autotrain_gradio.core.text_format import count_with_verb, pluralize
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.extractive_question_answering import TASK, models
from autotrain_gradio.tasks.extractive_question_answering.evaluation import (
    AnswerEvaluator,
    evaluation,
    threshold_note,
)
from autotrain_gradio.tasks.extractive_question_answering.models import tiny_model
from autotrain_gradio.tasks.extractive_question_answering.predict import SETTINGS, load
from autotrain_gradio.tasks.extractive_question_answering.preview import preview
from autotrain_gradio.tasks.extractive_question_answering.probe import probe
from autotrain_gradio.tasks.extractive_question_answering.spans import MIN_ANSWER_TOKENS
from autotrain_gradio.tasks.extractive_question_answering.window_dataset import LABELS, WindowCollate, WindowDataset
from autotrain_gradio.tasks.extractive_question_answering.windows import make_windows
from autotrain_gradio.training import card, distributed, saved, text_models
from autotrain_gradio.training.arguments import arguments
from autotrain_gradio.training.fit import Fit, fit
from autotrain_gradio.training.text import set_length
from autotrain_gradio.training.tokens import longest
from autotrain_gradio.training.trainer_internals import LengthGroupedTrainer

__all__ = ["load", "preview", "probe", "tiny_model", "train"]

EXAMPLE = '{"question": "Who wrote the book?", "context": "The book was written by Ada Brown in 1902."}'


def train(run: Reporter) -> None:
    """Fine-tune a model on the run's questions, and write the model and a report.

    Raises:
        UserError: the model cannot be loaded, or the training fails with a known error.
    """
    params, rows = run.params, data.load(run.directory)
    run.state("preparing", "Loading the model")
    with distributed.temporary_folder() as folder:
        texts = (text for name in ("context", "question") for text in rows["train"][name])
        model, tokenizer, fresh = models.open_model(run.spec.model, texts=texts, seed=params.seed, scratch=folder)
    sets = read_questions(run, rows, tokenizer, longest(model.config, tokenizer, model))
    if sets is None:
        return
    most = longest_answer(run, sets)
    may_refuse = any(not answers["text"] for answers in rows["train"]["answers"])
    model = text_models.adapt(run, model, task_type="QUESTION_ANS", fresh=fresh)
    args = arguments(
        params,
        TrainingArguments,
        run,
        train_rows=len(sets["train"]),
        validates="validation" in sets,
        best=TASK.declared_metric(params.metric_for_best_model),
        remove_unused_columns=False,
        label_names=list(LABELS),
    )
    valid = sets.get("validation")
    evaluations = evaluation(run, rows.get("validation"), valid, most=most, may_refuse=may_refuse)
    trainer: Trainer = LengthGroupedTrainer(
        model=model,
        args=args,
        train_dataset=sets["train"],
        eval_dataset=valid,
        data_collator=WindowCollate(tokenizer),
        **evaluations.trainer_arguments(),
    )
    done = fit(trainer, run, evaluations)
    found, report = evaluations.finish(trainer, done)
    run.state("running", "Saving the model")
    model = text_models.merge_adapters(run, trainer.model)
    threshold = params.null_threshold if may_refuse else None
    if isinstance(evaluations.best, AnswerEvaluator):
        threshold = evaluations.best.threshold
    settings = {"doc_stride": params.doc_stride, "max_answer_length": most, "null_threshold": threshold}
    setattr(model.config, SETTINGS, settings)
    write = saved.writer(model, tokenizer, AutoModelForQuestionAnswering, AutoTokenizer)
    card.save(run, write, model_card(run, rows, found, done, threshold_note(threshold, None)))
    run.report(report)


def read_questions(
    run: Reporter, rows: DatasetDict, tokenizer: Any, most: int | None
) -> dict[str, WindowDataset] | None:
    """Return the tokenized windows of each split; None if stopped.

    most: maximum sequence length of the model, to which `max_seq_length` is limited. The length is saved in the
    tokenizer, so that prediction uses the same windows.
    """
    params, limit = run.params, set_length(run, tokenizer, most)
    total, before, sets = sum(len(part) for part in rows.values()), 0, {}
    for name, part in rows.items():

        def should_continue(done: int, before: int = before) -> bool:
            run.state("preparing", f"Tokenizing questions: {before + done:,} of {total:,}")
            return not run.stop_requested()

        windows = make_windows(
            tokenizer,
            part["question"],
            part["context"],
            part["answers"],
            limit=limit,
            stride=params.doc_stride,
            should_continue=should_continue,
        )
        if windows is None:
            return None
        what = "training" if name == "train" else "validation"
        if len(windows) > len(part):
            long = int((windows.full > limit).sum())
            run.note(
                f"{pluralize(long, f'{what} context')} with more than {limit:,} tokens (the longest has "
                f"{int(windows.full.max()):,}) became overlapping windows: {len(windows):,} windows in all."
            )
        if windows.truncated.any():
            run.note(
                f"{count_with_verb(int(windows.truncated.sum()), f'{what} question', 'is')} longer than half of the "
                f"{limit:,} tokens of a window and truncated.",
                level="warning",
                hint="A higher max_seq_length truncates fewer.",
            )
        sets[str(name)] = WindowDataset(windows, by_length=name == "validation")
        before += len(part)
    return sets


def longest_answer(run: Reporter, sets: Mapping[str, WindowDataset]) -> int:
    """Return the longest answer in tokens that the model may give, and note which training answers are longer."""
    tokens = sets["train"].windows.answer_tokens
    longest = int(tokens.max(initial=1))
    most: int = run.params.max_answer_length or max(MIN_ANSWER_TOKENS, longest)
    most = min(most, max(1, int(sets["train"].windows.counts.max(initial=1))))
    longer = int((tokens > most).sum())
    if longer:
        run.note(
            f"{count_with_verb(longer, 'training answer', 'has')} more than {most:,} tokens (the longest {longest:,}): "
            "answers of the model are shorter.",
            level="warning",
            hint="Raise max_answer_length, or max_seq_length if answers are longer than a window.",
        )
    return most


def model_card(run: Reporter, rows: DatasetDict, found: Mapping[str, float], done: Fit, note: str) -> str:
    """Write the model card. note: about the threshold."""
    validation = len(rows["validation"]) if "validation" in rows else 0
    facts = {
        "training questions": len(rows["train"]),
        "without an answer": sum(not answers["text"] for answers in rows["train"]["answers"]),
        "validation questions": validation,
        "steps": f"{done.steps} of {done.planned}",
    }
    return card.card(
        run,
        task="question-answering",
        title="Extractive question answering",
        library="transformers",
        usage=card.usage_code(TASK.loader_example, f"./{run.spec.project_name}", EXAMPLE),
        data=facts,
        metrics=found,
        measured_on=f"{validation} validation questions",
        note=" ".join(filter(None, [done.selection_note("questions") if found else "", note])),
    )
