"""The verb `vocabulary`: how many words the model knows."""

from __future__ import annotations

import json

from autotrain_gradio.tasks.verb_call import VerbCall


def run(call: VerbCall) -> dict[str, int]:
    """Return mood → number of words that were counted for it."""
    counts = json.loads((call.directory / "model" / "words.json").read_text(encoding="utf-8"))
    return {mood: len(words) for mood, words in counts.items()}
