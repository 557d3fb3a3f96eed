"""Windows of texts: the tokens that stand for words, labels, and the same entities as transformers' pipeline."""

from __future__ import annotations

import random
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE, Unigram, WordPiece
from tokenizers.trainers import BpeTrainer, UnigramTrainer, WordPieceTrainer
from transformers import (
    BertConfig,
    BertForTokenClassification,
    ModernBertConfig,
    ModernBertForTokenClassification,
    PreTrainedTokenizerFast,
)

from autotrain_gradio.tasks.token_classification import TASK
from autotrain_gradio.tasks.token_classification.labels import TagLabels
from autotrain_gradio.tasks.token_classification.train import load
from autotrain_gradio.tasks.token_classification.windows import (
    IGNORED,
    make_windows,
    prepare_tokenizer,
    window_sizes,
    word_labels,
)
from autotrain_gradio.tasks.token_classification.words import WORD_PATTERN
from autotrain_gradio.training.pretrained import ModelError

CORPUS = [
    "Anna Berg lives in Graz, near the river Mur; it's a 10-minute walk.",
    "नमस्ते दुनिया, e\u0301te\u0301 à Zürich! 王小明住在北京。",
    "تعيش ليلى في بيروت، Привет Мир: İstanbul – “quoted” (U.S.) ﬁne",
]
ODD = [*CORPUS, "🎉👩\u200d👩\u200d👧 Anna🎉", "a\nb\tc\u00a0d\u200be", "  Graz  ", "☃☃", "é" * 40, "Ωmega_x y"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]


def tokenizer(kind: str) -> Any:
    """Train a small tokenizer as BERT, RoBERTa (without a space before words) or XLM-R has it."""
    if kind in {"cased", "uncased"}:
        made = Tokenizer(WordPiece(unk_token="[UNK]"))
        made.normalizer = normalizers.BertNormalizer(lowercase=kind == "uncased")
        made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer: Any = WordPieceTrainer(vocab_size=250, special_tokens=SPECIAL)
    elif kind == "bytes":
        made = Tokenizer(BPE())
        made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.ByteLevel(add_prefix_space=False)])
        made.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = BpeTrainer(vocab_size=350, special_tokens=SPECIAL, initial_alphabet=alphabet)
    else:
        made = Tokenizer(Unigram())
        made.normalizer = normalizers.NFKC()
        made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
        trainer = UnigramTrainer(vocab_size=150, special_tokens=SPECIAL, unk_token="[UNK]")
    made.train_from_iterator([c for c in CORPUS for _ in range(3)], trainer)
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), SPECIAL, strict=True))
    if kind == "bytes":
        names["unk_token"] = "[PAD]"
    found = PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=24, **names)
    prepare_tokenizer(found, kind)
    return found


@pytest.fixture(params=["cased", "uncased", "bytes", "unigram"])
def saved(request: Any, tmp_path: Path) -> Path:
    """A run with a random model: each window has many entities."""
    torch.manual_seed(3)
    made = tokenizer(request.param)
    labels = TagLabels.of_types(["PER", "LOC"]).names
    sizes = {"vocab_size": len(made), "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1}
    names = {"id2label": dict(enumerate(labels)), "label2id": {n: i for i, n in enumerate(labels)}, "pad_token_id": 0}
    if request.param == "bytes":
        config: Any = ModernBertConfig(**sizes, **names, num_attention_heads=2, reference_compile=False)
        model: Any = ModernBertForTokenClassification(config)
    else:
        model = BertForTokenClassification(BertConfig(**sizes, **names, num_attention_heads=2))
    with torch.no_grad():
        model.classifier.weight.mul_(60)
    model.config.word_pattern, model.config.window_overlap = WORD_PATTERN, 8
    model.save_pretrained(tmp_path / "model")
    made.save_pretrained(tmp_path / "model")
    return tmp_path


def test_the_code_of_the_card_finds_the_same_entities(saved: Path) -> None:
    """Texts of all scripts, also longer than a window, with any tokenizer."""
    draw = random.Random(0)
    texts = [*ODD, *(" ".join(draw.choices([w for c in ODD for w in c.split(" ")], k=k)) for k in range(1, 90, 4))]
    predictor = load(saved)
    found = predictor([{"text": text} for text in texts])
    assert sum(len(p["entities"]) for p in found) > 100
    windows = make_windows(predictor._tokenizer, texts, 24, 8)
    assert windows is not None and windows.counts.max() > 5
    for text, prediction in zip(texts, found, strict=True):
        scope: dict[str, Any] = {"model": str(saved / "model"), "value": text}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(TASK.loader_example, scope)
        assert len(scope["answer"]) == len(prediction["entities"]), text
        for said, mine in zip(scope["answer"], prediction["entities"], strict=True):
            assert mine == {**said, "score": pytest.approx(said["score"], rel=1e-3)}, text
            assert text[mine["start"] : mine["end"]] == mine["text"]


@pytest.mark.parametrize("kind", ["cased", "bytes", "unigram"])
def test_words_begin_with_their_own_token(kind: str) -> None:
    """A word has the tokens that it has behind a space in the text."""
    made = tokenizer(kind)
    words = made(["lives", "river"], is_split_into_words=True)["input_ids"]
    assert words == made("lives river")["input_ids"]


def test_labels_of_windows() -> None:
    made, labels = tokenizer("cased"), TagLabels.of_types(["LOC", "PER"])
    text = "Anna Berg lives in Graz, near the river. " * 3
    spans = [
        {"start": 41 * n + a, "end": 41 * n + b, "label": label}
        for n in range(3)
        for a, b, label in ((0, 9, "PER"), (19, 23, "LOC"))
    ]
    limit, overlap = window_sizes(made, 24, 100)
    assert (limit, overlap) == (24, 11)
    windows = make_windows(made, [text, "nothing"], limit, overlap)
    assert windows is not None
    tags, lost = word_labels(windows, [spans, []], labels)
    assert lost == 0 and windows.counts.tolist() == [len(windows.text) - 1, 1]
    for window in range(len(windows.text) - 1):
        words = windows.words(window)
        codes = tags[words]
        whole = [
            s
            for s in spans
            if windows.borders[words][:, 0].min() <= s["start"] and s["end"] <= windows.borders[words][:, 1].max()
        ]
        found = labels.entities(codes, np.ones(len(codes)), windows.borders[words])
        assert {(s["start"], s["end"], s["label"]) for s in whole} <= {(e.start, e.end, e.label) for e in found}
    unknown, lost = word_labels(windows, [[{**s, "label": "ORG"} for s in spans], []], labels)
    assert lost == 0 and set(np.unique(unknown)) == {0, IGNORED}


def test_entities_whose_first_word_is_joined_are_counted() -> None:
    made, labels = tokenizer("uncased"), TagLabels.of_types(["LOC"])
    text = "in e\u0301te\u0301"  # BERT removes the accents: the token is shorter than its text
    windows = make_windows(made, [text], 24, 4)
    assert windows is not None
    assert word_labels(windows, [[{"start": 3, "end": 7, "label": "LOC"}]], labels)[1] == 1


def test_a_tokenizer_without_offsets_is_refused() -> None:
    class Slow:
        is_fast = False

    with pytest.raises(ModelError, match="does not say where its tokens are"):
        prepare_tokenizer(Slow(), "some/model")
