"""Small models with random weights of several families, saved as a user would have them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sentencepiece
import torch
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    M2M100Config,
    M2M100ForConditionalGeneration,
    M2M100Tokenizer,
    MarianConfig,
    MarianMTModel,
    MarianTokenizer,
    MBart50Tokenizer,
    MBartConfig,
    MBartForConditionalGeneration,
    MBartTokenizer,
    NllbTokenizer,
    T5Config,
    T5ForConditionalGeneration,
)

from autotrain_gradio.tasks.seq2seq.models import tiny_seq2seq_tokenizer

SMALL: dict[str, Any] = {
    "d_model": 32,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "max_position_embeddings": 64,
}


def saved(folder: Path, model: Any, tokenizer: Any) -> Path:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def t5(folder: Path, texts: Sequence[str]) -> Path:
    torch.manual_seed(0)
    tokenizer = tiny_seq2seq_tokenizer(texts)
    tokenizer.model_max_length = 16  # as in the pretraining; positions are relative
    config = T5Config(
        vocab_size=len(tokenizer) + 28,
        d_model=32,
        d_kv=16,
        d_ff=32,
        num_layers=1,
        num_heads=2,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.sep_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
    )
    return saved(folder, T5ForConditionalGeneration(config), tokenizer)


def bart(folder: Path, texts: Sequence[str]) -> Path:
    torch.manual_seed(0)
    tokenizer = tiny_seq2seq_tokenizer(texts)
    config = BartConfig(
        vocab_size=len(tokenizer),
        **SMALL,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
        decoder_start_token_id=tokenizer.sep_token_id,
        forced_eos_token_id=tokenizer.sep_token_id,
    )
    model = BartForConditionalGeneration(config)
    model.generation_config.min_length = 20  # that of summaries of news
    model.generation_config.num_beams = 4
    return saved(folder, model, tokenizer)


def nllb(folder: Path, texts: Sequence[str]) -> Path:
    torch.manual_seed(0)
    made = Tokenizer(BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.train_from_iterator(texts, BpeTrainer(special_tokens=["<s>", "<pad>", "</s>", "<unk>"], show_progress=False))
    import json

    parts = json.loads(made.to_str())["model"]
    merges = [tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in parts["merges"]]
    tokenizer = NllbTokenizer(vocab=parts["vocab"], merges=merges)
    config = M2M100Config(
        vocab_size=len(tokenizer), **SMALL, pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2
    )
    return saved(folder, M2M100ForConditionalGeneration(config), tokenizer)


def _sentencepiece(folder: Path, texts: Sequence[str], **settings: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "trained"
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_prefix=str(path),
        vocab_size=120,
        hard_vocab_limit=False,
        minloglevel=2,
        **settings,
    )
    return path.with_suffix(".model")


def m2m(folder: Path, texts: Sequence[str]) -> Path:
    import json

    torch.manual_seed(0)
    model = _sentencepiece(folder, texts, bos_id=0, pad_id=1, eos_id=2, unk_id=3)
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(model))
    vocabulary = folder / "trained.json"
    vocabulary.write_text(json.dumps({pieces.id_to_piece(i): i for i in range(len(pieces))}))
    tokenizer = M2M100Tokenizer(str(vocabulary), str(model))
    last = max(tokenizer.lang_code_to_id.values())
    config = M2M100Config(
        vocab_size=last + 9, **SMALL, pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2
    )
    return saved(folder / "model", M2M100ForConditionalGeneration(config), tokenizer)


def _mbart(folder: Path, texts: Sequence[str], tokenizer_class: Any) -> Path:
    torch.manual_seed(0)
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(_sentencepiece(folder, texts)))
    scores = [(pieces.id_to_piece(i), pieces.get_score(i)) for i in range(3, len(pieces))]
    vocabulary = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *scores]
    codes = ("en_XX", "de_DE") if tokenizer_class is MBartTokenizer else ()
    tokenizer = tokenizer_class(vocab=[*vocabulary, *((code, 0.0) for code in codes)])
    config = MBartConfig(
        vocab_size=len(tokenizer) + 8, **SMALL, pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2
    )
    return saved(folder / "model", MBartForConditionalGeneration(config), tokenizer)


def mbart(folder: Path, texts: Sequence[str]) -> Path:
    """mBART-50, whose texts begin with the language."""
    return _mbart(folder, texts, MBart50Tokenizer)


def mbart25(folder: Path, texts: Sequence[str]) -> Path:
    """The first mBART, whose texts end with the language."""
    return _mbart(folder, texts, MBartTokenizer)


def marian(folder: Path, texts: Sequence[str]) -> Path:
    import json

    torch.manual_seed(0)
    model = _sentencepiece(folder, texts)
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(model))
    known = {"</s>": 0, "<unk>": 1}
    for i in range(3, len(pieces)):
        known.setdefault(pieces.id_to_piece(i), len(known))
    known["<pad>"] = len(known)
    vocabulary = folder / "vocab.json"
    vocabulary.write_text(json.dumps(known))
    tokenizer = MarianTokenizer(str(model), str(model), str(vocabulary), source_lang="en", target_lang="de")
    config = MarianConfig(
        vocab_size=len(known),
        **SMALL,
        pad_token_id=known["<pad>"],
        eos_token_id=0,
        decoder_start_token_id=known["<pad>"],
        forced_eos_token_id=0,
    )
    return saved(folder / "model", MarianMTModel(config), tokenizer)


FAMILIES = {"t5": t5, "bart": bart, "marian": marian, "nllb": nllb, "m2m": m2m, "mbart": mbart, "mbart25": mbart25}
