"""Word and character error rates of speech recognition, computed by jiwer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import datasets

from autotrain_gradio.training.metrics import modules
from autotrain_gradio.training.vocabulary import clean, for_scoring

COUNTS = ("substitutions", "deletions", "insertions")


class ErrorRate(modules._Metric):
    """Errors divided by the length of the references; may exceed 1."""

    about = "predictions: texts (rows,). references: texts (rows,). unit: `words` or `characters`."
    predictions = datasets.Value("string")
    references = datasets.Value("string")

    def _compute(self, predictions: Any, references: Any, unit: str = "words") -> dict[str, float]:
        return _counted(predictions, references, unit)


def _counted(predictions: Sequence[str], references: Sequence[str], unit: str) -> dict[str, float]:
    import jiwer

    process = jiwer.process_words if unit == "words" else jiwer.process_characters
    pairs = [(r, p) for r, p in zip(references, predictions, strict=True) if r.strip()]
    found = dict.fromkeys((*COUNTS, "hits"), 0.0)
    if pairs:
        output = process([r for r, _ in pairs], [p for _, p in pairs])
        found = {name: float(getattr(output, name)) for name in found}
    # jiwer refuses an empty reference; everything in the prediction is an insertion.
    empty = [p for r, p in zip(references, predictions, strict=True) if not r.strip()]
    found["insertions"] += sum(len(p.split()) if unit == "words" else len(p) for p in empty)
    length = found.pop("hits") + found["substitutions"] + found["deletions"]
    errors = sum(found[name] for name in COUNTS)
    return {**found, "length": length, "rate": errors / length if length else float(errors > 0)}


def speech(predictions: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Compute error rates of transcripts against references, each (rows,).

    wer, cer: error rates on normalized texts (`vocabulary.for_scoring`); wer_raw, cer_raw: not normalized.
    substitutions, deletions, insertions, words: counts of words, and the same with `character_` before; normalized.
    """
    predicted, wanted = [for_scoring(p) for p in predictions], [for_scoring(r) for r in references]
    written = [clean(p) for p in predictions], [clean(r) for r in references]
    words = modules.compute(ErrorRate, predicted, wanted, unit="words")
    characters = modules.compute(ErrorRate, predicted, wanted, unit="characters")
    return {
        "wer": words["rate"],
        "cer": characters["rate"],
        "wer_raw": modules.compute(ErrorRate, *written, unit="words")["rate"],
        "cer_raw": modules.compute(ErrorRate, *written, unit="characters")["rate"],
        **{name: words[name] for name in COUNTS},
        "words": words["length"],
        **{f"character_{name}": characters[name] for name in COUNTS},
        "characters": characters["length"],
    }


def error_rate(predictions: Sequence[str], references: Sequence[str], unit: str = "words") -> float:
    """Return one error rate of some transcripts, each (rows,), on normalized texts.

    Does not use the `evaluate` module, which takes 20 ms a call: there may be thousands of utterances and speakers.
    """
    return _counted([for_scoring(p) for p in predictions], [for_scoring(r) for r in references], unit)["rate"]


def confusions(predictions: Sequence[str], references: Sequence[str]) -> Counter[tuple[str, str]]:
    """Count confusions of characters: (reference, recognized) → count; an empty string: deletion or insertion."""
    import jiwer

    found: Counter[tuple[str, str]] = Counter()
    pairs = [(for_scoring(p), for_scoring(r)) for p, r in zip(predictions, references, strict=True)]
    pairs = [(p, r) for p, r in pairs if r]
    if not pairs:
        return found
    output = jiwer.process_characters([r for _, r in pairs], [p for p, _ in pairs])
    for chunks, reference, predicted in zip(output.alignments, output.references, output.hypotheses, strict=True):
        for chunk in chunks:
            there, here = (
                reference[chunk.ref_start_idx : chunk.ref_end_idx],
                predicted[chunk.hyp_start_idx : chunk.hyp_end_idx],
            )
            if chunk.type == "substitute":
                found.update(zip(there, here, strict=True))
            elif chunk.type == "delete":
                found.update((symbol, "") for symbol in there)
            elif chunk.type == "insert":
                found.update(("", symbol) for symbol in here)
    return found
