"""Decode model outputs to text, for all three families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from autotrain_gradio.tasks.automatic_speech_recognition import model_internals
from autotrain_gradio.training.audio import IGNORED


def frames(model: Any, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Return the number of output frames of each utterance (batch,), as the model's loss counts them.

    inputs: a batch of `Collator`.
    """
    mask = inputs.get("attention_mask")
    return model_internals.output_lengths(model, inputs["samples"] if mask is None else mask.sum(dim=-1))


def best_path(logits: torch.Tensor, frames: torch.Tensor, blank: int) -> torch.Tensor:
    """Return the best label of each frame (batch, frames) by greedy decoding; blanks in the padding.

    logits: (batch, frames, labels). frames: number of frames without padding (batch,).
    """
    labels = logits.argmax(dim=-1)
    beyond = torch.arange(labels.shape[1], device=labels.device)[None, :] >= frames.to(labels.device)[:, None]
    return labels.masked_fill(beyond, blank)


def generate(model: Any, features: Mapping[str, torch.Tensor], family: str, longest: int) -> torch.Tensor:
    """Generate labels (batch, labels) from features by greedy decoding.

    longest: maximum number of labels of an utterance, for encoder–decoder models.
    """
    inputs = {k: v for k, v in features.items() if k != "samples"}
    if family == "ctc":
        return best_path(model(**inputs).logits, frames(model, features), model.config.pad_token_id)
    if family == "transducer":
        return model.generate(**inputs).sequences
    found = model.generate(**inputs, max_new_tokens=longest, num_beams=1, do_sample=False)
    return found if isinstance(found, torch.Tensor) else found["sequences"]


def texts(tokenizer: Any, labels: np.ndarray[Any, Any] | Sequence[Sequence[int]], family: str) -> list[str]:
    """Decode label ids (rows, labels), padded with `IGNORED`, to transcripts.

    CTC: repeated symbols are collapsed, and blanks removed.
    """
    blank = tokenizer.pad_token_id
    found = []
    for row in labels:
        ids = [int(i) for i in row]
        if family == "ctc":
            # The blank is a special token: skipping special tokens first would merge doubled letters.
            found.append(tokenizer.decode([blank if i == IGNORED else i for i in ids], skip_special_tokens=False))
        else:
            ids = [i for i in ids if i != IGNORED]
            more = {"group_tokens": False} if family == "transducer" else {}
            found.append(tokenizer.decode(ids, skip_special_tokens=True, **more))
    return [text.strip() for text in found]
