"""Vision-language models: training. Workers only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import AutoModelForImageTextToText, AutoProcessor

from autotrain_gradio import data
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.vlm import TASK, models
from autotrain_gradio.tasks.vlm.batches import Collate, ImageRows, plan_split
from autotrain_gradio.tasks.vlm.conversations import texts_of
from autotrain_gradio.tasks.vlm.evaluation import NOUN, AnswerResults, ValidationAnswers
from autotrain_gradio.tasks.vlm.models import VisionLanguageModel
from autotrain_gradio.tasks.vlm.predict import load, usage_of
from autotrain_gradio.tasks.vlm.preview import preview
from autotrain_gradio.tasks.vlm.probe import probe
from autotrain_gradio.tasks.vlm.tiny import tiny_model
from autotrain_gradio.tasks.vlm.trainer import VisionLanguageTrainer, training_arguments, try_longest_batch
from autotrain_gradio.training import card, distributed, saved, text_models
from autotrain_gradio.training.arguments import device
from autotrain_gradio.training.chat_templates import end_tokens
from autotrain_gradio.training.evaluator import Evaluation
from autotrain_gradio.training.fit import Fit, fit
from autotrain_gradio.training.image_files import white_level
from autotrain_gradio.training.language_models import set_generation

__all__ = ["load", "preview", "probe", "tiny_model", "train"]

ROWS_FOR_ENDS = 20
"""Training rows in which the tokens that end the answers are looked up."""


def train(run: Reporter) -> None:
    """Fine-tune a vision-language model on the run's rows, and write the model and a report.

    Raises:
        UserError: the model cannot be loaded, no row can be trained on, or the training fails with a known error.
    """
    params, rows = run.params, data.load(run.directory)
    run.state("preparing", "Loading the model")
    with distributed.temporary_folder() as folder:
        found = models.open_model(run, texts_of(rows["train"].remove_columns("image"), params.prompt), folder)
    for note in found.notes:
        run.note(note)
    limit = models.sequence_limit(found.limit, params)
    splits: dict[str, ImageRows] = {}
    for name, part in rows.items():
        split = plan_split(run, str(name), part, found.encoder, limit)
        if split is None:
            return
        splits[str(name)] = split
    set_generation(found.model, found.tokenizer, ends_of(found, splits["train"]), params.max_new_tokens)
    if not getattr(found.model, "is_quantized", False):
        found.model.to(device())
    white, valid = white_level(run.directory, "image"), splits.get("validation")
    answers = ValidationAnswers(run, found.encoder, valid, white)
    answers.ask_base(found.model)
    trainer = VisionLanguageTrainer(
        after_evaluation=answers.ask,
        model=models.adapt(run, found),
        args=training_arguments(
            run, train_rows=len(splits["train"]), validates=valid is not None, best=TASK.declared_metric("loss")
        ),
        train_dataset=splits["train"],
        eval_dataset=valid,
        data_collator=Collate(found.encoder, white),
    )

    def results(values: dict[str, float]) -> AnswerResults:
        assert valid is not None
        return AnswerResults(run, values, answers, valid, trainer.row_losses)

    evaluations = Evaluation(run, len(valid) if valid else 0, NOUN, from_metrics=results, declared=TASK.metrics)
    try_longest_batch(run, trainer)
    done = fit(trainer, run, evaluations)
    values, report = evaluations.finish(trainer, done)
    run.state("running", "Saving the model")
    save(run, found, trainer.model, answers, splits, values, done)
    run.report(report)


def ends_of(found: VisionLanguageModel, rows: ImageRows) -> set[int]:
    """Return the tokens that end the answers of the first training rows."""
    ends: set[int] = set()
    for number in range(min(ROWS_FOR_ENDS, len(rows))):
        ends |= end_tokens(found.tokenizer, found.encoder.encode(rows.conversation(number)).tokens)
    return ends


def save(
    run: Reporter,
    found: VisionLanguageModel,
    model: Any,
    answers: ValidationAnswers,
    splits: dict[str, ImageRows],
    values: dict[str, float],
    done: Fit,
) -> None:
    """Write the model, its processor, generation config and card.

    Raises:
        UserError: the saved model differs from the trained one, or answers a validation row in another way.
    """
    params, processor = run.params, found.encoder.processor
    adapter = params.peft and not params.merge_adapter
    if adapter and run.spec.model == TINY:
        run.note("The adapter is merged: the tiny model is not kept, and an adapter needs its base model.")
        adapter = False
    model = model if adapter else text_models.merge_adapters(run, model)
    model.eval()
    answers.ask(model)

    def write(folder: Path) -> None:
        model.save_pretrained(folder)
        processor.save_pretrained(folder)
        if adapter:
            model.get_base_model().generation_config.save_pretrained(folder)
        else:
            saved.verify(folder, model, AutoModelForImageTextToText, AutoProcessor)
        require_same_answers(folder, answers)

    valid = splits.get("validation")
    text = card.card(
        run,
        task="image-text-to-text",
        title="Vision-language model",
        library="peft" if adapter else "transformers",
        usage=usage_of(found.encoder, run.spec.project_name),
        data={
            "training rows": len(splits["train"]),
            "validation rows": len(valid) if valid else 0,
            "maximum length in tokens": models.sequence_limit(found.limit, params),
            "steps": f"{done.steps} of {done.planned}",
        },
        metrics=values,
        measured_on=f"{len(valid) if valid else 0} validation rows",
        note=done.selection_note(NOUN) if values else "",
    )
    card.save(run, write, text)


def require_same_answers(folder: Path, answers: ValidationAnswers) -> None:
    """Load a saved model and answer the validation rows again: greedy decoding in float32 must give equal texts.

    Raises:
        UserError: an answer differs.
    """
    from autotrain_gradio.tasks.vlm.predict import load_trained

    model, encoder = load_trained(folder)
    for one, other in zip(answers.latest, answers.again(model, encoder), strict=True):
        if one != other:
            message = f"The saved model answers otherwise than the trained one: {other[:80]!r} instead of {one[:80]!r}."
            hint = "The checkpoints still exist: resume the run to save the model again."
            raise UserError(message, hint, "model", "model-incomplete")
