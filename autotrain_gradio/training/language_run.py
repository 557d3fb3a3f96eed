"""Fine-tune a language model on tokenized rows: what the tasks of language models have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from transformers import AutoModelForCausalLM, AutoTokenizer

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.core.text_format import count_with_verb, join_examples
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.training import card, distributed, language_models, saved, text_models
from autotrain_gradio.training.arguments import device
from autotrain_gradio.training.chat_templates import TemplateFailure, TokenizedRow
from autotrain_gradio.training.evaluator import Evaluation
from autotrain_gradio.training.fit import Fit, fit
from autotrain_gradio.training.language_evaluation import LanguageResults, SampleAnswers, SamplePrompt
from autotrain_gradio.training.language_models import LanguageModel
from autotrain_gradio.training.language_trainer import (
    LanguageTrainer,
    pack_if_exact,
    sft_arguments,
    try_longest_batch,
)
from autotrain_gradio.training.serving_commands import serving_section
from autotrain_gradio.training.token_rows import Collate, as_dataset, limit_lengths

STEP = 500
"""Rows between two messages about the progress."""
NOUN = "rows"


@dataclass(frozen=True)
class Split:
    """The tokenized rows of a split: sequences (`input_ids`, `labels`), and the row number of each."""

    sequences: Any
    rows: list[int]


@dataclass(frozen=True)
class Prepared:
    """All that a training needs. limit: maximum length in tokens. usage, title: of the model card."""

    found: LanguageModel
    splits: dict[str, Split]
    prompts: list[SamplePrompt]
    limit: int
    usage: str
    title: str


def open_model(run: Reporter, texts: Iterable[str]) -> LanguageModel:
    """Return the model that a run trains, and report what is to be known about it.

    texts: on which the tokenizer of the tiny model is trained.

    Raises:
        UserError: as `language_models.open_language_model`.
    """
    run.state("preparing", "Loading the model")
    with distributed.temporary_folder() as folder:
        found = language_models.open_language_model(run, texts, folder)
    report_notes(run, found)
    return found


def report_notes(run: Reporter, found: LanguageModel) -> None:
    """Report what is to be known about a loaded model, and settings of AutoTrain that have no effect."""
    for note in found.notes:
        run.note(note)
    fields = type(run.params).model_fields
    for name, reason in run.params.no_effect.items():
        if getattr(run.params, name) != fields[name].default:
            run.note(f"{name} has no effect here: {reason}.", level="warning")


def report_skipped(run: Reporter, failed: Mapping[int, TemplateFailure], what: str) -> None:
    """Report rows that are skipped because they cannot be rendered. failed: row → why. what: name of a row."""
    if failed:
        first = next(iter(failed.values()))
        where = join_examples([str(number + 1) for number in failed])
        message = f"{count_with_verb(len(failed), what, 'was')} skipped (numbers {where}): {first.message}"
        run.note(message, hint=first.hint, level="warning")


def tokenize_split(
    run: Reporter, name: str, rows: Iterable[TokenizedRow | TemplateFailure], count: int, limit: int
) -> Split | None:
    """Return the sequences of a split, with messages about rows that are too long or cannot be rendered.

    rows: one for each of the `count` rows. Returns None if stopped.

    Raises:
        UserError: no row is left.
    """
    failed: dict[int, TemplateFailure] = {}
    numbers: list[int] = []
    stopped = False

    def usable() -> Iterator[TokenizedRow]:
        nonlocal stopped
        for number, row in enumerate(rows):
            if number % STEP == 0:
                run.state("preparing", f"Tokenizing rows: {number:,} of {count:,}")
                if run.stop_requested():
                    stopped = True
                    return
            if isinstance(row, TemplateFailure):
                failed[number] = row
            else:
                numbers.append(number)
                yield row

    sequences, origins, counts = limit_lengths(usable(), limit, run.params.too_long)
    if distributed.agree_to_stop(run, stopped):
        return None
    what = "training row" if name == "train" else "validation row"
    report_skipped(run, failed, what)
    if longer := counts.message(what):
        hint = "Raise block_size and model_max_length, or change too_long."
        run.note(longer, **({} if counts.action == "chunk" else {"level": "warning", "hint": hint}))
    if counts.untrained:
        message = f"{count_with_verb(counts.untrained, what, 'was')} skipped: no token is left to train on."
        run.note(message, level="warning", hint="Raise block_size, set too_long to truncate_left, or correct the rows.")
    if not sequences:
        first = next(iter(failed.values()), None)
        message = f"No {what} is left to train on."
        hint = first.message if first else "Raise block_size, or change too_long."
        raise UserError(message, hint, "params.too_long", "no-rows-left")
    return Split(as_dataset(sequences), [numbers[i] for i in origins])


def fine_tune(run: Reporter, task: Task, prepared: Prepared) -> None:
    """Train a language model with TRL, evaluate it, save it, and ask the saved model the sample prompts again.

    Raises:
        UserError: the training fails with a known error, or the saved model answers otherwise than the trained one.
    """
    found, tokenizer = prepared.found, prepared.found.tokenizer
    if not getattr(found.model, "is_quantized", False):
        found.model.to(device())
    answers = SampleAnswers(run, tokenizer, prepared.prompts)
    answers.ask_base(found.model)
    train, valid = prepared.splits["train"], prepared.splits.get("validation")
    sequences = pack_if_exact(run, found.model, train.sequences, tokenizer.pad_token_id, prepared.limit)
    model = language_models.adapt(run, found)
    loss = task.declared_metric("loss")
    trainer = LanguageTrainer(
        after_evaluation=answers.ask,
        model=model,
        args=sft_arguments(run, train_rows=len(sequences), validates=valid is not None, best=loss),
        train_dataset=sequences,
        eval_dataset=valid.sequences if valid else None,
        data_collator=Collate(tokenizer.pad_token_id),
        processing_class=tokenizer,
    )

    def results(values: dict[str, float]) -> LanguageResults:
        assert valid is not None

        def describe(sequence: int) -> str:
            ids = np.asarray(valid.sequences[sequence]["input_ids"])
            return f"{valid.rows[sequence] + 1}: {tokenizer.decode(ids)}"

        name = task.inputs[0].name
        return LanguageResults(values, answers, trainer.row_losses, describe, noun=NOUN, input_name=name)

    count = len(valid.sequences) if valid else 0
    evaluations = Evaluation(run, count, NOUN, from_metrics=results, declared=task.metrics)
    try_longest_batch(run, trainer)
    done = fit(trainer, run, evaluations)
    values, report = evaluations.finish(trainer, done)
    run.state("running", "Saving the model")
    save(run, prepared, trainer.model, answers, values, done)
    run.report(report)


def save(
    run: Reporter, prepared: Prepared, model: Any, answers: SampleAnswers, values: dict[str, float], done: Fit
) -> None:
    """Write the model, its tokenizer, chat template, generation config and card.

    Raises:
        UserError: as `write_model`.
    """
    train, valid = prepared.splits["train"], prepared.splits.get("validation")
    count = len(valid.sequences) if valid else 0
    write_model(
        run,
        prepared.found,
        model,
        [p.ids for p in answers.prompts],
        usage=prepared.usage,
        title=prepared.title,
        data={
            "training sequences": len(train.sequences),
            "validation sequences": count,
            "maximum length in tokens": prepared.limit,
            "steps": f"{done.steps} of {done.planned}",
        },
        metrics=values,
        measured_on=f"{count} validation sequences",
        note=done.selection_note(NOUN) if values else "",
    )


def write_model(
    run: Reporter,
    found: LanguageModel,
    model: Any,
    prompts: Sequence[Sequence[int]],
    *,
    usage: str,
    title: str,
    data: Mapping[str, Any],
    metrics: Mapping[str, float],
    measured_on: str,
    note: str,
) -> None:
    """Write a trained model with its tokenizer, generation config and card, its adapters merged or alone.

    prompts: token ids of prompts that the saved model must answer as the trained one does. usage: code of the card.
    Others: as in `card.card`.

    Raises:
        UserError: the saved model differs from the trained one, or answers a prompt in another way.
    """
    if distributed.rank() > 0:
        return  # rank 0 saves for all
    params, tokenizer = run.params, found.tokenizer
    adapter = params.peft and not params.merge_adapter
    reason = "the tiny model is not kept" if run.spec.model == TINY else found.merge_reason
    if adapter and reason:
        run.note(f"The adapter is merged: {reason}, and an adapter needs its base model.")
        adapter = False
    model = model if adapter else text_models.merge_adapters(run, model)
    model.eval()
    given = list(language_models.generate_within(model, tokenizer, prompts))

    if padding := getattr(params, "padding", None):
        # The attribute alone is not saved by transformers 5.23.
        tokenizer.padding_side = tokenizer.init_kwargs["padding_side"] = padding

    def write(folder: Path) -> None:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        if adapter:
            model.get_base_model().generation_config.save_pretrained(folder)
        else:
            saved.verify(folder, model, AutoModelForCausalLM, AutoTokenizer)
        require_same_answers(folder, prompts, given)

    name, code = run.spec.project_name, card.usage_code(usage, f"./{run.spec.project_name}", '"Your text"')
    base = Path(run.spec.model).name if Path(run.spec.model).is_absolute() else run.spec.model
    text = card.card(
        run,
        task="text-generation",
        title=title,
        library="peft" if adapter else "transformers",
        usage=f"{code}\n\n{serving_section(name, base=base, adapter=adapter)}",
        data=data,
        metrics=metrics,
        measured_on=measured_on,
        note=note,
    )
    card.save(run, write, text)


def require_same_answers(folder: Path, prompts: Sequence[Sequence[int]], given: Sequence[str]) -> None:
    """Load a saved model, ask it the prompts, and compare: greedy decoding in float32 must give equal texts.

    Raises:
        UserError: an answer differs.
    """
    model, tokenizer = language_models.load_trained(folder)
    again = list(language_models.generate_within(model, tokenizer, prompts))
    for one, other in zip(given, again, strict=True):
        if one != other:
            message = f"The saved model answers otherwise than the trained one: {other[:80]!r} instead of {one[:80]!r}."
            hint = "The checkpoints still exist: resume the run to save the model again."
            raise UserError(message, hint, "model", "model-incomplete")
