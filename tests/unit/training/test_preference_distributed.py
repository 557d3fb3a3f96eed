"""Preferences trained by two processes: the losses, metrics and reference of one process with twice the batch size."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from autotrain_gradio.tasks.registry import registry
from autotrain_gradio.training import language_models
from tests.preferences import change_weights, judged, pairs, preference_trial
from tests.unit.tasks.llm_sft.test_distributed import losses, train_by_two

__all__ = ["preference_trial"]


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("llm-dpo", {"model_ref": "other"}),
        pytest.param("llm-dpo", {"peft": True}, marks=pytest.mark.long),
        pytest.param("llm-orpo", {}, marks=pytest.mark.long),
        pytest.param("llm-kto", {"model_ref": "other"}, marks=pytest.mark.long),
        pytest.param("llm-reward", {}, marks=pytest.mark.long),
    ],
)
def test_two_processes_train_and_evaluate_each_row_once(
    preference_trial: Callable[..., Any], tmp_path: Path, name: str, params: dict[str, Any]
) -> None:
    assert "distributed" in registry().get(name).can
    rows_of = judged if name == "llm-kto" else pairs
    texts = [str(value) for row in rows_of(32) for value in row.values()]
    folder = str(language_models.tiny_model(tmp_path / "model", texts=texts))
    if "model_ref" in params:  # rewards are 0 where the model is its own reference
        reference = AutoModelForCausalLM.from_pretrained(folder)
        change_weights(reference)
        reference.save_pretrained(tmp_path / "other")
        AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path / "other")
        params = {**params, "model_ref": str(tmp_path / "other")}
    settings = {"rows_of": rows_of, "model": folder, "logging_steps": 1, "lr": 1e-12, **params}
    two = preference_trial(name, run="two", batch_size=4, **settings)
    train_by_two(two)
    one = preference_trial(name, run="one", batch_size=8, **settings)
    import_module(f"autotrain_gradio.tasks.{name.replace('-', '_')}.train").train(one.reporter())
    assert len(losses(two)) == len(losses(one)) == 4
    result, wanted = (made.events("result")[-1]["values"] for made in (two, one))
    # The head of a reward model is new and the same in both; lr 1e-12 changes nothing.
    assert result == pytest.approx(wanted, rel=1e-3, abs=1e-5)
    for stored in (one.directory / "checkpoints").glob("reference_*.npy"):
        np.testing.assert_allclose(np.load(two.directory / "checkpoints" / stored.name), np.load(stored), rtol=1e-4)
    assert len(two.events("checkpoint")) == 1 and (two.directory / "model" / "config.json").is_file()
