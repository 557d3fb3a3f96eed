"""From what a model puts out to text, for all three families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from autotrain_gradio.training.audio import IGNORED


def best_path(logits: torch.Tensor, filled: torch.Tensor, blank: int) -> torch.Tensor:
    """Return the likeliest label of each frame (batch, frames); the blank where an utterance has ended.

    logits: (batch, frames, labels). filled: part of the frames that is speech, (batch,).
    """
    labels = logits.argmax(dim=-1)
    last = torch.ceil(filled.to(labels.device) * labels.shape[1]).clamp(max=labels.shape[1])
    beyond = torch.arange(labels.shape[1], device=labels.device)[None, :] >= last[:, None]
    return labels.masked_fill(beyond, blank)


def write(model: Any, features: Mapping[str, torch.Tensor], family: str, longest: int) -> torch.Tensor:
    """Let a model write labels (batch, labels) to features, the likeliest next one each time.

    longest: most labels of one utterance, for models with encoder and decoder.
    """
    inputs = {k: v for k, v in features.items() if k != "filled"}
    if family == "ctc":
        return best_path(model(**inputs).logits, features["filled"], model.config.pad_token_id)
    if family == "transducer":
        return model.generate(**inputs).sequences
    found = model.generate(**inputs, max_new_tokens=longest, num_beams=1, do_sample=False)
    return found if isinstance(found, torch.Tensor) else found["sequences"]


def texts(tokenizer: Any, labels: np.ndarray[Any, Any] | Sequence[Sequence[int]], family: str) -> list[str]:
    """Turn labels (rows, labels), padded with `IGNORED`, into transcripts.

    CTC: what repeats is one symbol, and blanks are left out.
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
