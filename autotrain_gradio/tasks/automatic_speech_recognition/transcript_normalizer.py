"""Normalization of transcripts for a model: case, punctuation, and the vocabulary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.training import vocabulary
from autotrain_gradio.training.vocabulary import Coverage

UNCOVERED = 0.005
"""Share of the symbols that a model's own vocabulary may lack before a new one is built."""
Known = Callable[[Iterable[str]], set[str]]
"""Symbols → those that the tokenizer of a model can output."""


@dataclass(frozen=True)
class TranscriptNormalizer:
    """The normalization of transcripts, and the symbols that remain.

    case: of `vocabulary.CASES`. remove_punctuation: punctuation is removed. unit: `characters` or `graphemes`.
    counts: how often each symbol occurs in the training transcripts. coverage: by the model's own vocabulary; None:
    it has none. new: the new vocabulary; None: the model's own is used.
    """

    case: str
    remove_punctuation: bool
    unit: str
    counts: Counter[str]
    coverage: Coverage | None = None
    new: list[str] | None = None

    def __call__(self, text: str) -> str:
        """Return the normalized transcript."""
        text = vocabulary.clean(text)
        return vocabulary.in_case(vocabulary.without_punctuation(text) if self.remove_punctuation else text, self.case)

    @property
    def rare(self) -> list[str]:
        """The symbols that are too rare to be learned well, sorted."""
        return sorted(s for s, n in self.counts.items() if n < vocabulary.RARE)

    def notes(self) -> list[str]:
        """Return messages about vocabulary and coverage."""
        messages = []
        if self.new is not None:
            if self.coverage is not None and self.coverage.missing:
                messages.append(
                    f"The model's vocabulary lacks {self.coverage.share:.1%} of the symbols in the transcripts "
                    f"({self.coverage.examples()}): a new one was built."
                )
            symbols = len(self.new) - 3
            messages.append(
                f"The vocabulary has {symbols} {self.unit}, from {sum(self.counts.values()):,} in the data."
            )
            if self.rare:
                shown = " ".join(self.rare[:20]) + (" …" if len(self.rare) > 20 else "")
                messages.append(
                    f"{len(self.rare)} of its symbols occur fewer than {vocabulary.RARE} times and are hard "
                    f"to learn: {shown}"
                )
        elif self.coverage is not None and self.coverage.missing:
            messages.append(
                f"The model's vocabulary lacks {self.coverage.share:.2%} of the symbols in the transcripts: "
                f"{self.coverage.examples()}"
            )
        return messages


def choose_normalizer(params: Any, family: str, texts: Sequence[str], known: Known | None) -> TranscriptNormalizer:
    """Choose the normalization by the parameters, the model, and the transcripts.

    known: finds the symbols in the model's own vocabulary; None: it has none.

    Raises:
        UserError: the vocabulary of the model does not cover the transcripts and cannot be changed.
    """
    cleaned = [vocabulary.clean(t) for t in texts]
    unit = params.tokens if family == "ctc" else "characters"
    if params.vocabulary == "new" and family != "ctc":
        message = "Only CTC models can have a new vocabulary."
        raise UserError(message, "Set vocabulary to auto.", "params.vocabulary", "vocabulary-fixed")
    if family == "ctc" and (known is None or params.vocabulary == "new"):
        if params.vocabulary == "model":
            message = "The model has no vocabulary of its own."
            raise UserError(message, "Set vocabulary to auto.", "params.vocabulary", "no-vocabulary")
        return _with_new_vocabulary(params, cleaned, unit, None)
    assert known is not None  # all other models have a tokenizer
    writes_marks = known([".", ","]) == {".", ","}
    remove_punctuation = params.punctuation == "remove" or (
        params.punctuation == "auto" and family == "ctc" and not writes_marks
    )
    stripped = [vocabulary.without_punctuation(t) for t in cleaned] if remove_punctuation else cleaned
    cases = vocabulary.CASES if params.text_case == "auto" and family != "seq2seq" else (_case(params, family),)
    found: list[tuple[float, str, Counter[str], Coverage]] = []
    for case in cases:
        counts = vocabulary.count((vocabulary.in_case(t, case) for t in stripped), "characters")
        coverage = Coverage.of(counts, known(counts))
        found.append((coverage.share, case, counts, coverage))
    share, case, counts, coverage = min(found, key=lambda one: one[0])
    if share > UNCOVERED and family == "ctc" and params.vocabulary == "auto":
        return _with_new_vocabulary(params, cleaned, unit, coverage)
    if share > UNCOVERED and family != "ctc":
        raise UserError(
            f"The model cannot output {share:.1%} of the symbols in the transcripts: {coverage.examples()}",
            "Choose a CTC model, which can have a new vocabulary, or Whisper, which supports every script.",
            "model",
            "vocabulary-fixed",
        )
    return TranscriptNormalizer(case, remove_punctuation, "characters", counts, coverage)


def _case(params: Any, family: str) -> str:
    if params.text_case != "auto":
        return str(params.text_case)
    return "lower" if family == "ctc" else "keep"


def _with_new_vocabulary(params: Any, texts: list[str], unit: str, coverage: Coverage | None) -> TranscriptNormalizer:
    case, remove_punctuation = _case(params, "ctc"), params.punctuation != "keep"
    stripped = [vocabulary.without_punctuation(t) for t in texts] if remove_punctuation else texts
    counts = vocabulary.count((vocabulary.in_case(t, case) for t in stripped), unit)
    return TranscriptNormalizer(
        case, remove_punctuation, unit, counts, coverage, vocabulary.build(counts, params.min_character_count)
    )
