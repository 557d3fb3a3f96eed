"""Image classification, trained for a few steps with a tiny model."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageClassification, Trainer, pipeline

from autotrain_gradio.core.errors import MissingExtra, UserError
from autotrain_gradio.tasks.image_classification import TASK
from autotrain_gradio.tasks.image_classification import train as task
from autotrain_gradio.tasks.verb_call import VerbCall
from autotrain_gradio.training import arguments, checkpoints, explain_verb, images, vision
from autotrain_gradio.training.classification_loss import loss_function
from autotrain_gradio.training.gradient_maps import gradient_map
from autotrain_gradio.training.image_prediction import open_input

Make = Callable[..., Any]


def test_a_trained_model_is_loaded_by_the_public_loaders_and_predicts(
    trial: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = trial(("red", "green", "blue"), epochs=12)
    run = made.reporter()
    task.train(run)
    model = AutoModelForImageClassification.from_pretrained(run.model)
    assert model.config.id2label == {0: "blue", 1: "green", 2: "red"}
    assert AutoImageProcessor.from_pretrained(run.model).size["height"] == 64
    photo = tmp_path / "new.png"
    Image.new("RGB", (100, 80), (210, 30, 30)).save(photo)
    assert pipeline("image-classification", model=str(run.model))(str(photo))[0]["label"] == "red"
    predictor = task.load(made.directory)
    found = predictor([{"image": str(photo)}])[0]
    assert found["label"] == "red" and sum(found["scores"].values()) == pytest.approx(1, abs=1e-5)
    with pytest.raises(UserError, match="No image"):
        predictor([{"image": None}])
    assert predictor([]) == []
    sizes: list[int] = []
    forward = predictor._model.forward
    monkeypatch.setattr(
        predictor._model, "forward", lambda pixel_values: (sizes.append(len(pixel_values)), forward(pixel_values))[1]
    )
    monkeypatch.setattr(task, "PREDICTION_BATCH_SIZE", 3)
    many = predictor([{"image": str(photo)}] * 7)
    assert sizes == [3, 3, 1] and [p["label"] for p in many] == ["red"] * 7
    assert many[6]["scores"] == pytest.approx(found["scores"], abs=1e-5)
    assert made.events("result")[-1]["values"]["eval_accuracy"] == 1.0


def test_the_run_has_curves_samples_checkpoints_and_a_report(trial: Make) -> None:
    made = trial(epochs=3)
    task.train(made.reporter())
    values = {name for e in made.events("metric") for name in e["values"]}
    assert {"loss", "learning_rate", "samples_per_second", "memory_mib", "eval_loss"} <= values
    assert {"eval_accuracy", "eval_f1", "eval_auc", "eval_precision", "eval_recall"} <= values
    assert made.steps() == list(range(1, 13))
    samples = made.events("sample")
    assert len(samples) == 3
    files = [[i["file"] for i in s["panel"]["items"]] for s in samples]
    assert files[0] == files[1] == files[2] and len(files[0]) == 4
    assert all((made.directory / f).is_file() for f in files[0])
    report = {p["title"]: p for p in json.loads((made.directory / "report.json").read_text())}
    assert set(report) == {"Results", "Confusion matrix", "Each class", "Most confident mistakes", "Training"}
    assert np.sum(report["Confusion matrix"]["values"]) == 4
    assert sum(e["best"] for e in made.events("checkpoint")) >= 1
    assert [e["detail"] for e in made.events("state")][:2] == ["Loading the model", "Training"]


def test_the_model_folder_has_card_and_settings_and_no_pickle(trial: Make) -> None:
    made = trial(data={"max_samples": 8})
    task.train(made.reporter())
    folder = made.directory / "model"
    card = (folder / "README.md").read_text()
    assert "pipeline_tag: image-classification" in card and "# colours" in card and "| accuracy |" in card
    assert "the best of 2 evaluations on these same validation images" in card
    assert json.loads((folder / "training_params.json").read_text())["data"]["max_samples"] == 8
    assert not [p for p in folder.rglob("*") if p.suffix in {".bin", ".pkl", ".pt"}]
    assert not (made.directory / "model.partial").exists()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count how often each image is decoded."""
    counts: Counter[str] = Counter()
    original = images.open_image

    def counting(cell: Any, **more: Any) -> Any:
        counts[cell["path"]] += 1
        return original(cell, **more)

    monkeypatch.setattr(images, "open_image", counting)
    return counts


def test_each_image_is_decoded_once(trial: Make, opened: Counter[str]) -> None:
    made = trial(epochs=3)
    task.train(made.reporter())
    assert len(opened) == 20 and set(opened.values()) == {1}


def test_images_beyond_the_memory_limit_are_decoded_again(trial: Make, opened: Counter[str]) -> None:
    cells = [{"path": str(p), "bytes": None} for p in sorted(Path(trial().resolved.spec.data.path).rglob("*.png"))]
    geometry = vision.Geometry(32, 32, (0.0,) * 3, (1.0,) * 3)
    rows = images.Images(cells, [0] * 20, vision.valid_transform(geometry), 32, budget=images.Budget(3 * 40 * 48 * 3))
    for _ in range(2):
        shapes = {rows[i]["pixel_values"].shape for i in range(20)}
    assert shapes == {(32, 32, 3)}
    assert opened.total() == 20 + 17
    assert not rows.preload()


def test_a_stop_saves_the_weights_and_a_resume_continues(trial: Make) -> None:
    made = trial(epochs=6)
    made.record.enqueue(resume=False)
    run = made.reporter()
    original = run.metric

    def stop_after_five(step: int, epoch: float, **values: float) -> None:
        original(step, epoch, **values)
        if step == 5:
            run.request_stop()

    run.metric = stop_after_five
    task.train(run)
    run.close()
    assert max(made.steps()) in {5, 6}
    assert (made.directory / "model" / "model.safetensors").is_file()
    assert checkpoints.is_complete(run.checkpoints / f"checkpoint-{max(made.steps())}")
    again = made.reporter(attempt=2)
    assert again.resume_from is not None
    task.train(again)
    assert min(made.steps(2)) == max(made.steps()) + 1
    assert max(made.steps(2)) == 24
    state = json.loads((run.checkpoints / "checkpoint-24" / "trainer_state.json").read_text())
    assert state["global_step"] == 24


def test_a_loss_that_is_not_finite_fails_the_run_with_a_reason(trial: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = trial(epochs=4)
    original = Trainer.training_step

    def broken(self: Trainer, *args: Any, **kwargs: Any) -> torch.Tensor:
        loss = original(self, *args, **kwargs)
        return loss * math.nan if self.state.global_step >= 2 else loss

    monkeypatch.setattr(Trainer, "training_step", broken)
    with pytest.raises(UserError) as caught:
        task.train(made.reporter())
    finding = caught.value.findings[0]
    assert finding.code == "loss-not-finite" and "learning rate (it is 0.003; try 0.0003)" in finding.hint
    assert max(made.steps()) <= 3


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
)
def test_running_out_of_memory_gives_a_hint(trial: Make, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken(self: Trainer, *args: Any, **kwargs: Any) -> torch.Tensor:
        raise error

    monkeypatch.setattr(Trainer, "training_step", broken)
    with pytest.raises(UserError) as caught:
        task.train(trial().reporter())
    finding = caught.value.findings[0]
    assert finding.code == "out-of-memory" and "batch size 4" in finding.message
    assert "batch_size to 2" in finding.hint


def test_other_errors_are_not_reported_as_out_of_memory(trial: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Trainer, *args: Any, **kwargs: Any) -> torch.Tensor:
        raise RuntimeError("shape mismatch")

    monkeypatch.setattr(Trainer, "training_step", broken)
    with pytest.raises(RuntimeError, match="shape mismatch"):
        task.train(trial().reporter())


def test_early_stopping(trial: Make) -> None:
    made = trial(epochs=30, lr=1e-6, early_stopping_patience=2, early_stopping_threshold=0.5)
    task.train(made.reporter())
    assert max(made.steps()) == 3 * 4


def test_without_a_validation_split_the_model_is_saved_without_metrics(trial: Make) -> None:
    made = trial(data={"valid_fraction": 0})
    task.train(made.reporter())
    assert not any(n.startswith("eval_") for e in made.events("metric") for n in e["values"])
    report = json.loads((made.directory / "report.json").read_text())
    assert "No metrics were computed" in report[0]["text"]
    assert "No metrics were computed" in (made.directory / "model" / "README.md").read_text()
    assert made.events("checkpoint")


def test_evaluation_by_steps(trial: Make) -> None:
    made = trial(epochs=3, eval_strategy="steps", eval_steps=5, metric_for_best_model="f1")
    task.train(made.reporter())
    assert [e["step"] for e in made.events("metric") if "eval_loss" in e["values"]] == [5, 10, 12]


def test_class_weights_and_label_smoothing_follow_their_definitions() -> None:
    class Params:
        class_weights, label_smoothing = "balanced", 0.1

    loss = loss_function(Params, np.repeat([0, 1], [30, 10]))
    logits, labels = torch.tensor([[2.0, 0.0], [0.5, 1.0]]), torch.tensor([0, 1])
    weights = torch.tensor([40 / (2 * 30), 40 / (2 * 10)])
    expected = torch.nn.functional.cross_entropy(logits, labels, weight=weights, label_smoothing=0.1)

    def one(values: torch.Tensor) -> SimpleNamespace:
        return SimpleNamespace(logits=values)

    outputs = one(logits)
    # Torch divides by the weights of the batch; here every batch of a step counts by its rows.
    assert loss(outputs, labels).item() == pytest.approx(expected.item() * weights.mean().item())
    halves = [loss(one(logits[i : i + 1]), labels[i : i + 1], num_items_in_batch=2).item() for i in (0, 1)]
    assert sum(halves) == pytest.approx(loss(outputs, labels).item())
    Params.class_weights, Params.label_smoothing = "none", 0.0
    plain = loss_function(Params, np.array([0, 1]))(outputs, labels)
    assert plain.item() == pytest.approx(torch.nn.functional.cross_entropy(logits, labels).item())


def test_a_frozen_backbone_is_unchanged(trial: Make, tmp_path: Path) -> None:
    start = task.tiny_model(tmp_path / "start", ["green", "red"])
    made = trial(model=str(start), freeze_backbone=True, lr=0.1)
    task.train(made.reporter())
    before = AutoModelForImageClassification.from_pretrained(start).state_dict()
    after = AutoModelForImageClassification.from_pretrained(made.directory / "model").state_dict()
    changed = {n for n in before if not torch.equal(before[n], after[n])}
    assert changed and all(n.startswith("classifier") for n in changed)


def test_a_model_with_other_classes_gets_a_new_head(trial: Make, tmp_path: Path) -> None:
    start = task.tiny_model(tmp_path / "start", [f"c{i}" for i in range(10)])
    made = trial(model=str(start))
    task.train(made.reporter())
    assert AutoModelForImageClassification.from_pretrained(made.directory / "model").config.num_labels == 2


def test_a_missing_experiment_tracker_is_reported_with_its_package(trial: Make) -> None:
    made = trial(log="tensorboard")
    task.train(made.reporter())
    assert list(made.directory.rglob("events.out.tfevents.*"))
    other = trial(log="wandb")
    with pytest.raises(MissingExtra) as caught:
        task.train(other.reporter(attempt=1))
    assert caught.value.findings[0].hint == "pip install wandb"


def test_mixed_precision_without_a_gpu_is_ignored_with_a_warning(trial: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arguments, "device", lambda: "cpu")
    made = trial()
    run = made.reporter()
    assert arguments.precision(None, run) == {} and not made.events("note")
    assert arguments.precision("fp16", run) == {}
    run.close()
    assert "'fp16' needs a GPU" in made.events("note")[0]["message"]


def test_the_preview_follows_the_augmentation_parameters(trial: Make) -> None:
    names = ("random_resized_crop", "random_rotate90", "horizontal_flip", "random_brightness_contrast")
    made = trial(**dict.fromkeys(names, False))
    still = task.preview(made.directory, made.resolved.spec, made.resolved.params, {"images": 1, "versions": 4})
    files = [made.directory / i["file"] for i in still[0]["items"]]
    assert len(files) == 5 and len({f.read_bytes() for f in files[1:]}) == 1
    params = made.resolved.params.model_copy(update={"random_resized_crop": True})
    moving = task.preview(made.directory, made.resolved.spec, params, {"images": 1, "versions": 4})
    assert len({(made.directory / i["file"]).read_bytes() for i in moving[0]["items"][1:]}) == 4


COLOURS = {"blue": (40, 40, 200), "green": (40, 180, 40), "red": (200, 40, 40)}


@pytest.fixture(params=["lists", "delimiter", "columns"])
def several(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Images with a square of none, some or all of three colours, and a table of them with several labels a row."""
    folder, rows = tmp_path / "several", []
    folder.mkdir()
    draw = np.random.default_rng(0)
    for i in range(48):
        names = [name for k, name in enumerate(COLOURS) if (i >> k) & 1]
        pixels = draw.integers(0, 30, (48, 48, 3), dtype=np.uint8)
        for name, place in zip(names, draw.permutation(4), strict=False):
            y, x = 24 * divmod(int(place), 2)[0], 24 * divmod(int(place), 2)[1]
            pixels[y : y + 24, x : x + 24] = COLOURS[name]
        Image.fromarray(pixels).save(folder / f"{i}.png")
        rows.append((f"{i}.png", names))
    if request.param == "lists":
        lines = [json.dumps({"file_name": file, "labels": names}) for file, names in rows]
        (folder / "metadata.jsonl").write_text("\n".join(lines))
    elif request.param == "delimiter":
        lines = [f"{file},{'|'.join(names)}" for file, names in rows if names]
        (folder / "metadata.csv").write_text("\n".join(["file_name,labels", *lines]))
    else:
        lines = [",".join([file, *(str(int(c in names)) for c in COLOURS)]) for file, names in rows]
        (folder / "metadata.csv").write_text("\n".join([",".join(["file_name", *COLOURS]), *lines]))
    return folder


def test_multi_label(trial: Make, several: Path) -> None:
    columns = {"columns": {"target": list(COLOURS)}} if "blue" in _head(several) else {}
    made = trial(data={"path": str(several), **columns}, epochs=25, lr=5e-3, class_weights="balanced")
    task.train(made.reporter())
    values = made.events("result")[-1]["values"]
    assert values["eval_map"] > 0.9 and values["eval_f1_macro"] > 0.7 and values["eval_hamming_loss"] < 0.25
    model = AutoModelForImageClassification.from_pretrained(made.directory / "model")
    limits = model.config.label_thresholds
    assert model.config.problem_type == "multi_label_classification" and set(limits) == set(COLOURS)
    report = {p["title"]: p for p in json.loads((made.directory / "report.json").read_text())}
    assert [row[0] for row in report["Each label"]["rows"]] == sorted(COLOURS)
    assert all((made.directory / i["file"]).is_file() for i in report["Most confident mistakes"]["items"])
    assert all("(" in i["caption"] for i in made.events("sample")[-1]["panel"]["items"])
    found = task.load(made.directory)([{"image": str(several / "7.png")}])[0]
    namespace: dict[str, Any] = {"model": str(made.directory / "model"), "value": str(several / "7.png")}
    exec(TASK.loader_example, namespace)
    assert found["labels"] == [n for n, score in found["scores"].items() if score >= limits[n]]
    assert set(namespace["answer"]) == set(found["labels"]) and found["thresholds"] == pytest.approx(limits)
    assert "labels (multi-label)" in (made.directory / "model" / "README.md").read_text()
    gallery = task.preview(made.directory, made.resolved.spec, made.resolved.params, {"images": 8, "versions": 1})[0]
    assert any(", " in str(i.get("group")) for i in gallery["items"])


def _head(folder: Path) -> str:
    return next(folder.glob("metadata.*")).read_text().splitlines()[0]


def test_gradient_maps_of_mistakes_and_of_new_images(trial: Make) -> None:
    made = trial(lr=1e-9, gradient_maps=2)
    task.train(made.reporter())
    report = {p["title"]: p for p in json.loads((made.directory / "report.json").read_text())}
    maps, mistakes = report["What the model looks at"], report["Most confident mistakes"]["items"]
    assert list(report)[-3:] == ["Most confident mistakes", "What the model looks at", "Training"]
    assert 0 < len(maps["items"]) == min(2, len(mistakes)) and "score of the class" in maps["note"]
    assert [i["caption"] for i in maps["items"]] == [i["caption"] for i in mistakes[:2]]
    files = [made.directory / i["file"] for i in maps["items"]]
    assert all(f.is_file() and f.parent.name == "report" for f in files)
    photo = next(Path(made.resolved.spec.data.path).rglob("*.png"))
    call = VerbCall(made.directory, made.resolved, {"image": str(photo)}, lambda message, fraction: None)
    scores, found = explain_verb.run(call)
    assert scores["kind"] == "scores" and len(found["items"]) == 1
    shown = made.directory / found["items"][0]["file"]
    assert shown.is_file() and shown.parent.parent == made.directory / "predictions"
    with pytest.raises(UserError, match="No image"):
        explain_verb.run(VerbCall(made.directory, made.resolved, {}, lambda message, fraction: None))
    without = trial(lr=1e-9, gradient_maps=0)
    task.train(without.reporter(attempt=2))
    titles = [p["title"] for p in json.loads((without.directory / "report.json").read_text())]
    assert "What the model looks at" not in titles


@pytest.mark.parametrize("several", ["lists"], indirect=True)
def test_the_map_of_a_label_lies_on_its_colour(trial: Make, several: Path) -> None:
    made = trial(data={"path": str(several)}, epochs=25, lr=5e-3, gradient_maps=0)
    task.train(made.reporter())
    predictor = task.load(made.directory)
    right = []
    for number in range(48):
        found = predictor([{"image": str(several / f"{number}.png")}])[0]
        for name in found["labels"]:
            picture, pixels = open_input(predictor._model, predictor._geometry, str(several / f"{number}.png"))
            colour = np.abs(picture.astype(int) - COLOURS[name]).sum(axis=2) < 60
            places = colour.reshape(2, 24, 2, 24).mean(axis=(1, 3))
            batch = torch.from_numpy(pixels.transpose(2, 0, 1)[None])
            heat = gradient_map(predictor._model, batch, predictor._labels.names.index(name))
            assert heat is not None
            quarters = heat.reshape(2, heat.shape[0] // 2, 2, heat.shape[1] // 2).sum(axis=(1, 3))
            right.append(quarters.argmax() == places.argmax())
    assert len(right) > 30 and np.mean(right) > 0.8, f"{np.mean(right):.2f} of {len(right)}"
