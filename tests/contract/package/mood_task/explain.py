"""The verb `explain`: word by word, what the model knows of it; a stream, as it would be of a chat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.tasks.verb_call import VerbCall

from .mood_faces import mood_faces


def run(call: VerbCall) -> Iterator[dict[str, Any]]:
    """Yield `{"word", "mood", "scores"}` of each word of the context's `text`, then a panel of the whole."""
    text = call.context.get("text")
    if not text:
        raise UserError("There is no text to explain.", "Give it as text in the context.", "text", "missing-input")
    for word in str(text).split():
        prediction = call.predictor()([{"text": word}])[0]
        yield {"word": word, "mood": prediction["label"], "scores": prediction["scores"]}
    yield mood_faces("All words", call.predictor()([{"text": str(text)}])[0]["scores"])
