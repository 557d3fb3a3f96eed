"""Evaluation through a Trainer of any library: batch by batch, by generation, and by a library's own evaluator."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset
from transformers import (
    BertConfig,
    BertModel,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    T5Config,
    T5ForConditionalGeneration,
    Trainer,
    TrainingArguments,
)
from transformers.modeling_outputs import SequenceClassifierOutput

from autotrain_gradio.core.panels import Panel
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import Metric, TrainerParams
from autotrain_gradio.tasks.registry import resolve
from autotrain_gradio.training import arguments as engine
from autotrain_gradio.training import distributed, metrics
from autotrain_gradio.training.evaluator import Evaluation
from autotrain_gradio.training.evaluators.classes import ClassPredictions, reduce_logits
from autotrain_gradio.training.evaluators.generation import GenerationEvaluator
from autotrain_gradio.training.evaluators.native import NativeEvaluatorTrainer, NativeResults
from autotrain_gradio.training.fit import Fit, fit

FEATURES = 4


class Points(Dataset[dict[str, torch.Tensor]]):
    """Random points (rows, 4), with one of three classes each."""

    def __init__(self, rows: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.targets = rng.integers(0, 3, rows)
        self.points = rng.normal(size=(rows, FEATURES)).astype(np.float32)
        self.points[np.arange(rows), self.targets] += 2

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, row: int) -> dict[str, torch.Tensor]:
        return {"x": torch.tensor(self.points[row]), "labels": torch.tensor(self.targets[row])}


class Linear(torch.nn.Module):
    """A linear classifier of points."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Linear(FEATURES, 3)

    def forward(self, x: torch.Tensor, labels: torch.Tensor | None = None) -> SequenceClassifierOutput:
        logits = self.layer(x)
        loss = None if labels is None else torch.nn.functional.cross_entropy(logits, labels)
        return SequenceClassifierOutput(loss=loss, logits=logits)


class PointEvaluator:
    """The evaluator that the tests use."""

    def __init__(self, targets: np.ndarray) -> None:
        self.predictions = ClassPredictions(targets, ["a", "b", "c"], "points")

    def update(self, outputs: Any, targets: Any, rows: np.ndarray) -> None:
        self.predictions.update(outputs, targets, rows)

    def compute(self) -> dict[str, float]:
        return self.predictions.metrics()

    def sample_panel(self) -> Panel | None:
        return None

    def results_panel(self, values: Any, declared: Any) -> Panel:
        return self.predictions.results_panel(values, declared)

    def report(self) -> list[Panel]:
        return [self.predictions.confusion_panel()]


def reporter(folder: Path, **params: Any) -> Reporter:
    folder.mkdir(exist_ok=True)
    chosen = {"epochs": 3, "batch_size": 8, "lr": 0.1, "early_stopping_patience": 0, **params}
    resolved = resolve({"task": "image-classification", "model": "tiny", "params": chosen})
    (folder / "spec.json").write_text("{}")
    return Reporter(folder, resolved.spec, resolved.params)


ACCURACY = Metric("accuracy", "Accuracy")


def classifier(run: Reporter, rows: Points, best: Metric = ACCURACY, **more: Any) -> tuple[Trainer, Evaluation]:
    args = engine.arguments(run.params, TrainingArguments, run, train_rows=40, validates=True, best=best, **more)
    evaluation = Evaluation(
        run, len(rows), "points", make=lambda: PointEvaluator(rows.targets), reduce=reduce_logits, declared=[best]
    )
    trainer = Trainer(
        model=Linear(),
        args=args,
        train_dataset=Points(40, 1),
        eval_dataset=rows,
        **evaluation.trainer_arguments(),
    )
    return trainer, evaluation


def events(run: Reporter, kind: str) -> list[dict[str, Any]]:
    lines = (run.directory / "events.jsonl").read_text().splitlines()
    return [e for e in map(json.loads, lines) if e["kind"] == kind]


def test_a_trainer_is_evaluated_batch_by_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, rows = reporter(tmp_path), Points(21, 2)
    trainer, evaluation = classifier(run, rows)
    seen: list[int] = []
    original = PointEvaluator.update
    monkeypatch.setattr(PointEvaluator, "update", lambda s, o, t, r: (seen.append(len(r)), original(s, o, t, r)))
    done = fit(trainer, run, evaluation)
    assert seen == [8, 8, 5] * 3, "no batch is kept for later"
    values, report = evaluation.finish(trainer, done)
    assert seen == [8, 8, 5] * 3, "the best weights have been evaluated already"
    logits = trainer.model(torch.tensor(rows.points)).logits.detach()
    expected = metrics.classification(logits.numpy().argmax(1), rows.targets, 3)
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(rows.targets)).item()
    assert values == pytest.approx({**expected, "loss": loss}, rel=1e-4)
    assert [p["title"] for p in report] == ["Results", "Confusion matrix", "Training"]
    assert "best of 3 evaluations" in report[0]["note"]
    recorded = events(run, "result")[-1]["values"]
    assert recorded == pytest.approx({f"eval_{k}": v for k, v in values.items()})
    best = max(e["values"]["eval_accuracy"] for e in events(run, "metric") if "eval_accuracy" in e["values"])
    assert values["accuracy"] == best, "higher is better, since the metric is declared so"


def test_unevaluated_weights_are_evaluated_at_the_end(tmp_path: Path) -> None:
    run, rows = reporter(tmp_path, eval_strategy="no"), Points(21, 2)
    trainer, evaluation = classifier(run, rows)
    values, report = evaluation.finish(trainer, fit(trainer, run, evaluation))
    assert 0 < values["accuracy"] <= 1 and values["loss"] > 0 and report[1]["title"] == "Confusion matrix"


def test_an_interrupted_evaluation_is_discarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, rows = reporter(tmp_path, epochs=2), Points(21, 2)
    trainer, evaluation = classifier(run, rows)
    original, calls = Trainer.prediction_step, []

    def failing(self: Trainer, *args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            run.request_stop()
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Trainer, "prediction_step", failing)
    done = fit(trainer, run, evaluation)
    assert done.stopped and evaluation.finish(trainer, done)[0] == {}
    run.stopping = run._stop_requested = False
    assert evaluation.finish(trainer, Fit(5, 10, 1.0, False, False, None, None, 0, 0.0, 1.0))[0]["accuracy"] > 0


def batch_of(rows: Points, places: list[int]) -> Any:
    outputs = torch.tensor(places), torch.ones(len(places))
    return SimpleNamespace(predictions=outputs, label_ids=torch.tensor(rows.targets[places]))


def test_rows_that_pad_the_last_batch_of_several_processes_are_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distributed, "world_size", lambda: 2)
    run, rows = reporter(tmp_path), Points(10, 2)
    evaluation = Evaluation(
        run, 10, "points", make=lambda: PointEvaluator(rows.targets), reduce=reduce_logits, declared=[]
    )
    assert evaluation.compute_metrics(batch_of(rows, [0, 1, 2, 3, 4, 5]), compute_result=False) == {}
    # Two processes with three rows each: the last two rows are the first ones again.
    last = batch_of(rows, [6, 7, 8, 9, 0, 1])
    assert evaluation.compute_metrics(last, compute_result=True)["accuracy"] >= 0
    assert evaluation._latest is not None
    assert evaluation._latest[0].predictions.predicted.tolist() == list(range(10))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("batches", "processes", "message"),
    [
        ([6], 1, "6 of 10 validation points were evaluated"),
        ([6], 2, "6 of 10 validation points were evaluated"),
        ([6, 6], 1, "12 rows were evaluated, and there are 10 validation points"),
        ([6, 6, 6], 2, "12 rows were evaluated, and there are 10 validation points"),
        ([6, 4, 6], 2, "16 rows were evaluated, and there are 10 validation points"),
    ],
)
def test_more_or_fewer_rows_than_the_split_has_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batches: list[int], processes: int, message: str
) -> None:
    monkeypatch.setattr(distributed, "world_size", lambda: processes)
    run, rows = reporter(tmp_path), Points(10, 2)
    evaluation = Evaluation(
        run, 10, "points", make=lambda: PointEvaluator(rows.targets), reduce=reduce_logits, declared=[]
    )
    row = 0
    with pytest.raises(RuntimeError, match=message):
        for number, size in enumerate(batches, 1):
            places = [(row + i) % 10 for i in range(size)]
            evaluation.compute_metrics(batch_of(rows, places), compute_result=number == len(batches))
            row += size


@pytest.mark.parametrize(("higher", "best"), [(True, 2), (False, 1)])
@pytest.mark.parametrize("name", ["distance_score", "row_loss"])
def test_the_checkpoint_with_the_best_metric_in_the_declared_direction_is_kept(
    tmp_path: Path, name: str, higher: bool, best: int
) -> None:
    run, rows = reporter(tmp_path), Points(21, 2)
    metric = Metric(name, name, higher_is_better=higher)
    args = engine.arguments(run.params, TrainingArguments, run, train_rows=40, validates=True, best=metric)
    assert args.metric_for_best_model == f"eval_{name}"
    values, weights = iter([0.2, 0.9, 0.5]), []

    class Rigged(PointEvaluator):
        def compute(self) -> dict[str, float]:
            weights.append(trainer.model.layer.weight.detach().clone())
            return {name: next(values)}

    evaluation = Evaluation(run, 21, "points", make=lambda: Rigged(rows.targets), reduce=reduce_logits, declared=[])
    trainer = Trainer(
        model=Linear(),
        args=args,
        train_dataset=Points(40, 1),
        eval_dataset=rows,
        **evaluation.trainer_arguments(),
    )
    done = fit(trainer, run, evaluation)
    assert (done.best_step, done.best_metric) == (5 * best, name)
    assert torch.equal(trainer.model.layer.weight, weights[best - 1]) and not torch.equal(weights[0], weights[1])
    found, _ = evaluation.finish(trainer, done)
    assert found[name] == {1: 0.2, 2: 0.9}[best]


def test_parameters_need_not_name_the_metric_that_selects_the_checkpoint(tmp_path: Path) -> None:
    run, rows = reporter(tmp_path), Points(21, 2)
    run.params = TrainerParams(**{name: getattr(run.params, name) for name in TrainerParams.model_fields})
    assert not hasattr(run.params, "metric_for_best_model")
    trainer, evaluation = classifier(run, rows, best=Metric("f1_macro", "Macro average of F1"))
    _, report = evaluation.finish(trainer, fit(trainer, run, evaluation))
    assert "the best validation macro average of F1: 0." in report[-1]["note"]


def test_no_validation_rows_means_no_metrics(tmp_path: Path) -> None:
    run = reporter(tmp_path)
    evaluation = Evaluation(run, 0, "points", declared=[])
    assert evaluation.trainer_arguments() == {}
    values, report = evaluation.finish(SimpleNamespace(), Fit(1, 1, 1.0, False, False, None, None, 0, 0.0, 1.0))  # type: ignore[arg-type]
    assert values == {} and "no validation split" in report[0]["text"]


def test_a_native_evaluator_is_called_with_the_model(tmp_path: Path) -> None:
    run, rows = reporter(tmp_path), Points(21, 2)
    models = []

    def evaluate(model: Any) -> dict[str, float]:
        models.append(model)
        return {"ndcg": 0.25 * len(models)}

    def results(values: dict[str, float]) -> NativeResults:
        return NativeResults(values, noun="points", rows=21)

    best = Metric("ndcg", "NDCG")
    args = engine.arguments(run.params, TrainingArguments, run, train_rows=40, validates=True, best=best)
    evaluation = Evaluation(run, 21, "points", from_metrics=results, declared=[best])
    trainer = NativeEvaluatorTrainer(
        model=Linear(), args=args, train_dataset=Points(40, 1), eval_dataset=rows, native_evaluate=evaluate
    )
    done = fit(trainer, run, evaluation)
    values, report = evaluation.finish(trainer, done)
    assert models == [trainer.model] * 3 and done.best_step == 15
    assert values["ndcg"] == 0.75 and values["loss"] > 0 and "runtime" not in values
    assert report[0]["items"][0]["value"] == 0.75 and len(report[0]["items"]) == 1


def test_sentence_transformers_evaluate_with_their_own_evaluators(tmp_path: Path) -> None:
    sentence_transformers = pytest.importorskip("sentence_transformers")
    from datasets import Dataset as Rows
    from sentence_transformers.sentence_transformer.evaluation import EmbeddingSimilarityEvaluator
    from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = ["[PAD]", "[UNK]", "red", "green", "blue", "cat", "dog", "bird"]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    folder = str(tmp_path / "start")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=16,
    )
    BertModel(config).save_pretrained(folder)
    transformer = Transformer(folder)
    model = sentence_transformers.SentenceTransformer(modules=[transformer, Pooling(16)], device="cpu")
    pairs = {"a": ["red cat", "blue dog"] * 6, "b": ["red bird", "green cat"] * 6, "score": [1.0, 0.0] * 6}
    run = reporter(tmp_path / "run", epochs=2)
    evaluator = EmbeddingSimilarityEvaluator(pairs["a"], pairs["b"], pairs["score"], write_csv=False)
    best = Metric("spearman_cosine", "Spearman correlation")
    args = engine.arguments(
        run.params,
        sentence_transformers.SentenceTransformerTrainingArguments,
        run,
        train_rows=12,
        validates=True,
        best=best,
    )
    evaluation = Evaluation(
        run, 12, "pairs", from_metrics=lambda values: NativeResults(values, noun="pairs", rows=12), declared=[]
    )
    trainer = sentence_transformers.SentenceTransformerTrainer(
        model=model,
        args=args,
        train_dataset=Rows.from_dict(pairs),
        eval_dataset=Rows.from_dict(pairs),
        loss=CosineSimilarityLoss(model),
        evaluator=evaluator,
    )
    values, report = evaluation.finish(trainer, fit(trainer, run, evaluation))
    assert values["spearman_cosine"] == pytest.approx(evaluator(model)["spearman_cosine"], abs=1e-6)
    assert values["loss"] > 0 and report[0]["title"] == "Results"


def test_a_model_is_evaluated_by_its_generated_texts(tmp_path: Path) -> None:
    run = reporter(tmp_path, epochs=2, batch_size=4)
    torch.manual_seed(0)
    model = T5ForConditionalGeneration(
        T5Config(
            vocab_size=20,
            d_model=16,
            d_kv=8,
            d_ff=32,
            num_layers=1,
            num_heads=2,
            decoder_start_token_id=0,
            pad_token_id=0,
            eos_token_id=1,
        )
    )
    model.generation_config.max_new_tokens = 6
    rows = [
        {"input_ids": [3 + i, 4, 1], "attention_mask": [1, 1, 1], "labels": [5 + i % 3] * (1 + i % 4) + [1]}
        for i in range(10)
    ]

    def collate(items: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        width = max(len(i["labels"]) for i in items)
        padded = [i["labels"] + [-100] * (width - len(i["labels"])) for i in items]
        batch = {k: torch.tensor([i[k] for i in items]) for k in ("input_ids", "attention_mask")}
        return {**batch, "labels": torch.tensor(padded)}

    def decode(ids: np.ndarray) -> list[str]:
        return [" ".join(str(int(i)) for i in row if i > 1) for row in ids]

    references = [" ".join(str(i) for i in row["labels"][:-1]) for row in rows]

    def measure(generated: Any, wanted: Any) -> dict[str, float]:
        return {"exact_match": float(np.mean([g == w for g, w in zip(generated, wanted, strict=True)]))}

    best = Metric("exact_match", "Exact match")
    args = engine.arguments(
        run.params,
        Seq2SeqTrainingArguments,
        run,
        train_rows=10,
        validates=True,
        best=best,
        predict_with_generate=True,
        remove_unused_columns=False,
    )
    evaluators: list[GenerationEvaluator] = []

    def make() -> GenerationEvaluator:
        evaluators.append(GenerationEvaluator(references, decode, measure, shown=[0, 9]))
        return evaluators[-1]

    evaluation = Evaluation(run, 10, "texts", make=make, declared=[best])
    trainer = Seq2SeqTrainer(
        model=model,
        args=args,
        train_dataset=rows,
        eval_dataset=rows,
        data_collator=collate,
        **evaluation.trainer_arguments(),
    )
    values, _ = evaluation.finish(trainer, fit(trainer, run, evaluation))
    model.eval()
    expected = []
    for row in rows:
        ids = model.generate(torch.tensor([row["input_ids"]]), max_new_tokens=6)
        expected += decode(ids.numpy())
    assert evaluation.best is not None and evaluation.best._generated.texts == expected  # type: ignore[attr-defined]
    assert values["exact_match"] == measure(expected, references)["exact_match"] and values["loss"] > 0
    shown = events(run, "sample")[-1]["panel"]["rows"]
    assert shown[1] == [evaluators[-1]._generated.texts[9], references[9]]
