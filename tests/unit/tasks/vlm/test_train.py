"""Vision-language models, trained for a few steps with tiny models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from autotrain_gradio.core.errors import DataError, UserError
from autotrain_gradio.core.panels import render_html, render_text
from autotrain_gradio.data import load as load_rows
from autotrain_gradio.tasks.vlm import batches, encoders, models
from autotrain_gradio.tasks.vlm import train as task
from autotrain_gradio.tasks.vlm.predict import load_trained
from autotrain_gradio.tasks.vlm.tiny import tiny_processor
from autotrain_gradio.tasks.vlm.trainer import VisionLanguageTrainer, answer_logits, training_arguments
from autotrain_gradio.training import trainer_internals
from autotrain_gradio.training.image_files import open_image
from tests.trials import COLOURS
from tests.unit.tasks.vlm.conftest import QUESTION, Make, square, squares


def notes_of(made: Any) -> list[str]:
    return [e["message"] for e in made.events("note")]


def test_it_learns_the_colour_of_squares_and_answers_for_new_images(image_trial: Make, tmp_path: Path) -> None:
    made = image_trial(epochs=20)
    run = made.reporter()
    task.train(run)
    values = made.events("result")[-1]["values"]
    assert values["eval_exact_match"] >= 0.9 and values["eval_anls"] >= 0.9 and values["eval_chrf"] > 80, values
    assert values["eval_loss"] < 0.3 and values["eval_token_accuracy"] > 0.9
    predictor = task.load(made.directory)
    given = []
    for number, colour in enumerate([*COLOURS] * 3):
        path = tmp_path / f"new{number}.png"
        square(colour, 5000 + number).save(path)
        given.append({"image": str(path), "prompt": QUESTION})
    found = [f["text"] for f in predictor(given)]
    assert sum(a == b for a, b in zip(found, [*COLOURS] * 3, strict=True)) >= 8, found
    with pytest.raises(UserError, match="No image"):
        predictor([{"image": None, "prompt": QUESTION}])
    samples = [e["panel"] for e in made.events("sample")]
    assert len(samples) == 20 and len(samples[0]["items"]) == 8
    assert all((made.directory / item["file"]).is_file() for item in samples[-1]["items"])
    assert "answer: " in samples[0]["items"][0]["caption"] and "base model: " in samples[0]["items"][0]["caption"]
    report = json.loads((made.directory / "report.json").read_text())
    titles = [panel["title"] for panel in report]
    assert {"Answers compared with the base model", "Rows with the highest loss"} <= set(titles)
    for panel in [*report, *samples]:
        assert render_html(panel) and render_text(panel)


def test_the_evaluation_equals_that_of_each_row_alone(image_trial: Make) -> None:
    made = image_trial(epochs=1)
    task.train(made.reporter())
    values = made.events("result")[-1]["values"]
    folder = made.directory / "model"
    model, processor = AutoModelForImageTextToText.from_pretrained(folder), AutoProcessor.from_pretrained(folder)
    total, count = 0.0, 0
    for row in load_rows(made.directory)["validation"]:
        user = [{"type": "image"}, {"type": "text", "text": row["prompt"]}]
        messages = [{"role": "user", "content": user}]
        image = [[open_image(row["image"])]]
        begin = processor.apply_chat_template(messages, add_generation_prompt=True)
        whole = f"{begin}{row['answer']}<|im_end|>"
        inputs = processor(text=whole, images=image, return_tensors="pt")
        length = processor(text=begin, images=image, return_tensors="pt")["input_ids"].shape[1]
        with torch.inference_mode():
            logits = model(**inputs).logits[0, length - 1 : -1]
        targets = inputs["input_ids"][0, length:]
        total += float(torch.nn.functional.cross_entropy(logits, targets, reduction="sum"))
        count += len(targets)
    assert values["eval_loss"] == pytest.approx(total / count, rel=1e-4)


def test_some_logits_give_the_same_loss_and_gradients_as_all(image_trial: Make) -> None:
    made = image_trial(epochs=1)
    run = made.reporter()
    found = models.open_model(run, [QUESTION, *COLOURS], made.directory / "scratch")
    rows = load_rows(made.directory)["train"]
    split = batches.plan_split(run, "train", rows, found.encoder, 512)
    assert split is not None
    batch = batches.Collate(found.encoder, None)([split[i] for i in range(5)])
    some, targets, owners = answer_logits(found.model.eval(), batch, keeps=True)
    every, same, _ = answer_logits(found.model, batch, keeps=False)
    assert targets.equal(same) and torch.allclose(some, every, atol=1e-5)
    decoded = found.tokenizer.decode(targets[owners == 0])
    assert decoded == f"{rows[0]['answer']}<|im_end|>"


def test_paligemma_is_trained_on_the_suffix(image_trial: Make, paligemma: Path) -> None:
    made = image_trial(model=str(paligemma), epochs=2, lr=1e-3)
    run = made.reporter()
    task.train(run)
    values = made.events("result")[-1]["values"]
    losses = [e["values"]["eval_loss"] for e in made.events("metric") if "eval_loss" in e["values"]]
    assert losses[-1] < losses[0] and values["eval_loss"] == pytest.approx(min(losses), rel=1e-4)
    encoder = encoders.encoder_of(AutoProcessor.from_pretrained(run.model), "x")
    assert isinstance(encoder, encoders.PrefixEncoder)
    _, row = batches.encode_row(encoder, load_rows(made.directory)["train"][0], "")
    assert isinstance(row, encoders.EncodedRow)
    trained = encoder.processor.tokenizer.decode(row.tokens.ids[row.tokens.trained], skip_special_tokens=True)
    assert trained.strip() == "red"
    photo = next((made.directory.parent / "run-squares" / "train").glob("*.png"))
    assert isinstance(task.load(made.directory)([{"image": str(photo), "prompt": QUESTION}])[0]["text"], str)
    assert '"<image>" + value["prompt"]' in (made.directory / "model" / "README.md").read_text()


def test_checkpoints_hold_the_weights_by_their_names_in_the_model(image_trial: Make, paligemma: Path) -> None:
    made = image_trial(model=str(paligemma), epochs=1)
    run = made.reporter()
    found = models.open_model(run, (), made.directory / "scratch")
    split = batches.plan_split(run, "train", load_rows(made.directory)["train"], found.encoder, 512)
    trainer = VisionLanguageTrainer(
        after_evaluation=lambda model: {},
        model=found.model,
        args=training_arguments(run, train_rows=24, validates=False, best=task.TASK.declared_metric("loss")),
        train_dataset=split,
        data_collator=batches.Collate(found.encoder, None),
    )
    before = {n: p.clone() for n, p in found.model.named_parameters()}
    trainer.args.load_best_model_at_end = trainer.args.save_only_model = True
    with trainer_internals.native_weight_names(trainer):
        trainer_internals.save_checkpoint(trainer)
        for parameter in found.model.parameters():
            parameter.data.zero_()
        trainer.state.best_model_checkpoint = str(Path(trainer.args.output_dir) / "checkpoint-0")
        trainer_internals.load_best_model(trainer)
    assert all(torch.equal(p, before[n]) for n, p in found.model.named_parameters())


def test_captions_use_the_instruction(image_trial: Make) -> None:
    def captions(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row["caption"] = f"A {row.pop('answer')} square."
            del row["question"]

    made = image_trial(captions, prompt="Name it.")
    task.train(made.reporter())
    photo = next((made.directory.parent / "run-squares" / "train").glob("*.png"))
    predictor = task.load(made.directory)
    assert (
        predictor([{"image": str(photo)}])[0]["text"]
        == (predictor([{"image": str(photo), "prompt": "Name it."}])[0]["text"])
    )


def test_conversations_are_trained_on_all_answers(image_trial: Make) -> None:
    def talk(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            question = [{"type": "image"}, {"type": "text", "text": row.pop("question")}]
            row["images"] = [row.pop("file_name")]
            row["messages"] = [
                {"role": "user", "content": question},
                {"role": "assistant", "content": row.pop("answer")},
                {"role": "user", "content": "Which shape is it?"},
                {"role": "assistant", "content": "a square"},
            ]

    made = image_trial(talk, epochs=1)
    run = made.reporter()
    task.train(run)
    assert made.events("result")[-1]["values"]["eval_chrf"] >= 0
    encoder = encoders.encoder_of(AutoProcessor.from_pretrained(run.model), "x")
    _, row = batches.encode_row(encoder, load_rows(made.directory)["train"][0], "")
    assert isinstance(row, encoders.EncodedRow)
    trained = encoder.processor.tokenizer.decode(row.tokens.ids[row.tokens.trained])
    assert trained == "red<|im_end|>a square<|im_end|>"
    items = made.events("sample")[-1]["panel"]["items"]
    assert all(item["caption"].startswith("Which shape is it?") for item in items)


@pytest.mark.parametrize("frozen", [True, False])
def test_the_vision_encoder_is_frozen_or_trained(image_trial: Make, frozen: bool) -> None:
    made = image_trial(freeze_vision=frozen, epochs=1)
    run = made.reporter()
    found = models.open_model(run, [QUESTION], made.directory / "scratch")
    before = {n: p.clone() for n, p in models.vision_encoder(found.model).named_parameters()}  # type: ignore[union-attr]
    task.train(run)
    model = AutoModelForImageTextToText.from_pretrained(run.model)
    after = dict(models.vision_encoder(model).named_parameters())  # type: ignore[union-attr]
    assert before and all(torch.equal(before[n], after[n]) for n in before) is frozen


def test_lora_adapts_the_language_model_and_is_merged_or_kept(
    image_trial: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = image_trial(peft=True, lora_r=4, freeze_vision=True, gradient_checkpointing=True, lr=1e-3)
    task.train(made.reporter())
    assert not (made.directory / "model" / "adapter_config.json").exists()
    assert any("parameters are trainable" in n for n in notes_of(made))
    trainers: list[Any] = []
    given = task.VisionLanguageTrainer
    monkeypatch.setattr(
        task, "VisionLanguageTrainer", lambda **settings: trainers.append(given(**settings)) or trainers[-1]
    )
    base = made.directory / "model"
    kept = {"peft": True, "merge_adapter": False, "lora_r": 4, "freeze_vision": True, "lr": 1e-2}
    again = image_trial(run="second", model=str(base), **kept)
    run = again.reporter()
    task.train(run)
    names = _adapter_names(again.directory / "model")
    assert names and not [n for n in names if "vision_model" in n] and [n for n in names if "text_model" in n]
    trainer = trainers[0]
    batch = trainer.data_collator([trainer.eval_dataset[number] for number in range(2)])
    untrained = AutoModelForImageTextToText.from_pretrained(base)
    with torch.inference_mode():
        loaded, trained, before = (
            answer_logits(model.eval(), batch, keeps=False)[0]
            for model in (load_trained(again.directory / "model")[0], trainer.model, untrained)
        )
    torch.testing.assert_close(loaded, trained, rtol=1e-4, atol=1e-4)
    assert (loaded - before).abs().max() > 1e-2


def _adapter_names(folder: Path) -> list[str]:
    from safetensors import safe_open

    with safe_open(str(folder / "adapter_model.safetensors"), "pt") as file:
        return list(file.keys())


def test_a_saved_model_that_answers_otherwise_is_an_error(image_trial: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from autotrain_gradio.training import saved

    given = saved.load_model

    def damaged(*arguments: Any) -> Any:
        model, processor = given(*arguments)
        model.model.text_model.norm.weight.data.neg_()
        return model, processor

    monkeypatch.setattr(saved, "load_model", damaged)
    with pytest.raises(UserError, match="answers otherwise"):
        task.train(image_trial().reporter())


def test_long_rows_are_dropped_and_counted(image_trial: Make) -> None:
    def lengthen(rows: list[dict[str, Any]]) -> None:
        rows[3]["question"] = "What colour? " * 60

    made = image_trial(lengthen, model_max_length=80, epochs=1)
    task.train(made.reporter())
    note = next(n for n in notes_of(made) if "longer than 80 tokens with their images" in n)
    assert note.startswith("1 training row was skipped (4)"), note
    with pytest.raises(UserError, match="No training row is left"):
        task.train(image_trial(run="short", model_max_length=8).reporter())


def test_a_row_whose_image_changed_is_an_error(tmp_path: Path) -> None:
    encoder = encoders.encoder_of(tiny_processor([QUESTION]), "tiny")
    squares(tmp_path, 1)
    row = {"image": {"path": str(tmp_path / "0-0.png"), "bytes": None}, "image_width": 48, "image_height": 40}
    conversation, made = batches.encode_row(encoder, {**row, "prompt": QUESTION, "answer": "red"}, "")
    assert isinstance(made, encoders.EncodedRow)
    plan = batches.RowPlan.of(6, made)
    item = {"plan": plan, "images": conversation.images}
    labels = batches.Collate(encoder, None)([item])["labels"]
    assert encoder.processor.tokenizer.decode(labels[labels >= 0]) == "red<|im_end|>"
    other = batches.RowPlan(plan.row, plan.text + "more", None, plan.length, plan.spans, plan.checksum)
    with pytest.raises(DataError, match="Row 7 has"):
        batches.Collate(encoder, None)([{**item, "plan": other}])


def test_answers_stop_at_the_time_budget(image_trial: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "BATCH_SIZE", 2)
    made = image_trial(epochs=1, generation_seconds=1e-9, generation_rows=7)
    task.train(made.reporter())
    assert any(n.startswith("2 of 7 validation rows are answered") for n in notes_of(made)), notes_of(made)
    values = made.events("result")[-1]["values"]
    assert {"eval_loss", "eval_chrf"} <= set(values)
    results = json.loads((made.directory / "report.json").read_text())[0]
    assert "generated answers to 2 of them" in results["note"]


def test_without_answers_the_loss_remains(image_trial: Make) -> None:
    made = image_trial(epochs=1, generation_rows=0)
    task.train(made.reporter())
    values = made.events("result")[-1]["values"]
    assert "eval_loss" in values and "eval_chrf" not in values
