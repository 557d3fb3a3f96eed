"""Image classification: training, preview, probe and prediction. Workers only."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from PIL import Image
from transformers import AutoConfig, AutoImageProcessor, AutoModelForImageClassification, Trainer, TrainingArguments
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES as TRAINABLE

from autotrain_gradio import data, panels
from autotrain_gradio.errors import DataError, Finding, UserError
from autotrain_gradio.panels import Panel
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.spec import TINY, RunSpec
from autotrain_gradio.training import metrics, pretrained, vision
from autotrain_gradio.training.arguments import arguments, callbacks
from autotrain_gradio.training.card import card, save
from autotrain_gradio.training.fit import fit

SHOWN, MISTAKES, THUMBNAIL = 8, 24, 160
WHAT = "image classification"


def train(run: Reporter) -> None:
    """Fine-tune a classifier on the run's data, and leave the model and a report.

    Raises:
        UserError: the model cannot be loaded, or the training fails for a reason that has a name.
    """
    rows = data.load(run.directory)
    names = rows["train"].features["target"].names
    run.state("preparing", "Loading the model")
    model, processor = load_model(run.spec.model, names, run)
    geometry = vision.Geometry.of(processor)
    train_set = _images(rows["train"], vision.train_transform(run.params, geometry), geometry)
    valid_set = _images(rows["validation"], vision.eval_transform(geometry), geometry) if "validation" in rows else None
    if run.params.freeze_backbone:
        freeze_backbone(model)
    args = arguments(
        run.params,
        TrainingArguments,
        run,
        train_rows=len(train_set),
        validates=valid_set is not None,
        metric_for_best_model=_best_metric(run.params.metric_for_best_model, len(names)),
        remove_unused_columns=False,
        label_names=["labels"],
    )
    if args.dataloader_num_workers and not train_set.preload():
        run.note("The images do not all fit into memory: some are decoded anew in each epoch.")
    sampler = Samples(run, valid_set, rows, names)
    trainer = Trainer(
        model=model,
        args=args,
        train_dataset=train_set,
        eval_dataset=valid_set,
        data_collator=vision.collate,
        compute_loss_func=loss_function(run.params, list(rows["train"]["target"]), len(names)),
        compute_metrics=sampler.compute_metrics if valid_set is not None else None,
        preprocess_logits_for_metrics=_only_logits,
        callbacks=[sampler.callback(), *callbacks(run.params, args)],
    )
    fit(trainer, run)
    run.state("running", "Measuring")
    found, report = evaluate(trainer, run, valid_set, rows, names)
    run.state("running", "Saving the model")
    text = model_card(run, rows, names, found)

    def write(folder: Path) -> None:
        trainer.save_model(str(folder))
        processor.save_pretrained(folder)

    save(run, write, text)
    verify(run.model, len(names))
    run.report(report)


# -- the model


def load_model(name: str, labels: Sequence[str], run: Reporter) -> tuple[Any, Any]:
    """Load a model with a new last layer for the labels, and its processor.

    Raises:
        UserError: it does not exist, is gated, of another task, or its files are damaged.
    """
    if name == TINY:
        name = str(tiny_model(run.directory / "tiny", list(labels), seed=run.params.seed))
    pretrained.require(pretrained.fetch_config(name), name, TRAINABLE, WHAT)
    try:
        config = AutoConfig.from_pretrained(
            name,
            num_labels=len(labels),
            id2label=dict(enumerate(labels)),
            label2id={label: i for i, label in enumerate(labels)},
        )
        processor = AutoImageProcessor.from_pretrained(name)
        model = AutoModelForImageClassification.from_pretrained(name, config=config, ignore_mismatched_sizes=True)
    except (OSError, ValueError, RuntimeError, ImportError, KeyError) as error:
        reason = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
        hint = "Choose another model, or look at the log."
        raise UserError(f"The model '{name}' cannot be loaded: {reason}", hint, "model", "model-broken") from error
    return model, processor


def tiny_model(folder: Path, labels: Sequence[str], *, side: int = 64, seed: int = 42) -> Path:
    """Write a small ResNet with random weights (about 300,000 parameters) and its processor."""
    from transformers import ResNetConfig, ResNetForImageClassification, ViTImageProcessor

    torch.manual_seed(seed)
    config = ResNetConfig(
        embedding_size=16,
        hidden_sizes=[16, 32, 64, 96],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
    )
    ResNetForImageClassification(config).save_pretrained(folder)
    ViTImageProcessor(size={"height": side, "width": side}).save_pretrained(folder)
    return folder


def freeze_backbone(model: torch.nn.Module) -> None:
    """Leave only the last layer to be trained.

    Raises:
        UserError: the model has no layer that is recognised as the last.
    """
    heads = [
        m for n, m in model.named_children() if n in {"classifier", "head", "distillation_classifier", "cls_classifier"}
    ]
    if not heads:
        raise UserError(
            "This model's last layer is not recognised.", "Switch freeze_backbone off.", "params.freeze_backbone"
        )
    model.requires_grad_(False)
    for head in heads:
        head.requires_grad_(True)


def loss_function(params: Any, targets: Sequence[int], classes: int) -> Any:
    """Return cross-entropy with the weights and the smoothing asked for, or None for the model's own.

    Balanced weights: rows / (classes × rows of the class), as scikit-learn's `class_weight="balanced"`.
    """
    if params.class_weights == "none" and params.label_smoothing == 0:
        return None
    weights = None
    if params.class_weights == "balanced":
        counts = Counter(targets)
        weights = torch.tensor([len(targets) / (classes * counts[i]) if counts[i] else 0.0 for i in range(classes)])

    def loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        scale = weights.to(outputs.logits.device, outputs.logits.dtype) if weights is not None else None
        return torch.nn.functional.cross_entropy(
            outputs.logits, labels, weight=scale, label_smoothing=params.label_smoothing
        )

    return loss


# -- rows


def _images(rows: Dataset, transform: vision.Transform, geometry: vision.Geometry) -> vision.Images:
    return vision.Images(rows["image"], list(rows["target"]), transform, geometry)


def _only_logits(logits: Any, labels: Any) -> torch.Tensor:
    return logits[0] if isinstance(logits, (tuple, list)) else logits


def _best_metric(name: str, classes: int) -> str:
    return "eval_f1_macro" if name == "f1" and classes > 2 else f"eval_{name}"


def thumbnail(pixels: np.ndarray | Image.Image, path: Path) -> None:
    """Save a picture of at most 160 pixels a side as JPEG."""
    image = pixels.copy() if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, "JPEG", quality=85)


# -- what is measured


class Samples:
    """Measures each evaluation, and shows its predictions on the same few validation images."""

    def __init__(self, run: Reporter, images: vision.Images | None, rows: Any, names: list[str]) -> None:
        self._run, self._images, self._names = run, images, names
        self._logits: np.ndarray | None = None
        self._chosen: list[int] = []
        if images is not None:
            self._targets = np.asarray(list(rows["validation"]["target"]))
            self._chosen = spread(self._targets, SHOWN, run.params.seed)

    def compute_metrics(self, prediction: Any) -> dict[str, float]:
        self._logits = prediction.predictions
        return metrics.classification(prediction.predictions, prediction.label_ids)

    def callback(self) -> Any:
        from transformers import TrainerCallback

        owner = self

        class Show(TrainerCallback):
            def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
                owner.show(state.global_step)

        return Show()

    def show(self, step: int) -> None:
        """Record the present predictions on the chosen images."""
        if self._logits is None or self._images is None:
            return
        chances = metrics.softmax(self._logits[self._chosen])
        items = []
        for place, index in enumerate(self._chosen):
            file = self._run.samples / f"{index}.jpg"
            if not file.exists():
                thumbnail(self._images.image(index), file)
            best, truth = int(chances[place].argmax()), int(self._targets[index])
            caption = f"{self._names[best]} {chances[place, best]:.0%}"
            caption += "" if best == truth else f", is {self._names[truth]}"
            relative = file.relative_to(self._run.directory).as_posix()
            items.append({"file": relative, "caption": caption, "tone": "good" if best == truth else "bad"})
        self._run.sample(step, panels.gallery("Predictions on the same validation images", items))


def spread(targets: np.ndarray, count: int, seed: int) -> list[int]:
    """Choose rows so that the classes take turns; the same ones for the same seed."""
    order = np.random.default_rng(seed).permutation(len(targets))
    turn: Counter[int] = Counter()
    ranked = []
    for index in order:
        ranked.append((turn[int(targets[index])], int(index)))
        turn[int(targets[index])] += 1
    ranked.sort(key=lambda pair: pair[0])
    return [index for _, index in ranked[:count]]


def evaluate(
    trainer: Trainer, run: Reporter, images: vision.Images | None, rows: Any, names: list[str]
) -> tuple[dict[str, float], list[Panel]]:
    """Judge the model that is kept; return its figures and the report."""
    if images is None:
        text = "No images were kept for validation, so nothing was measured. Try the model on new images."
        return {}, [panels.markdown(text, title="Results")]
    output = trainer.predict(images)
    logits, targets = output.predictions, np.asarray(list(rows["validation"]["target"]))
    found = metrics.classification(logits, targets)
    loss = (output.metrics or {}).get("test_loss")
    if loss is not None:
        found["loss"] = float(loss)
    run.result(**{f"eval_{k}": v for k, v in found.items()})
    table, confusion = metrics.per_class(logits, targets, names)
    shown = {k.replace("_", " "): round(v, 4) for k, v in found.items()}
    note = f"On {len(targets)} validation images."
    report = [
        panels.numbers("Results", shown, note=note),
        panels.matrix("Confusion matrix", names, confusion, rows="true", columns="predicted"),
        panels.table("Each class", ["class", "precision", "recall", "F1", "images"], table),
        mistakes(run, images, logits, targets, names),
    ]
    return found, report


def mistakes(run: Reporter, images: vision.Images, logits: np.ndarray, targets: np.ndarray, names: list[str]) -> Panel:
    """Return the wrong predictions of which the model was most certain, as pictures."""
    chances = metrics.softmax(logits)
    wrong = np.flatnonzero(chances.argmax(axis=1) != targets)
    worst = wrong[np.argsort(-chances[wrong].max(axis=1), kind="stable")][:MISTAKES]
    shutil.rmtree(run.directory / "report", ignore_errors=True)
    items = []
    for index in worst:
        file = run.directory / "report" / f"{index}.jpg"
        thumbnail(images.image(int(index)), file)
        guess = int(chances[index].argmax())
        caption = f"{names[guess]} {chances[index, guess]:.0%}, is {names[int(targets[index])]}"
        items.append({"file": f"report/{index}.jpg", "caption": caption, "tone": "bad"})
    note = f"{len(wrong)} of {len(targets)} validation images are wrong." if len(wrong) else "There are none."
    return panels.gallery("Most confident mistakes", items, note=note)


def model_card(run: Reporter, rows: Any, names: list[str], found: Mapping[str, float]) -> str:
    """Write the model's card."""
    usage = (
        "from transformers import pipeline\n\n"
        f'classifier = pipeline("image-classification", model="{run.spec.project_name}")\n'
        'print(classifier("photo.jpg"))'
    )
    validation = len(rows["validation"]) if "validation" in rows else 0
    shown = names if len(names) <= 50 else [*names[:50], f"… {len(names) - 50} more"]
    facts = {"classes": ", ".join(shown), "training images": len(rows["train"]), "validation images": validation}
    return card(
        run,
        task="image-classification",
        title="An image classifier",
        library="transformers",
        usage=usage,
        data=facts,
        metrics=found,
        measured_on=f"{validation} validation images",
    )


# -- the other verbs


def verify(folder: Path, classes: int) -> None:
    """Load the saved model as a user would.

    Raises:
        UserError: weights are missing, or it has another number of classes.
    """
    model, info = AutoModelForImageClassification.from_pretrained(folder, output_loading_info=True)
    AutoImageProcessor.from_pretrained(folder)
    if info["missing_keys"] or model.config.num_labels != classes:
        missing = ", ".join(sorted(info["missing_keys"])[:5])
        raise UserError(
            f"The saved model does not load completely: {missing or model.config.num_labels}.", code="model-incomplete"
        )


class load:  # noqa: N801 - called as a function: `load(directory)(inputs)`
    """The trained classifier of a run.

    Inputs: `{"image": path}`. Predictions: `{"label", "scores": {label: share}}`, the most likely first.
    """

    def __init__(self, directory: Path) -> None:
        folder = directory / "model"
        self._model = AutoModelForImageClassification.from_pretrained(folder).eval()
        if torch.cuda.is_available():
            self._model = self._model.cuda()
        self._geometry = vision.Geometry.of(AutoImageProcessor.from_pretrained(folder))
        self._transform = vision.eval_transform(self._geometry)

    @torch.inference_mode()
    def __call__(self, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        pixels = []
        for given in inputs:
            path = given.get("image")
            if not path or not Path(path).is_file():
                raise DataError("There is no image to look at.", "Give an image.", str(path or "image"), "no-image")
            side = round(vision.KEPT_SCALE * (self._geometry.resize or self._geometry.side))
            image = np.asarray(vision.open_image({"path": path, "bytes": None}, shorter_side=side))
            pixels.append(self._transform(image=image)["image"].transpose(2, 0, 1))
        batch = torch.from_numpy(np.stack(pixels)).to(self._model.device)
        chances = self._model(batch).logits.float().softmax(-1).cpu().numpy()
        names = self._model.config.id2label
        found = []
        for row in chances:
            scores = {names[int(i)]: float(row[i]) for i in np.argsort(-row)}
            found.append({"label": next(iter(scores)), "scores": scores})
        return found


def probe(spec: RunSpec, params: Any, context: Mapping[str, Any]) -> dict[str, Any]:
    """Look at the model without its weights.

    Returns `{"findings", "name", "type", "parameters", "input_size", "labels"}`; what is not known is None.
    """
    facts: dict[str, Any] = {"findings": [], "name": spec.model, "type": None, "parameters": None}
    facts.update(input_size=None, labels=None)
    if spec.model == TINY:
        return {**facts, "type": "resnet", "parameters": 330_000, "input_size": [64, 64]}
    try:
        config = pretrained.fetch_config(spec.model)
        facts["type"] = config.get("model_type")
        facts["labels"] = list((config.get("id2label") or {}).values())[:20]
        pretrained.require(config, spec.model, TRAINABLE, WHAT)
        local = Path(spec.model).is_dir()
        processor = AutoImageProcessor.from_pretrained(spec.model)
        geometry = vision.Geometry.of(processor)
        facts["input_size"] = [geometry.height, geometry.width]
        if local:
            facts["parameters"] = pretrained.folder_parameters(Path(spec.model))
        else:
            facts.update(pretrained.hub_facts(spec.model))
    except UserError as error:
        facts["findings"] = [f.to_dict() for f in error.findings]
    except (OSError, ValueError) as error:
        message = f"The processor of '{spec.model}' cannot be read: {str(error).splitlines()[0][:200]}"
        facts["findings"] = [Finding("error", "model-broken", message, "Choose another model.", "model").to_dict()]
    return facts


def preview(draft: Path, spec: RunSpec, params: Any, context: Mapping[str, Any]) -> list[Panel]:
    """Show a few of the user's images as the training will see them, beside the originals.

    context: `images` (how many, default 4), `versions` of each (default 5).
    """
    rows = data.load(draft)["train"]
    names, targets = rows.features["target"].names, np.asarray(list(rows["target"]))
    geometry = _preview_geometry(spec)
    transform = vision.preview_transform(params, geometry)
    folder = draft / "preview"
    shutil.rmtree(folder, ignore_errors=True)
    items = []
    for index in spread(targets, int(context.get("images", 4)), params.seed):
        pixels = np.asarray(
            vision.open_image(rows[index]["image"], shorter_side=round(vision.KEPT_SCALE * geometry.side))
        )
        label = names[int(targets[index])]
        pictures = [("as it is", pixels)]
        versions = range(int(context.get("versions", 5)))
        pictures += [("as trained", transform(image=pixels)["image"]) for _ in versions]
        for number, (what, picture) in enumerate(pictures):
            file = folder / f"{index}-{number}.jpg"
            thumbnail(np.ascontiguousarray(picture), file)
            items.append({"file": f"preview/{file.name}", "caption": what, "group": f"{label} ({index})"})
    note = f"Input of the model: {geometry.width} × {geometry.height} pixels. Each epoch sees other versions."
    return [panels.gallery("What the training sees", items, note=note)]


def _preview_geometry(spec: RunSpec) -> vision.Geometry:
    folder = Path(spec.model)
    if folder.is_dir() and (folder / "preprocessor_config.json").is_file():
        return vision.Geometry.of(AutoImageProcessor.from_pretrained(folder))
    side = 64 if spec.model == TINY else 224
    return vision.Geometry(side, side, (0.0,) * 3, (1.0,) * 3)
