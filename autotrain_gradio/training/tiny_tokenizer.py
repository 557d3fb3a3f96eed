"""The tokenizer of the tiny models of texts, trained on the texts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerFast

TINY_TOKENS = 512
TINY_VOCABULARY = 4000
TINY_TEXTS = 50_000
"""Maximum number of texts on which the tokenizer is trained; of each, the first 2,000 characters."""
TINY_CHARACTERS = 2000
PAD, UNKNOWN, START, END = "[PAD]", "[UNK]", "[CLS]", "[SEP]"


def tiny_tokenizer(texts: Iterable[str], *, vocabulary: int = TINY_VOCABULARY, lowercase: bool = True) -> Any:
    """Train a byte-level BPE tokenizer on texts. lowercase: texts are converted to lower case.

    It can encode any text, and the same texts give the same vocabulary, unlike WordPiece, whose token ids are not
    deterministic.
    """
    made = Tokenizer(BPE(unk_token=UNKNOWN))
    steps = [normalizers.NFKC(), *([normalizers.Lowercase()] if lowercase else [])]
    made.normalizer = normalizers.Sequence(steps)
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    made.decoder = decoders.ByteLevel()
    special = [PAD, UNKNOWN, START, END]
    trainer = BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        special_tokens=special,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    made.train_from_iterator(_some(texts), trainer)
    made.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}",
        pair=f"{START} $A {END} $B {END}",
        special_tokens=[(t, special.index(t)) for t in (START, END)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token=PAD,
        unk_token=UNKNOWN,
        cls_token=START,
        sep_token=END,
        model_max_length=TINY_TOKENS,
        model_input_names=["input_ids", "attention_mask"],
    )


def _some(texts: Iterable[str]) -> Iterable[str]:
    for number, text in enumerate(texts):
        if number == TINY_TEXTS:
            return
        yield text[:TINY_CHARACTERS]
