"""The command `tools`, with real workers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from autotrain_gradio.cli.main import main
from autotrain_gradio.training import language_models
from tests.hub import TOKEN, serve


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    """A folder with a random adapter, and its base model beside it."""
    base = language_models.tiny_model(tmp_path / "base", texts=["What does red mean? At red you stop."])
    model = AutoModelForCausalLM.from_pretrained(base)
    config = LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear", r=4, init_lora_weights=False)
    get_peft_model(model, config).save_pretrained(tmp_path / "adapter")
    AutoTokenizer.from_pretrained(base).save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


def test_an_adapter_is_merged_saved_and_uploaded(
    adapter: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(adapter.parent)
    with serve() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        flags = ["--adapter_path", "adapter", "--output-folder", "merged", "--push-to-hub"]
        assert main(["tools", "merge-llm-adapter", *flags]) == 0
        assert hub.repositories["ana/adapter-merged"]["visibility"] == "private"
        assert {"config.json", "README.md"} <= set(hub.files) and "adapter_config.json" not in hub.files
    said = capsys.readouterr().out
    assert "adapter was merged into" in said and str(adapter.parent / "merged") in said and hub.url in said
    assert AutoModelForCausalLM.from_pretrained(adapter.parent / "merged").num_parameters() > 0


def test_a_token_that_cannot_write_is_reported_before_the_merge(
    adapter: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve() as hub:
        hub.role = "read"
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        merged = adapter.parent / "merged"
        flags = ["--adapter-path", str(adapter), "--output-folder", str(merged), "--push-to-hub"]
        assert main(["tools", "merge-llm-adapter", *flags]) == 1
    assert "no write access" in capsys.readouterr().err and not merged.exists()


@pytest.mark.parametrize("name", ["convert-to-kohya", "convert_to_kohya"])
def test_weights_are_converted(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    layer = "unet.mid_block.attentions.0.proj_in"
    save_file(
        {f"{layer}.lora_A.weight": torch.ones(2, 3), f"{layer}.lora_B.weight": torch.ones(4, 2)}, "in.safetensors"
    )
    assert main(["tools", name, "--input_path", "in.safetensors", "--output-path", "out.safetensors"]) == 0
    said = capsys.readouterr()
    assert "1 layer of the UNet; Stable Diffusion 1 or 2" in said.out and "set to the rank" in said.err
    assert load_file("out.safetensors")["lora_unet_mid_block_attentions_0_proj_in.alpha"].item() == 2
    assert main(["tools", name, "--input-path", "in.safetensors", "--output-path", "out.safetensors"]) == 1
    assert "exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tools"], "required: TOOL"),
        (["tools", "merge"], "merge-llm-adapter"),
        (["tools", "merge-llm-adapter", "--adapter-path", "x"], "Nothing would be saved"),
        (
            ["tools", "convert_to_kohya", "--input-path", "x", "--output-path", "y", "--outputpath", "z"],
            "'--output-path'",
        ),
    ],
)
def test_an_incomplete_command_is_refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert said in capsys.readouterr().err


def test_an_adapter_that_is_neither_folder_nor_run(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tools", "merge-llm-adapter", "--adapter-path", "nothing", "--output-folder", "x"]) == 1
    assert "The run 'nothing' does not exist" in capsys.readouterr().err
