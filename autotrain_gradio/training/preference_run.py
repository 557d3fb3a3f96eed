"""Train a language model on preferences: what the tasks with preferred and rejected answers have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from datasets import Dataset

from autotrain_gradio import data
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.text_format import count_with_verb
from autotrain_gradio.data.kinds.conversation import messages_of
from autotrain_gradio.data.kinds.tools import tools_of
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.training import distributed, language_models
from autotrain_gradio.training.arguments import device
from autotrain_gradio.training.chat_template_support import Conversation, use_template
from autotrain_gradio.training.chat_templates import (
    ChatTemplate,
    TemplateFailure,
    TokenizedRow,
    end_tokens,
    prompt_ids,
)
from autotrain_gradio.training.evaluator import Evaluation
from autotrain_gradio.training.fit import fit
from autotrain_gradio.training.language_evaluation import SampleAnswers, SamplePrompt
from autotrain_gradio.training.language_run import NOUN, STEP, Prepared, Split, open_model, report_skipped, save
from autotrain_gradio.training.language_trainer import try_longest_batch
from autotrain_gradio.training.preference_evaluation import PairResults
from autotrain_gradio.training.preference_rows import (
    ANSWERS,
    Pair,
    PairLimits,
    PairTokenizer,
    as_dataset,
    limit_pairs,
)
from autotrain_gradio.training.token_rows import IGNORED

ROWS_FOR_ENDS = 20
"""Training rows in which the tokens that end the answers are looked up."""
MakeTrainer = Callable[..., Any]
"""(run, model, tokenizer, train, valid, after_evaluation) → a `PairTraining`, or None if stopped."""


def train_on_pairs(run: Reporter, task: Task, make_trainer: MakeTrainer, *, title: str) -> None:
    """Train a language model on a run's preferences, and write the model and a report.

    title: of the model card.

    Raises:
        UserError: the model cannot be loaded, no row can be trained on, or the training fails with a known error.
    """
    params, rows = run.params, data.load(run.directory)
    found = open_model(run, texts_of(rows["train"]))
    model, tokenizer = found.model, found.tokenizer
    template = use_template(run, tokenizer, conversations_of(rows["train"]))
    limit = language_models.sequence_limit(found.limit, params)
    pairs = PairTokenizer(tokenizer, template)
    splits = {str(name): tokenize_pairs(run, str(name), pairs, part, limit) for name, part in rows.items()}
    if None in splits.values():
        return
    kept = {name: split for name, split in splits.items() if split is not None}
    ends = answer_ends(tokenizer, pairs, rows["train"])
    language_models.set_generation(model, tokenizer, ends, params.max_new_tokens)
    if not getattr(model, "is_quantized", False):
        model.to(device())
    validation = rows.get("validation")
    prompts = [] if validation is None else list(sample_prompts(tokenizer, template, validation, limit, params))
    answers = SampleAnswers(run, tokenizer, prompts)
    answers.ask_base(model)
    train, valid = kept["train"], kept.get("validation")
    adapted = language_models.adapt(run, found)
    trainer = make_trainer(
        run, adapted, tokenizer, train.sequences, valid.sequences if valid else None, after_evaluation=answers.ask
    )
    if trainer is None:
        return

    def results(values: dict[str, float]) -> PairResults:
        assert valid is not None

        def describe(row: int) -> list[str]:
            return as_texts(validation[valid.rows[row]])

        name = task.inputs[0].name
        return PairResults(values, trainer.latest, answers, describe, noun=NOUN, input_name=name)

    count = len(valid.sequences) if valid else 0
    evaluations = Evaluation(run, count, NOUN, from_metrics=results, declared=task.metrics)
    try_longest_batch(run, trainer, answer_log_probabilities)
    done = fit(trainer, run, evaluations)
    values, report = evaluations.finish(trainer, done)
    run.state("running", "Saving the model")
    prepared = Prepared(found, kept, prompts, limit, usage=task.loader_example, title=title)
    save(run, prepared, trainer.model, answers, values, done)
    run.report(report)


def conversations_of(rows: Iterable[Mapping[str, Any]], names: Sequence[str] = ANSWERS) -> Iterator[Conversation]:
    """Yield the messages of each row, prompt and answers, and its tools. names: of the columns of the answers."""
    for row in rows:
        yield [m for name in ("prompt", *names) for m in messages_of(row[name])], tools_of(row.get("tools"))


def texts_of(rows: Any, names: Sequence[str] = ANSWERS) -> Iterator[str]:
    """Yield the texts of prompts and answers, for the tokenizer of the tiny model. names: of the answers' columns."""
    for row in rows:
        for name in ("prompt", *names):
            for message in messages_of(row[name]):
                yield f"{message['role']}\n"
                yield message["content"] or ""


def as_texts(row: Any, names: Sequence[str] = ANSWERS) -> list[str]:
    """Return the last message of the prompt, and the answers as texts. names: of the columns of the answers."""
    prompt, *answers = (messages_of(row[name]) for name in ("prompt", *names))
    return [prompt[-1]["content"], *("\n".join(m["content"] for m in answer) for answer in answers)]


def tokenize_pairs(run: Reporter, name: str, tokenizer: PairTokenizer, rows: Dataset, limit: int) -> Split | None:
    """Return the rows of a split as token ids, with messages about those that are too long or cannot be rendered.

    Returns None if stopped.

    Raises:
        UserError: no row is left.
    """
    failed: dict[int, TemplateFailure] = {}
    numbers: list[int] = []
    stopped = False

    def usable() -> Iterator[Pair]:
        nonlocal stopped
        for number, row in enumerate(tokenizer.pairs(rows)):
            if number % STEP == 0:
                run.state("preparing", f"Tokenizing rows: {number:,} of {len(rows):,}")
                if run.stop_requested():
                    stopped = True
                    return
            if isinstance(row, TemplateFailure):
                failed[number] = row
            else:
                numbers.append(number)
                yield row

    pairs, origins, counts = limit_pairs(usable(), PairLimits.of(run.params, limit))
    if distributed.agree_to_stop(run, stopped):
        return None
    what = "training row" if name == "train" else "validation row"
    report_skipped(run, failed, what)
    if longer := counts.message(what):
        hint = "Raise block_size, model_max_length, max_prompt_length or max_completion_length, or change too_long."
        run.note(longer, hint=hint, level="warning")
    if counts.untrained:
        message = f"{count_with_verb(counts.untrained, what, 'was')} skipped: the answers do not differ any more."
        run.note(message, level="warning", hint="Raise block_size, or set too_long to truncate_left.")
    if not pairs:
        first = next(iter(failed.values()), None)
        hint = first.message if first else "Raise block_size, or change too_long."
        raise UserError(f"No {what} is left to train on.", hint, "params.too_long", "no-rows-left")
    return Split(as_dataset(pairs), [numbers[i] for i in origins])


def answer_ends(tokenizer: Any, pairs: PairTokenizer, rows: Dataset, name: str = ANSWERS[0]) -> set[int]:
    """Return the special tokens that end the answers of the first rows. name: of their column."""
    ends: set[int] = set()
    for row in rows.select(range(min(ROWS_FOR_ENDS, len(rows)))):
        try:
            made: TokenizedRow = pairs.answer(row, name)
        except TemplateFailure:
            continue  # the row is reported where the rows are tokenized
        ends |= end_tokens(tokenizer, made)
    return ends


def sample_prompts(
    tokenizer: Any, template: ChatTemplate, rows: Dataset, limit: int, params: Any, name: str = ANSWERS[0]
) -> Iterator[SamplePrompt]:
    """Yield the first different prompts of the validation rows, and their answers. name: of the answers' column."""
    seen: set[str] = set()
    for row in rows:
        if len(seen) == params.generation_rows:
            return
        if row["prompt"] in seen:
            continue
        text, reference = as_texts(row, [name])
        try:
            ids = prompt_ids(tokenizer, template.saved, messages_of(row["prompt"]), tools_of(row.get("tools")))
        except TemplateFailure:
            continue  # the row is reported where the rows are tokenized
        if len(ids) < limit:
            seen.add(row["prompt"])
            yield SamplePrompt(text, ids, reference, row["prompt"])


def answer_log_probabilities(model: Any, batch: dict[str, Any]) -> Any:
    """Return the sum of the log-probabilities of the answers of a batch: what a training step differentiates."""
    labels = batch["input_ids"].masked_fill(batch["completion_mask"] == 0, IGNORED)
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
    return model(**inputs, labels=labels, use_cache=False, fused_lm_head=True).log_probs.sum()
