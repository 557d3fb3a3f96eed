"""Parts of clips that the model processes: a random crop in training, windows over the whole clip in evaluation.

Scores of the windows of a clip are averaged, so that no part of a clip is ignored, and an evaluation computes what a
prediction does.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch.nn.functional import log_softmax, logsigmoid

MAX_WINDOWS = 30
"""Maximum number of windows of a clip. Of longer clips these are evenly spaced, with gaps."""
WINDOW = "window_seconds"
"""Key of the model's config.json: length of a window in seconds."""
MOST = "max_windows"
"""Key of the model's config.json: `MAX_WINDOWS`."""


def window_starts(samples: int, length: int) -> list[int]:
    """Return the first sample of each window of a clip: windows cover it evenly, and overlap where necessary.

    samples: length of the clip. length: of a window, in samples.
    """
    count = min(max(1, math.ceil(samples / length)), MAX_WINDOWS)
    starts: list[int] = np.linspace(0, max(0, samples - length), count).round().astype(int).tolist()
    return starts


def average_scores(logits: torch.Tensor, counts: list[int], *, multi_label: bool) -> torch.Tensor:
    """Return logits float32 (clips, labels) whose probabilities are the mean of those of the clip's windows.

    logits: of all windows (windows, labels), clip after clip. counts: the number of windows of each clip. multi_label:
    probabilities are the sigmoid of each logit, else the softmax.
    """
    found = []
    for one in logits.float().split(counts):
        if len(one) == 1:
            found.append(one[0])
        elif multi_label:
            found.append(logsigmoid(one).logsumexp(0) - logsigmoid(-one).logsumexp(0))
        else:
            found.append(log_softmax(one, dim=-1).logsumexp(0) - math.log(len(one)))
    return torch.stack(found)


def clip_logits(model: Any, batch: dict[str, Any], *, multi_label: bool) -> torch.Tensor:
    """Return the logits (clips, labels) of a batch of `ClipCollator.windows`."""
    found = torch.cat([model(**chunk).logits.float() for chunk in batch["chunks"]])
    ordered = torch.empty_like(found)
    ordered[batch["order"]] = found
    return average_scores(ordered, batch["windows"].tolist(), multi_label=multi_label)
