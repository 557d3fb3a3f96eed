"""Tokenization, truncation and batches of texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset
from tokenizers import Tokenizer, pre_tokenizers, processors
from tokenizers.models import WordLevel
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    BertConfig,
    BertTokenizer,
    GPT2Config,
    PreTrainedTokenizerFast,
    RobertaConfig,
)
from transformers import BertForSequenceClassification as Bert
from transformers import RobertaForSequenceClassification as Roberta

from autotrain_gradio.tasks.text_classification import models
from autotrain_gradio.training import text_models
from autotrain_gradio.training.label_sets import LabelSets
from autotrain_gradio.training.text import Collate, Texts
from autotrain_gradio.training.tokens import POSITIONS, Tokens, longest, tokenize

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefghij"]


def words(*, before: bool = True, after: bool = True, **more: Any) -> Any:
    """Return a tokenizer of single letters, with or without special tokens around a text."""
    made = Tokenizer(WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    shape = " ".join(["[CLS]"] * before + ["$A"] + ["[SEP]:1"] * after)
    if before or after:
        made.post_processor = processors.TemplateProcessing(single=shape, special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", **more
    )


TEXTS = ["a", "a b c d e f g h", "z", "b b", "j i h g f e d c b a"]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(("before", "after"), [(True, True), (True, False), (False, True), (False, False)])
def test_texts_are_truncated_as_by_the_tokenizer(side: str, before: bool, after: bool) -> None:
    tokenizer = words(before=before, after=after, truncation_side=side)
    found = tokenize(tokenizer, TEXTS, 5)
    assert found is not None
    expected = tokenizer(TEXTS, truncation=True, max_length=5)["input_ids"]
    assert [found.ids[a:b].tolist() for a, b in zip(found.starts, found.starts[1:], strict=False)] == expected
    assert found.full.tolist() == [len(i) for i in tokenizer(TEXTS)["input_ids"]]
    assert found.truncated == 2


def test_a_slow_tokenizer_truncates_the_same(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS))
    tokenizer = BertTokenizer(str(tmp_path / "vocab.txt"))
    found = tokenize(tokenizer, TEXTS, 5)
    assert found is not None and found.types is None
    assert (
        found.ids[found.starts[1] : found.starts[2]].tolist()
        == tokenizer(TEXTS[1], truncation=True, max_length=5)["input_ids"]
    )


def test_token_type_ids_are_kept_for_models_that_use_them() -> None:
    tokenizer = words(model_input_names=["input_ids", "token_type_ids", "attention_mask"])
    found = tokenize(tokenizer, TEXTS, 5)
    assert found is not None and found.types is not None
    batch = Collate(tokenizer)([Texts(found, np.zeros(5, dtype=np.int64))[i] for i in range(5)])
    expected = tokenizer(TEXTS, truncation=True, max_length=5, padding=True, return_tensors="pt")
    for name in ("input_ids", "attention_mask", "token_type_ids"):
        assert torch.equal(batch[name], expected[name]), name


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_batch_is_padded_to_its_longest_on_the_tokenizers_side(side: str) -> None:
    tokenizer = words(padding_side=side)
    found = tokenize(tokenizer, TEXTS, 64)
    assert found is not None
    sets = Dataset.from_dict({"target": [[0], [1], [], [0, 1], []]})
    targets = LabelSets.of_column(sets, "target", 2)
    batch = Collate(tokenizer)([Texts(found, targets)[i] for i in (0, 3)])
    expected = tokenizer([TEXTS[0], TEXTS[3]], padding=True, return_tensors="pt")
    assert torch.equal(batch["input_ids"], expected["input_ids"])
    assert torch.equal(batch["attention_mask"], expected["attention_mask"])
    assert batch["labels"].tolist() == [[1, 0], [1, 1]]


def test_tokenising_can_be_stopped() -> None:
    done: list[int] = []
    assert tokenize(words(), ["a"] * 2500, 8, should_continue=lambda n: done.append(n) or n < 2000) is None
    assert done == [1000, 2000]


def test_rows_sorted_by_length_keep_their_index() -> None:
    tokens = Tokens(np.arange(6, dtype=np.int32), np.asarray([0, 1, 4, 6]), None, np.asarray([1, 3, 2]))
    rows = Texts(tokens, np.asarray([10, 20, 30]), by_length=True)
    assert [rows[i]["labels"] for i in range(3)] == [20, 30, 10]
    assert rows.rows.tolist() == [1, 2, 0]
    assert rows[0]["input_ids"].tolist() == [1, 2, 3]


def test_padding_positions_reduce_the_maximum_length() -> None:
    small = {
        "vocab_size": 20,
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 1,
        "intermediate_size": 8,
    }
    roberta = RobertaConfig(max_position_embeddings=34, pad_token_id=1, **small)
    assert longest(roberta, words(), Roberta(roberta)) == 32
    bert = BertConfig(max_position_embeddings=34, **small)
    assert longest(bert, words(), Bert(bert)) == 34
    assert longest(bert, words(model_max_length=20), Bert(bert)) == 20
    assert text_models.limit(AutoModelForSequenceClassification, roberta, words()) == 32
    assert longest(GPT2Config(n_positions=50), words()) == 50
    with torch.no_grad():
        ids = torch.randint(4, 14, (1, 32))
        Roberta(roberta).eval()(input_ids=ids, attention_mask=torch.ones_like(ids))


@pytest.mark.parametrize("kind", sorted(POSITIONS))
def test_model_types_have_known_input_names(kind: str) -> None:
    sizes = {"num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8, "n_layers": 1, "n_heads": 1}
    config = AutoConfig.for_model(
        kind, vocab_size=20, hidden_size=8, dim=8, embedding_size=8, max_position_embeddings=34, pad_token_id=3, **sizes
    )
    assert longest(config, words()) == text_models.limit(AutoModelForSequenceClassification, config, words())
    assert longest(config, words(model_max_length=20)) == 20


@pytest.mark.parametrize("model", ["tiny", "bert"])
def test_new_layers_are_found(model: str, tmp_path: Path) -> None:
    if model == "tiny":
        folder = models.tiny_model(tmp_path, ["a", "b"], texts=["some words", "some more"])
    else:
        from transformers import BertModel

        small = BertConfig(
            vocab_size=len(WORDS), hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
        )
        BertModel(small, add_pooling_layer=False).save_pretrained(tmp_path)
        words().save_pretrained(tmp_path)
        folder = tmp_path
    classes = list("abc")
    opened, _, fresh = models.open_model(str(folder), classes, multi_label=False, texts=(), seed=1, scratch=tmp_path)
    # A BERT that came without a pooler gets a random one: it must be trained, too.
    expected = ["classifier", "head"] if model == "tiny" else ["bert.pooler.dense", "classifier"]
    assert sorted(text_models.head_of(opened, fresh)) == expected
