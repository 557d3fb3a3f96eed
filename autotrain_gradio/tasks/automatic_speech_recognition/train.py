"""Speech recognition: training. Workers only."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datasets import DatasetDict
from transformers import TrainingArguments

from autotrain_gradio import data
from autotrain_gradio.core import panels
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.automatic_speech_recognition import TASK, models, utterances
from autotrain_gradio.tasks.automatic_speech_recognition.evaluation import evaluation
from autotrain_gradio.tasks.automatic_speech_recognition.models import Recognizer
from autotrain_gradio.tasks.automatic_speech_recognition.preview import preview
from autotrain_gradio.tasks.automatic_speech_recognition.probe import probe
from autotrain_gradio.tasks.automatic_speech_recognition.tiny import tiny_model
from autotrain_gradio.tasks.automatic_speech_recognition.trainer import SpeechTrainer
from autotrain_gradio.tasks.automatic_speech_recognition.transcribe import load
from autotrain_gradio.training import card, lora
from autotrain_gradio.training.arguments import arguments
from autotrain_gradio.training.audio import Speech
from autotrain_gradio.training.fit import Fit, fit

__all__ = ["load", "preview", "probe", "tiny_model", "train"]

SPARE = 1.5
"""Maximum generated length in evaluations, relative to the longest reference."""


def train(run: Reporter) -> None:
    """Fine-tune a speech recognition model on the run's data, and write the model and a report.

    Raises:
        UserError: the model cannot be loaded or does not cover the transcripts; there is no utterance to train on; or
            the training fails with a known error.
    """
    rows, params = data.load(run.directory), run.params
    run.state("preparing", "Loading the model")
    with tempfile.TemporaryDirectory() as folder:
        recognizer = models.open_recognizer(run.spec.model, params, rows["train"]["text"], Path(folder))
    for note in recognizer.notes:
        run.note(note)
    train_set, valid_set, remarks = read_speech(run, rows, recognizer)
    if run.stop_requested():
        return
    models.freeze(recognizer, params)
    model = models.with_lora(recognizer, params) if params.peft else recognizer.model
    if params.peft:
        run.note("LoRA: {:,} of {:,} parameters are trainable.".format(*lora.trainable(model)))
    if params.gradient_checkpointing:
        recognizer.model.config.use_cache = False
    args = arguments(
        params,
        TrainingArguments,
        run,
        train_rows=len(train_set),
        validates=valid_set is not None,
        best=TASK.declared_metric(params.metric_for_best_model),
        remove_unused_columns=False,
        label_names=["labels"],
        gradient_checkpointing=params.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False} if params.gradient_checkpointing else None,
    )
    evaluations = evaluation(run, recognizer, valid_set)
    trainer = SpeechTrainer(
        recognizer,
        longest=max_generated_labels(recognizer, valid_set),
        model=model,
        args=args,
        train_dataset=train_set,
        eval_dataset=valid_set,
        data_collator=recognizer.collator,
        **evaluations.trainer_arguments(),
    )
    done = fit(trainer, run, evaluations)
    found, report = evaluations.finish(trainer, done)
    if remarks:
        report.append(panels.table("Excluded clips", ["clips"], [[r] for r in remarks]))
    run.state("running", "Saving the model")
    whole = lora.merge(trainer.model) if params.peft else trainer.model
    hours = sum(u.seconds for u in train_set.utterances) / 3600
    text = model_card(run, recognizer, hours, len(valid_set) if valid_set is not None else 0, found, done)
    card.save(run, lambda folder: models.save(recognizer, whole, folder, params), text)
    run.report(report)


def read_speech(run: Reporter, rows: DatasetDict, recognizer: Recognizer) -> tuple[Speech, Speech | None, list[str]]:
    """Return the training utterances, the validation utterances, if any, and messages about excluded clips."""
    sets: dict[str, Speech] = {}
    remarks: list[str] = []
    for name in ("train", "validation"):
        if name not in rows:
            continue

        def should_continue(done: int, name: str = name) -> bool:
            if done % 4096 == 0:
                run.state("preparing", f"Reading transcripts ({name}): {done:,} of {len(rows[name]):,}")
            return not run.stop_requested()

        training = name == "train"
        sets[name], dropped = utterances.collect(
            rows[name], recognizer, run.params, training=training, should_continue=should_continue
        )
        limit = utterances.longest(recognizer, run.params, training)[0]
        if training and not run.stop_requested():
            utterances.require_utterances(sets[name], dropped, len(rows[name]), limit)
        messages = utterances.exclusion_messages(dropped, len(rows[name]), limit)
        remarks += [f"Validation: {s}" for s in messages] if not training else messages
    for remark in remarks:
        run.note(remark, level="warning")
    validation = sets.get("validation")
    return sets["train"], validation if validation is not None and len(validation) else None, remarks


def max_generated_labels(recognizer: Recognizer, spoken: Speech | None) -> int:
    """Return the maximum number of generated labels of an utterance in evaluations."""
    longest = max((len(u.labels) for u in spoken.utterances), default=1) if spoken is not None else 1
    # The maximum length of Whisper includes its prompt of up to four tokens.
    return min(int(SPARE * longest) + 8, (recognizer.longest or 1 << 30) - 4)


def model_card(
    run: Reporter, recognizer: Recognizer, hours: float, validation: int, found: Mapping[str, float], done: Fit
) -> str:
    """Write the model card."""
    normalizer = recognizer.normalizer
    facts: dict[str, Any] = {
        "hours of training audio": f"{hours:.2f}",
        "validation utterances": validation,
        "sampling rate (Hz)": recognizer.rate,
        "case of the transcripts": normalizer.case,
        "punctuation": "removed" if normalizer.remove_punctuation else "as written",
        "steps": f"{done.steps} of {done.planned}",
    }
    if normalizer.new is not None:
        facts["vocabulary"] = " ".join(normalizer.new[3:])
    if run.params.language:
        facts["language"] = run.params.language
    shown = {k: found[k] for k in ("wer", "cer", "wer_raw", "cer_raw", "loss") if k in found}
    return card.card(
        run,
        task="automatic-speech-recognition",
        title="Speech recognition model",
        library="transformers",
        usage=card.usage_code(TASK.loader_example, f"./{run.spec.project_name}", '"speech.wav"'),
        data=facts,
        metrics=shown,
        measured_on=f"{validation} validation utterances",
        note=done.selection_note("utterances") if found else "",
    )
