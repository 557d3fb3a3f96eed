"""The trainer of sentence transformers: its batches, their order, and its checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss, SoftmaxLoss

from autotrain_gradio.tasks.sentence_transformers import models
from autotrain_gradio.tasks.sentence_transformers.trainer import LengthGroupedBatches, PairTrainer, UniqueTextBatches

TEXTS = [f"text number {i}" for i in range(12)]


@pytest.fixture
def model(tmp_path: Path) -> SentenceTransformer:
    return models.open_model("tiny", texts=TEXTS, seed=1, scratch=tmp_path / "scratch")


def trainer(
    folder: Path, model: SentenceTransformer, loss: Any, rows: dict[str, Sequence[Any]], **more: Any
) -> PairTrainer:
    args = SentenceTransformerTrainingArguments(
        output_dir=str(folder), per_device_train_batch_size=4, report_to=[], use_cpu=True, disable_tqdm=True, **more
    )
    data = Dataset.from_dict({name: list(values) for name, values in rows.items()})
    return PairTrainer(model=model, args=args, train_dataset=data, loss=loss)


def batches_of(kind: type[LengthGroupedBatches], rows: dict[str, list[Any]], size: int) -> list[list[int]]:
    given = {"batch_size": size, "drop_last": False, "valid_label_columns": ["label"], "seed": 3}
    return list(kind(Dataset.from_dict(rows), **given))


def test_a_batch_has_no_text_twice() -> None:
    answers = [f"answer {i % 10}" for i in range(40)]
    found = batches_of(UniqueTextBatches, {"sentence1": [f"query {i}" for i in range(40)], "sentence2": answers}, 8)
    assert sorted(i for batch in found for i in batch) == list(range(40))
    assert all(len({answers[i] for i in batch}) == len(batch) for batch in found)
    assert [len(b) for b in found[:3]] == [8, 8, 8]
    # A text that is a query of one row and an answer of another one is a duplicate, too.
    crossed = batches_of(UniqueTextBatches, {"sentence1": ["a", "b", "c"], "sentence2": ["b", "d", "e"]}, 3)
    assert sorted(map(len, crossed)) == [1, 2]


def test_few_different_texts_do_not_make_batches_slow() -> None:
    count = 4000
    rows = {"sentence1": [f"query {i}" for i in range(count)], "sentence2": ["yes", "no"] * (count // 2)}
    found = batches_of(UniqueTextBatches, rows, 4)
    assert sorted(i for batch in found for i in batch) == list(range(count)) and max(map(len, found)) == 2


def test_batches_have_rows_of_similar_length() -> None:
    lengths = np.random.default_rng(0).integers(1, 300, 400)
    rows = {"sentence1": ["q"] * 400, "sentence2": ["x" * int(n) for n in lengths], "label": [0] * 400}
    found = batches_of(LengthGroupedBatches, rows, 8)
    assert sorted(i for batch in found for i in batch) == list(range(400))
    padded = sum(len(b) * max(lengths[i] for i in b) for b in found)
    assert padded < 1.15 * lengths.sum()


def test_the_order_of_an_epoch_depends_on_seed_and_epoch_only(tmp_path: Path, model: SentenceTransformer) -> None:
    rows = {"sentence1": TEXTS, "sentence2": TEXTS[::-1]}
    seen: list[list[str]] = []

    def recorded(features: Any, labels: Any) -> torch.Tensor:
        seen.append([str(model.tokenizer.decode(ids, skip_special_tokens=True)) for ids in features[0]["input_ids"]])
        return loss_forward(features, labels)

    orders = []
    for name, resumed in (("whole", False), ("first", False), ("first", True)):
        loss = MultipleNegativesRankingLoss(model)
        loss_forward = loss.forward
        loss.forward = recorded  # type: ignore[method-assign]
        steps = 5 if name == "first" and not resumed else 9
        made = trainer(
            tmp_path / name, model, loss, rows, max_steps=steps, save_steps=5, batch_sampler=UniqueTextBatches, seed=5
        )
        seen.clear()
        made.train(resume_from_checkpoint=resumed or None)
        orders.append(list(seen))
    whole, first, second = orders
    assert len(whole) == 9 and whole[:5] == first and whole[5:] == second
    assert whole[:3] != whole[3:6]


def test_a_checkpoint_has_the_weights_of_model_and_loss(tmp_path: Path, model: SentenceTransformer) -> None:
    rows = {"sentence1": TEXTS, "sentence2": TEXTS[::-1], "label": [i % 2 for i in range(12)]}
    loss = SoftmaxLoss(model, models.dimension(model), 2)
    made = trainer(tmp_path / "run", model, loss, rows, max_steps=3, save_steps=3)
    made.train()
    trained = {name: value.clone() for name, value in loss.state_dict().items()}
    with torch.no_grad():
        for parameter in loss.parameters():
            parameter.zero_()
    made.state.best_model_checkpoint = str(tmp_path / "run" / "checkpoint-3")
    made._load_best_model()
    assert trained.keys() == loss.state_dict().keys() and "classifier.weight" in trained
    assert all(torch.equal(value, loss.state_dict()[name]) for name, value in trained.items())
    (tmp_path / "run" / "checkpoint-3" / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError):
        made._load_best_model()
