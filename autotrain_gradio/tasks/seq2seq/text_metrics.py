"""Metrics of generated texts: chrF and BLEU (sacrebleu), and ROUGE (rouge-score) with a tokenizer for all scripts."""

from __future__ import annotations

import importlib.util
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU, CHRF

from autotrain_gradio.tasks.seq2seq.language_codes import iso_code

ROUGE = ("rouge1", "rouge2", "rougeL", "rougeLsum")
ROUGE_NOTE = (
    "ROUGE counts words in lower case without stemming, for all scripts: of Chinese, Japanese, Thai, Lao, Khmer and "
    "Burmese each character. English scores differ slightly from those of rouge-score's own tokenizer, which knows "
    "only Latin letters without accents."
)
SENTENCE_END = re.compile(r"(?<=[.!?\u2026\u3002\uff01\uff1f\u0964\u06d4])\s+|(?<=[\u3002\uff01\uff1f])")
"""Places where a sentence ends."""
SPACELESS = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
"""First words of the Unicode names of letters of scripts without spaces between words."""


class ScriptTokenizer:
    """The tokenizer of ROUGE: words of letters, digits and combining marks, in lower case.

    In scripts without spaces each character is a word.
    """

    def tokenize(self, text: str) -> list[str]:
        """Return the words of a text."""
        words: list[str] = []
        joined = False
        for sign in unicodedata.normalize("NFKC", text).lower():
            kind = _kind(sign)
            if kind == "alone":
                words.append(sign)
            elif (kind == "mark" and words) or (kind == "word" and joined):
                words[-1] += sign
            elif kind == "word":
                words.append(sign)
            joined = kind == "word" or (kind == "mark" and joined)
        return words


@lru_cache(maxsize=100_000)
def _kind(sign: str) -> str:
    """Return whether a character is part of a `word`, a word `alone`, a combining `mark`, or none of them."""
    category = unicodedata.category(sign)
    if category[0] == "M":
        return "mark"
    if category[0] not in "LN":
        return ""
    return "alone" if unicodedata.name(sign, "").split(" ", 1)[0] in SPACELESS else "word"


def bleu_tokenizer(language: str | None) -> str:
    """Return sacrebleu's tokenizer for a target language.

    Japanese and Korean need a morphological analyser (MeCab); without it each character counts as a word.
    """
    iso = iso_code(language) if language else None
    if iso == "zh":
        return "zh"
    if iso in ("ja", "ko"):
        installed = importlib.util.find_spec("MeCab" if iso == "ja" else "mecab_ko") is not None
        return f"{iso}-mecab" if installed else "char"
    return "char" if iso in ("th", "lo", "km", "my", "yue") else "13a"


class TextMetrics:
    """chrF, BLEU and ROUGE, each from 0 to 100. language: of the references; None: unknown.

    Attributes:
        signatures: sacrebleu's signatures, which say exactly how chrF and BLEU were computed.
    """

    def __init__(self, language: str | None = None) -> None:
        self._bleu, self._chrf = BLEU(tokenize=bleu_tokenizer(language)), CHRF()
        self._rouge = RougeScorer(list(ROUGE), tokenizer=ScriptTokenizer())
        self.signatures: tuple[str, ...] = ()

    def compute(self, texts: Sequence[str], references: Sequence[str]) -> dict[str, float]:
        """Return the metrics of generated texts; empty without any."""
        if not texts:
            return {}
        found = {
            "chrf": float(self._chrf.corpus_score(list(texts), [list(references)]).score),
            "bleu": float(self._bleu.corpus_score(list(texts), [list(references)]).score),
        }
        totals = dict.fromkeys(ROUGE, 0.0)
        for text, reference in zip(texts, references, strict=True):
            scores = self._rouge.score(sentences(reference), sentences(text))
            for name in ROUGE:
                totals[name] += scores[name].fmeasure
        self.signatures = (
            f"chrF: {self._chrf.get_signature().format()}",
            f"BLEU: {self._bleu.get_signature().format()}",
        )
        return {**found, **{name: 100 * total / len(texts) for name, total in totals.items()}}

    def row_scores(self, texts: Sequence[str], references: Sequence[str]) -> list[float]:
        """Return the chrF of each text (0 to 100)."""
        return [float(self._chrf.sentence_score(t, [r]).score) for t, r in zip(texts, references, strict=True)]


def sentences(text: str) -> str:
    """Return a text with a line for each sentence, as ROUGE-Lsum needs it."""
    return "\n".join(part for part in SENTENCE_END.split(text) if part and part.strip())


def repeats(text: str) -> bool:
    """Whether a text repeats itself, as models do that are stuck: some words at least four times in a row."""
    return re.search(r"(?:^|\s)(\S.{0,60}?)(?:\s+\1){3,}(?:\s|$)", text) is not None
