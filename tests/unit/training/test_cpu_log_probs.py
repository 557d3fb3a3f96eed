"""Log-probabilities on a CPU: those of TRL and of a plain softmax, with their gradients, for fewer multiplications."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import pytest
import torch
import trl
from transformers import LlamaConfig, LlamaForCausalLM
from trl.trainer import utils

from autotrain_gradio.training import cpu_log_probs

OUTPUTS = ("log_probs", "entropy", "mean_logits", "is_top1")
TOKENS, HIDDEN, VOCABULARY = 300, 16, 70


@pytest.fixture(autouse=True)
def originals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo an installation by the training of another test in this process."""
    for name, value in cpu_log_probs.originals().items():
        monkeypatch.setattr(utils, name, value)
    monkeypatch.setattr(cpu_log_probs, "_originals", {})


@pytest.fixture
def installed(originals: None) -> None:
    cpu_log_probs.install()


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_log_probs, "MOST_TOKENS", 128)  # three blocks, the last one of another size


def tensors(bias: bool) -> tuple[Any, ...]:
    torch.manual_seed(0)
    hidden, weight = torch.randn(TOKENS, HIDDEN), torch.randn(VOCABULARY, HIDDEN)
    given = (hidden, weight, torch.randn(VOCABULARY) if bias else None)
    return (*(t.requires_grad_() if t is not None else None for t in given), torch.randint(0, VOCABULARY, (TOKENS,)))


def expected(hidden: Any, weight: Any, bias: Any, targets: Any, scale: float) -> dict[str, torch.Tensor]:
    logits = torch.nn.functional.linear(hidden, weight, bias) * scale
    logs = logits.log_softmax(-1)
    return {
        "log_probs": logs.gather(-1, targets[:, None])[:, 0],
        "entropy": -(logs.exp() * logs).sum(-1),
        "mean_logits": logits.mean(-1),
        "is_top1": logits.argmax(-1) == targets,
    }


def computed(given: Sequence[Any], temperature: float, logit_scale: float) -> dict[str, torch.Tensor]:
    found = utils._ChunkedLogProbFunction.apply(*given, temperature, 32768, None, logit_scale, OUTPUTS)
    return dict(zip(("log_probs", "entropy", "log_sum_sq_probs", "mean_logits", "is_top1"), found, strict=True))


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("loss", ["equal weights", "unequal weights", "entropy"])
@pytest.mark.parametrize("hint", [False, True])
def test_values_and_gradients_are_those_of_a_softmax(installed: None, bias: bool, loss: str, hint: bool) -> None:
    given, same = tensors(bias), tensors(bias)

    def backward(found: dict[str, torch.Tensor]) -> None:
        weights = torch.full((TOKENS,), -0.3) if loss == "equal weights" else torch.linspace(-1, 2, TOKENS)
        value = (found["log_probs"] * weights).sum()
        value = value + 0.5 * (found["entropy"] * weights).sum() if loss == "entropy" else value
        value.backward(retain_graph=True)
        value.backward()

    if hint:
        with cpu_log_probs.equal_weights():
            ours = computed(given, 0.7, 1.3)
    else:
        ours = computed(given, 0.7, 1.3)
    theirs = expected(*same, 1.3 / 0.7)
    for name in OUTPUTS:
        torch.testing.assert_close(ours[name], theirs[name])
    assert ours["log_sum_sq_probs"] is None
    backward(ours)
    backward(theirs)
    for one, other in zip(given[:3], same[:3], strict=True):
        if one is not None:
            torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("frozen", [0, 1])
def test_only_needed_gradients_are_computed(installed: None, frozen: int) -> None:
    given = tensors(bias=False)
    given[frozen].requires_grad_(False)
    with cpu_log_probs.equal_weights():
        computed(given, 1.0, 1.0)["log_probs"].sum().backward()
    assert given[frozen].grad is None and given[1 - frozen].grad is not None


def model_of(softcap: float | None = None) -> Any:
    torch.manual_seed(0)
    sizes = {"hidden_size": HIDDEN, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=VOCABULARY, tie_word_embeddings=True, **sizes))
    model.config.final_logit_softcapping = softcap
    utils.add_fused_lm_head(model, outputs=OUTPUTS)
    return model


def fused(model: Any, ids: torch.Tensor, labels: torch.Tensor) -> tuple[Any, torch.Tensor]:
    model.zero_grad()
    found = model(input_ids=ids, labels=labels, fused_lm_head=True)
    found.loss.backward()
    return found, model.get_input_embeddings().weight.grad.clone()


@pytest.mark.parametrize("softcap", [None, 5.0])  # capped logits are left to TRL
def test_a_fused_model_gives_the_loss_and_gradients_of_trl(
    softcap: float | None, request: pytest.FixtureRequest
) -> None:
    ids = torch.randint(0, VOCABULARY, (3, 9))
    labels = ids.clone()
    labels[0, :6] = labels[1] = -100
    theirs, their_gradient = fused(model_of(softcap), ids, labels)
    request.getfixturevalue("installed")
    with cpu_log_probs.equal_weights():
        ours, gradient = fused(model_of(softcap), ids, labels)
    assert ours.loss.item() == pytest.approx(theirs.loss.item(), rel=1e-6)
    for name in OUTPUTS:
        torch.testing.assert_close(getattr(ours, name), getattr(theirs, name))
    torch.testing.assert_close(gradient, their_gradient)
    nothing, gradient = fused(model_of(softcap), ids, torch.full_like(ids, -100))
    assert nothing.loss.item() == 0 and not gradient.any()


def test_only_positions_with_a_label_are_multiplied(installed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    counts, blocks = [], cpu_log_probs._blocks

    def counted(hidden: torch.Tensor, *others: Any) -> Any:
        counts.append(len(hidden))
        return blocks(hidden, *others)

    monkeypatch.setattr(cpu_log_probs, "_blocks", counted)
    ids = torch.randint(0, VOCABULARY, (2, 8))
    labels = ids.clone()
    labels[:, :5] = -100
    with cpu_log_probs.equal_weights():
        fused(model_of(), ids, labels)
    assert counts == [6]  # once: the gradients are computed with the values
    fused(model_of(), ids, labels)
    assert counts == [6, 6, 6]


def test_the_private_members_of_trl_are_as_expected() -> None:
    assert trl.__version__.startswith(cpu_log_probs.VERSION)
    parameters = list(inspect.signature(utils._ChunkedLogProbFunction.forward).parameters)
    names = ["hidden", "weight", "bias", "targets", "temperature", "chunk_size", "final_logit_softcapping"]
    assert parameters == ["ctx", *names, "logit_scale", "outputs"]
    source = inspect.getsource(utils.add_fused_lm_head)
    assert "compact = _use_triton(hidden_states.device)" in source
    assert "log_probs, entropy, log_sum_sq_probs, mean_logits, is_top1 = per_token" in source
