"""Commands that serve a language model, in its card."""

from __future__ import annotations

import re

from autotrain_gradio.training.serving_commands import serving_section


def test_each_command_says_whether_it_was_tried() -> None:
    whole = serving_section("Kitchen", base="org/base", adapter=False)
    rows = re.findall(r"^\| ([^|]+) \| (.+) \| ([^|]+) \|$", whole, flags=re.M)[1:]
    assert [row[0] for row in rows] == ["AutoTrain Gradio", "transformers", "vLLM", "Ollama", "llama.cpp"]
    assert {row[0] for row in rows if row[2] == "tried"} == {"AutoTrain Gradio", "transformers"}
    assert all(row[2] in {"tried", "not tried"} for row in rows) and "org/base" not in whole


def test_an_adapter_is_served_on_its_base_model() -> None:
    found = serving_section("kitchen", base="org/base", adapter=True)
    assert "vllm serve org/base --enable-lora --lora-modules kitchen=./kitchen" in found
    assert "llama" not in found and "merge_adapter" in found
