"""Kahneman-Tversky Optimization: training and prediction. Workers only."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from datasets import Dataset
from trl import KTOConfig
from trl.trainer.kto_trainer import DataCollatorForUnpairedPreference

from autotrain_gradio import data
from autotrain_gradio.data.kinds.preferences import balancing_weights
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.llm_kto import TASK
from autotrain_gradio.tasks.llm_kto.preview import preview
from autotrain_gradio.tasks.llm_kto.report import JudgedResults
from autotrain_gradio.tasks.llm_kto.rows import ANSWER, JUDGED, as_dataset, row_lengths, tokenized
from autotrain_gradio.tasks.llm_kto.trainer import JudgedTrainer, answer_log_probabilities
from autotrain_gradio.training import language_models, preference_reference
from autotrain_gradio.training.arguments import device
from autotrain_gradio.training.chat_prediction import LanguagePredictor
from autotrain_gradio.training.chat_template_support import use_template
from autotrain_gradio.training.evaluator import Evaluation
from autotrain_gradio.training.fit import fit
from autotrain_gradio.training.language_evaluation import SampleAnswers
from autotrain_gradio.training.language_models import tiny_model
from autotrain_gradio.training.language_run import NOUN, Prepared, open_model, save, tokenize_split
from autotrain_gradio.training.language_trainer import trl_arguments, try_longest_batch
from autotrain_gradio.training.preference_reference import add_log_probabilities, open_reference
from autotrain_gradio.training.preference_rows import PairTokenizer
from autotrain_gradio.training.preference_run import answer_ends, as_texts, conversations_of, sample_prompts, texts_of

__all__ = ["load", "preview", "probe", "tiny_model", "train"]

MISMATCHED = "kto"
"""Loss that compares with answers to other prompts."""
REFERENCE_COLUMNS = ("ref_logps", "ref_KL_logps")
"""Columns that TRL reads the log-probabilities of the reference model from: of the answers, and of mismatched ones."""
probe = partial(preference_reference.probe, sequences_per_row=1)


def train(run: Reporter) -> None:
    """Train a language model on the run's judged answers with KTO, and write the model and a report.

    Raises:
        UserError: the model or its reference cannot be loaded, no row can be trained on, or the training fails with a
            known error.
    """
    params, rows = run.params, data.load(run.directory)
    found = open_model(run, texts_of(rows["train"], [ANSWER]))
    model, tokenizer = found.model, found.tokenizer
    template = use_template(run, tokenizer, conversations_of(rows["train"], [ANSWER]))
    limit = language_models.sequence_limit(found.limit, params)
    splits, judged = {}, {}
    for name, part in rows.items():
        split = tokenize_split(run, str(name), tokenized(tokenizer, template, part), len(part), limit)
        if split is None:
            return
        splits[str(name)] = split
        judged[str(name)] = as_dataset(split, part, limit, mismatched=params.loss_type == MISMATCHED)
    ends = answer_ends(tokenizer, PairTokenizer(tokenizer, template), rows["train"], ANSWER)
    language_models.set_generation(model, tokenizer, ends, params.max_new_tokens)
    if not getattr(model, "is_quantized", False):
        model.to(device())
    validation, valid = rows.get("validation"), splits.get("validation")
    prompts = []
    if validation is not None:
        # The reference beside a sample answer is a good answer, where there are some.
        good = [number for number, judgement in enumerate(validation[JUDGED]) if judgement]
        shown = validation.select(good) if good else validation
        prompts = list(sample_prompts(tokenizer, template, shown, limit, params, ANSWER))
    answers = SampleAnswers(run, tokenizer, prompts)
    answers.ask_base(model)
    trainer = make_trainer(run, language_models.adapt(run, found), tokenizer, judged, answers)
    columns = REFERENCE_COLUMNS[: 2 if params.loss_type == MISMATCHED else 1]
    if not add_log_probabilities(run, trainer, columns=columns, lengths=row_lengths):
        return

    def results(values: dict[str, float]) -> JudgedResults:
        assert valid is not None

        def describe(row: int) -> list[str]:
            return as_texts(validation[valid.rows[row]], [ANSWER])

        return JudgedResults(values, trainer.latest, answers, describe, noun=NOUN, input_name=TASK.inputs[0].name)

    count = len(valid.sequences) if valid else 0
    evaluations = Evaluation(run, count, NOUN, from_metrics=results, declared=TASK.metrics)
    try_longest_batch(run, trainer, lambda policy, batch: answer_log_probabilities(policy, batch).sum())
    done = fit(trainer, run, evaluations)
    values, report = evaluations.finish(trainer, done)
    run.state("running", "Saving the model")
    title = "Preference-tuned chat model"
    prepared = Prepared(found, splits, prompts, limit, usage=TASK.loader_example, title=title)
    save(run, prepared, trainer.model, answers, values, done)
    run.report(report)


def make_trainer(
    run: Reporter, model: Any, tokenizer: Any, judged: dict[str, Dataset], answers: SampleAnswers
) -> JudgedTrainer:
    """Return the trainer. judged: split → its rows."""
    params, valid = run.params, judged.get("validation")
    good = sum(judged["train"]["label"])
    automatic = balancing_weights(good, len(judged["train"]) - good)
    given = (params.desirable_weight, params.undesirable_weight)
    weights = [a if g is None else g for g, a in zip(given, automatic, strict=True)]
    run.note(f"Weights of the losses: {weights[0]:g} for good answers, {weights[1]:g} for bad ones.")
    args = trl_arguments(
        run,
        KTOConfig,
        train_rows=len(judged["train"]),
        validates=valid is not None,
        best=TASK.declared_metric("loss"),
        beta=params.beta,
        loss_type=params.loss_type,
        desirable_weight=weights[0],
        undesirable_weight=weights[1],
        max_length=None,  # the rows are limited in length already, as the preview shows them
        precompute_ref_log_probs=True,
    )
    return JudgedTrainer(
        model=model,
        ref_model=open_reference(run, tokenizer),
        args=args,
        train_dataset=judged["train"],
        eval_dataset=valid,
        data_collator=DataCollatorForUnpairedPreference(pad_token_id=tokenizer.pad_token_id),
        processing_class=tokenizer,
        after_evaluation=answers.ask,
    )


def load(directory: Path) -> LanguagePredictor:
    """Return the model that a run has trained: it answers messages and conversations (`prompt`)."""
    return LanguagePredictor(directory, "prompt", chat=True)
