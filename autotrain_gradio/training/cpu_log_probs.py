"""Log-probabilities of tokens on a CPU, for TRL's fused output layer: of the trained tokens only, and computed once.

`trl.trainer.utils.add_fused_lm_head` computes the log-probability of each label without all logits at a time. Its
Triton kernels need a GPU. On a CPU, TRL 1.16 multiplies every position with the output layer, padding and prompts
included, goes over the logits a dozen times, and computes the logits again for the gradients. Here only the positions
with a label are multiplied, in blocks that fit into the cache. Where all labels have the same weight in the loss, the
gradients are computed with the logits in hand, as Liger Kernel's fused linear cross entropy does (arXiv:2410.10989).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from trl.trainer import utils

VERSION = "1.16"
"""The version of TRL whose private members `install` replaces."""
BLOCK_FLOATS = 1 << 21
"""Logits of a block of tokens that are computed at a time: 8 MiB."""
LEAST_TOKENS, MOST_TOKENS = 128, 1024
"""Bounds of the number of tokens of a block: each block reads and writes the gradient of the whole output layer."""
OUTPUTS = {"log_probs", "entropy", "mean_logits", "is_top1"}
_originals: dict[str, Any] = {}
"""Members of TRL that `install` has replaced, by name."""
_equal_weights = False


def install() -> None:
    """Let TRL's fused output layers use this module on a CPU; nothing changes on other devices."""
    if _originals:
        return
    _originals.update(originals())
    has_kernels = _originals["_use_triton"]
    # Whether only the positions with a label are passed to the function.
    utils._use_triton = lambda device: device.type == "cpu" or has_kernels(device)
    utils._ChunkedLogProbFunction = _Dispatch


def originals() -> dict[str, Any]:
    """Return TRL's own members that `install` replaces, by name."""
    return _originals or {name: getattr(utils, name) for name in ("_use_triton", "_ChunkedLogProbFunction")}


@contextlib.contextmanager
def equal_weights() -> Iterator[None]:
    """Say that the loss is the sum of the log-probabilities times one number: gradients are computed at once.

    Only a hint: gradients are also right for other losses, but their computation takes longer then.
    """
    global _equal_weights
    before, _equal_weights = _equal_weights, True
    try:
        yield
    finally:
        _equal_weights = before


class _Dispatch:
    """Has the `apply` of TRL's function, and calls the one for the device."""

    @staticmethod
    def apply(
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        temperature: float,
        chunk_size: int,
        softcap: float | None = None,
        logit_scale: float = 1.0,
        outputs: Sequence[str] = ("log_probs",),
    ) -> Any:
        """Return log-probabilities, entropy, log of the sum of squared probabilities, mean logit, and whether the
        target is the most probable token, each (tokens,), or None if it is not among the outputs.

        hidden: (tokens, hidden size). weight: (vocabulary, hidden size). bias: (vocabulary,). targets: (tokens,).
        """
        plain = hidden.dtype == weight.dtype == torch.float32 and not torch.is_autocast_enabled(hidden.device.type)
        if hidden.device.type != "cpu" or not plain or softcap is not None or not OUTPUTS.issuperset(outputs):
            theirs = _originals["_ChunkedLogProbFunction"].apply
            return theirs(hidden, weight, bias, targets, temperature, chunk_size, softcap, logit_scale, outputs)
        at_once = _equal_weights and torch.is_grad_enabled()
        scale = logit_scale / temperature
        log_probs, entropy, means, is_top1 = LogProbs.apply(
            hidden, weight, bias, targets, scale, frozenset(outputs), at_once
        )
        return log_probs, entropy, None, means, is_top1


class LogProbs(torch.autograd.Function):
    """Log-probabilities, entropy, mean logit, and whether the target is the most probable token, as `_Dispatch.apply`.

    scale: factor of the logits. at_once: compute the gradients together with the values. The log-probabilities and the
    entropy are differentiable.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        scale: float,
        outputs: frozenset[str],
        at_once: bool,
    ) -> tuple[torch.Tensor | None, ...]:
        ctx.set_materialize_grads(False)
        count = len(hidden)
        log_probs, log_sums = hidden.new_empty(count), hidden.new_empty(count)
        entropy = hidden.new_empty(count) if "entropy" in outputs else None
        means = hidden.new_empty(count) if "mean_logits" in outputs else None
        is_top1 = torch.empty(count, dtype=torch.bool) if "is_top1" in outputs else None
        grads = _Gradients(hidden, weight, bias, scale, ctx.needs_input_grad) if at_once else None
        for block, logits in _blocks(hidden, weight, bias, scale):
            target = targets[block, None]
            highest, best = logits.max(-1, keepdim=True)
            if means is not None:
                means[block] = logits.mean(-1)
            logits.sub_(highest)
            chosen = logits.gather(-1, target)
            if is_top1 is not None:
                is_top1[block] = (best == target)[:, 0]
            exps = logits.exp_() if entropy is None else torch.exp(logits)
            sums = exps.sum(-1, keepdim=True)
            logs = sums.log()
            log_probs[block] = (chosen - logs)[:, 0]
            log_sums[block] = (highest + logs)[:, 0]
            if entropy is not None:
                entropy[block] = logs[:, 0] - torch.linalg.vecdot(exps, logits) / sums[:, 0]
            if grads is not None:
                grads.add(block, _of_log_probs(exps.div_(sums), target))
        ctx.save_for_backward(hidden, weight, bias, targets, log_sums, entropy)
        ctx.scale, ctx.grads = scale, grads
        ctx.mark_non_differentiable(*(part for part in (means, is_top1) if part is not None))
        return log_probs, entropy, means, is_top1

    @staticmethod
    def backward(
        ctx: Any, of_log_probs: torch.Tensor | None, of_entropy: torch.Tensor | None, *_: None
    ) -> tuple[torch.Tensor | None, ...]:
        ready, ctx.grads = ctx.grads, None  # a second call computes them again: the factor is applied in place
        hidden, weight, bias, targets, log_sums, entropy = ctx.saved_tensors
        if of_log_probs is None and of_entropy is None:
            return (None,) * 7
        if ready is not None and of_log_probs is not None and of_entropy is None and len(hidden):
            factor = of_log_probs[0].item()
            if of_log_probs.eq(factor).all():
                return (*ready.times(factor), *(None,) * 4)
        grads = _Gradients(hidden, weight, bias, ctx.scale, ctx.needs_input_grad)
        for block, logits in _blocks(hidden, weight, bias, ctx.scale):
            logs = logits.sub_(log_sums[block, None])
            probabilities = torch.exp(logs)
            found = torch.zeros_like(logits)
            if of_log_probs is not None:
                found += of_log_probs[block, None] * _of_log_probs(probabilities.clone(), targets[block, None])
            if of_entropy is not None:
                found -= of_entropy[block, None] * probabilities * (logs + entropy[block, None])
            grads.add(block, found)
        return (*grads.times(1.0), *(None,) * 4)


def _of_log_probs(probabilities: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the derivatives of log-probabilities by the logits (tokens, vocabulary), in place. target: (tokens, 1)."""
    return probabilities.neg_().scatter_add_(-1, target, torch.ones_like(target, dtype=probabilities.dtype))


def block_size(vocabulary: int, tokens: int) -> int:
    """Return the number of tokens whose logits are computed at a time. tokens: with a label."""
    return min(MOST_TOKENS, max(LEAST_TOKENS, BLOCK_FLOATS // vocabulary), max(1, tokens))


def _blocks(
    hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, scale: float
) -> Iterator[tuple[slice, torch.Tensor]]:
    """Yield blocks of tokens and their logits (tokens, vocabulary), in a buffer that the next one overwrites."""
    size = block_size(len(weight), len(hidden))
    buffer = hidden.new_empty(size, len(weight))
    for start in range(0, len(hidden), size):
        block = slice(start, min(start + size, len(hidden)))
        logits = buffer[: block.stop - start]
        torch.mm(hidden[block], weight.t(), out=logits)
        if bias is not None:
            logits.add_(bias)
        if scale != 1.0:
            logits.mul_(scale)
        yield block, logits


class _Gradients:
    """Sums of the gradients of hidden states, weight and bias, of those that are needed, in float32."""

    def __init__(
        self,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        scale: float,
        needed: Sequence[bool],
    ) -> None:
        self._from, self._weight, self._scale = hidden, weight, scale
        self._hidden = torch.empty_like(hidden) if needed[0] else None
        self._of_weight = torch.zeros_like(weight) if needed[1] else None
        self._of_bias = torch.zeros_like(bias) if bias is not None and needed[2] else None

    def add(self, block: slice, of_logits: torch.Tensor) -> None:
        """Add a block of tokens. of_logits: its gradient by the scaled logits (tokens, vocabulary)."""
        if self._hidden is not None:
            torch.mm(of_logits, self._weight, out=self._hidden[block])
        if self._of_weight is not None:
            self._of_weight.addmm_(of_logits.t(), self._from[block])
        if self._of_bias is not None:
            self._of_bias += of_logits.sum(0)

    def times(self, factor: float) -> tuple[torch.Tensor | None, ...]:
        """Return the gradients of hidden states, weight and bias, times a factor."""
        if (factor := factor * self._scale) != 1.0:
            for part in (self._hidden, self._of_weight, self._of_bias):
                if part is not None:
                    part.mul_(factor)
        return self._hidden, self._of_weight, self._of_bias
