"""Estimates of the memory of language models, and advice on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, LlamaConfig, LlamaForCausalLM

from autotrain_gradio.tasks.llm_grpo import GrpoParams
from autotrain_gradio.tasks.llm_sft import LlmSftParams
from autotrain_gradio.tasks.registry import resolve
from autotrain_gradio.training import activation_trace, language_memory, language_models
from autotrain_gradio.training.language_memory import LIBRARIES, PLAIN, Machine, Workload, advise, estimate
from autotrain_gradio.training.language_probe import probe

LLAMA = LlamaConfig(
    vocab_size=500,
    hidden_size=64,
    intermediate_size=160,
    num_hidden_layers=3,
    num_attention_heads=4,
    num_key_value_heads=2,
)
ROWS, LENGTH = 3, 48


def with_memory(gigabytes: float, *, gpu: bool = False) -> Machine:
    return Machine(LIBRARIES + int(gigabytes * 2**30), "a test", gpu)


def kept_floats(config: Any, adapters: LlmSftParams | None, *, masked: bool) -> float:
    """Compute a batch on the CPU, and return the number of floats that are kept for the backward pass."""
    model = LlamaForCausalLM(config).train()
    if adapters is not None:
        names = {"task_type": "CAUSAL_LM", "modules_to_save": (), "use_dora": False, "use_rslora": False}
        model = activation_trace.lora.adapt(model, adapters, **names)
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    found: dict[int, Any] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        found[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    mask = torch.ones((ROWS, LENGTH), dtype=torch.long)
    mask[0, -5:] = 0 if masked else 1
    body = (model.get_base_model() if adapters else model).model
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        body(input_ids=torch.zeros_like(mask), attention_mask=mask, use_cache=False)
    return sum(t.untyped_storage().nbytes() for place, t in found.items() if place not in own) / 4


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("peft", [True, False])
def test_the_trace_counts_what_autograd_keeps(peft: bool, masked: bool) -> None:
    params = LlmSftParams(peft=peft, lora_r=4)
    traced = activation_trace.trace(LLAMA, params, masked=masked, gpu=False)
    assert traced is not None
    assert traced.floats(ROWS, LENGTH) == pytest.approx(
        kept_floats(LLAMA, params if peft else None, masked=masked), rel=0.02
    )
    if peft:
        assert traced.trainable == 3 * 4 * (2 * 64 + 2 * (64 + 32) + 2 * 64 + 3 * (64 + 160))


def test_the_type_of_the_configuration_does_not_matter_since_float32_is_trained() -> None:
    saved = LlamaConfig(**{**LLAMA.to_dict(), "dtype": "bfloat16"})
    traced = [activation_trace.trace(c, LlmSftParams(), masked=True, gpu=False) for c in (LLAMA, saved)]
    assert traced[0] is not None and traced[0] == traced[1]


def test_other_architectures_are_traced_or_assumed_to_be_like_a_llama() -> None:
    params = LlmSftParams(batch_size=2)
    sizes = {"vocab_size": 500, "hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4}
    padded = AutoConfig.for_model("gpt2", **sizes, pad_token_id=0)
    gpt2 = activation_trace.trace(padded, params, masked=True, gpu=False)
    llama = activation_trace.trace(LlamaConfig(**sizes, intermediate_size=256), params, masked=True, gpu=False)
    assert gpt2 is not None and llama is not None and gpt2.floats(2, 64) > 1.5 * llama.floats(2, 64)
    experts = AutoConfig.for_model("mixtral", **sizes, intermediate_size=256, num_local_experts=4)
    assert activation_trace.trace(experts, params, masked=True, gpu=False) is None
    assumed, known = (
        estimate(config, 10**6, params, 64, machine=with_memory(1)).phases["a step"]["activations"]
        for config in (experts, LlamaConfig(**sizes, intermediate_size=256))
    )
    assert assumed == pytest.approx(known, rel=0.1)


@pytest.mark.parametrize(
    ("gigabytes", "batch", "length", "expected"),
    [
        (0.15, 8, 2048, "Set batch_size to 1, gradient_accumulation to 8."),
        (2, 1, 131_072, "Set gradient_checkpointing to true."),
        (0.1, 1, 131_072, "Set model_max_length to 2048."),
        (0.001, 1, 512, "No setting makes it fit"),
    ],
)
def test_the_advice_names_parameters_and_values(gigabytes: float, batch: int, length: int, expected: str) -> None:
    params, machine = LlmSftParams(batch_size=batch, model_max_length=length), with_memory(gigabytes)
    config = language_models.tiny_config(2000)
    assert estimate(config, 700_000, params, length, machine=machine).finding().level == "warning"
    assert expected in advise(config, 700_000, params, length, machine=machine)


def test_the_advice_names_no_parameter_without_an_effect() -> None:
    """The length of rows is that of `model_max_length` with other tasks; GRPO has limits of its own."""
    config = language_models.tiny_config(2000)
    for given in (GrpoParams(), GrpoParams(block_size=1024, model_max_length=131_072)):
        found = advise(config, 700_000, given, 131_072, machine=with_memory(0.1))
        assert found == "No setting makes it fit: choose a smaller model."


def test_each_phase_of_a_training_counts() -> None:
    config, size = language_models.tiny_config(2000), 100_000_000
    params, machine = LlmSftParams(batch_size=1), with_memory(64)

    def sized(work: Workload = PLAIN, **changes: Any) -> Any:
        return estimate(config, size, params.model_copy(update=changes), 64, work, machine)

    plain = sized()
    assert plain.phase == "a step" and plain.parts["optimizer"] == 2 * plain.parts["weights"] == 8 * size
    assert sized(Workload(copies=1)).parts["other models"] == 4 * size
    assert sized(Workload(reference=10 * size)).phase == "reference model"
    assert sized(Workload(generated=1_000_000)).phase == "generation"
    assert sized(Workload(output_layer=False)).total < plain.total
    adapted = sized(peft=True)
    assert adapted.phase == "saving" and adapted.parts["saved model"] == 4 * size
    quantized = sized(peft=True, quantization="int4")
    assert quantized.total == pytest.approx(adapted.total, rel=0.01), "the merge needs the whole weights"
    kept = sized(peft=True, quantization="int4", merge_adapter=False)
    assert kept.parts["weights"] < adapted.parts["weights"] / 5


def test_a_long_context_on_a_small_machine_is_a_warning_of_the_probe(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = language_models.tiny_model(tmp_path, texts=["What does red mean?"])
    for name, key in (("config.json", "max_position_embeddings"), ("tokenizer_config.json", "model_max_length")):
        settings = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps({**settings, key: 131_072}))
    monkeypatch.setattr(language_memory, "total_memory", lambda: 2**30)
    monkeypatch.setattr(language_memory.torch.cuda, "is_available", lambda: False)
    params = {"batch_size": 4, "model_max_length": 131_072}
    made = resolve({"task": "llm-sft", "model": str(folder), "params": params})
    facts = probe(made.spec, made.params, {})
    assert facts["input_size"] == {"tokens": 131_072}
    (found,) = (f for f in facts["findings"] if f["code"] == "memory-short")
    assert found["level"] == "warning" and "more than the 1.0 GiB of this machine" in found["message"]
    assert found["hint"].startswith("Set ") and "model_max_length" in found["hint"]
