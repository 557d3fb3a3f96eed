"""Decode the output of a model to text, for all three families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from autotrain_gradio.training.audio import IGNORED


def frames(model: Any, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Return how many frames of each utterance are speech (batch,), as the model itself counts them for its loss.

    inputs: what `Collator` makes.
    """
    mask = inputs.get("attention_mask")
    # wav2vec2 and its kin count from samples, those that take features from those; each with a formula of its own.
    count = getattr(model, "_get_feat_extract_output_lengths", None) or model._get_subsampling_output_length
    return count(inputs["samples"] if mask is None else mask.sum(dim=-1))


def best_path(logits: torch.Tensor, frames: torch.Tensor, blank: int) -> torch.Tensor:
    """Return the likeliest label of each frame (batch, frames); the blank where an utterance has ended.

    logits: (batch, frames, labels). frames: how many of them are speech, (batch,).
    """
    labels = logits.argmax(dim=-1)
    beyond = torch.arange(labels.shape[1], device=labels.device)[None, :] >= frames.to(labels.device)[:, None]
    return labels.masked_fill(beyond, blank)


def write(model: Any, features: Mapping[str, torch.Tensor], family: str, longest: int) -> torch.Tensor:
    """Let a model write labels (batch, labels) to features, the likeliest next one each time.

    longest: most labels of one utterance, for models with encoder and decoder.
    """
    inputs = {k: v for k, v in features.items() if k != "samples"}
    if family == "ctc":
        return best_path(model(**inputs).logits, frames(model, features), model.config.pad_token_id)
    if family == "transducer":
        return model.generate(**inputs).sequences
    found = model.generate(**inputs, max_new_tokens=longest, num_beams=1, do_sample=False)
    return found if isinstance(found, torch.Tensor) else found["sequences"]


def texts(tokenizer: Any, labels: np.ndarray[Any, Any] | Sequence[Sequence[int]], family: str) -> list[str]:
    """Turn labels (rows, labels), padded with `IGNORED`, into transcripts.

    CTC: repeated symbols are collapsed, and blanks removed.
    """
    blank = tokenizer.pad_token_id
    found = []
    for row in labels:
        kept = [int(i) for i in row]
        if family == "ctc":
            # The blank counts as special: to skip special tokens first would join doubled letters.
            found.append(tokenizer.decode([blank if i == IGNORED else i for i in kept], skip_special_tokens=False))
        else:
            kept = [i for i in kept if i != IGNORED]
            more = {"group_tokens": False} if family == "transducer" else {}
            found.append(tokenizer.decode(kept, skip_special_tokens=True, **more))
    return [text.strip() for text in found]
