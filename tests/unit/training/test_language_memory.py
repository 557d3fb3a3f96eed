"""Advice on the memory of language models."""

from __future__ import annotations

import pytest

from autotrain_gradio.tasks.llm_grpo import GrpoParams
from autotrain_gradio.tasks.llm_sft import LlmSftParams
from autotrain_gradio.training import language_memory, language_models
from autotrain_gradio.training.language_memory import advise, estimate


@pytest.mark.parametrize(
    ("gigabytes", "batch", "length", "expected"),
    [
        (0.3, 8, 4096, "Set batch_size to 1, gradient_accumulation to 8."),
        (2, 1, 131_072, "Set gradient_checkpointing to true."),
        (0.25, 1, 131_072, "Set model_max_length to 8192."),
        (0.001, 1, 512, "No setting makes it fit"),
    ],
)
def test_the_advice_names_parameters_and_values(
    monkeypatch: pytest.MonkeyPatch, gigabytes: float, batch: int, length: int, expected: str
) -> None:
    monkeypatch.setattr(language_memory.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(language_memory, "total_memory", lambda: int(gigabytes * 2**30))
    params = LlmSftParams(batch_size=batch, model_max_length=length)
    config = language_models.tiny_config(2000)
    assert estimate(config, 700_000, params, length).finding().level == "warning"
    assert expected in advise(config, 700_000, params, length)


def test_the_advice_names_no_parameter_without_an_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    """The length of rows is that of `model_max_length` with other tasks; GRPO has limits of its own."""
    monkeypatch.setattr(language_memory.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(language_memory, "total_memory", lambda: 2**28)
    config = language_models.tiny_config(2000)
    for given in (GrpoParams(), GrpoParams(block_size=1024, model_max_length=131_072)):
        assert advise(config, 700_000, given, 131_072) == "No setting makes it fit: choose a smaller model."
