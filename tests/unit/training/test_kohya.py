"""LoRA weights of diffusers and PEFT in kohya's naming."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.training import kohya

RANK = 4
Q, K, OUT = (
    f"down_blocks.1.attentions.0.transformer_blocks.0.{n}" for n in ("attn1.to_q", "attn2.to_k", "attn1.to_out.0")
)
TEXT = "text_model.encoder.layers.0.self_attn.q_proj"


def pair(name: str, down: str = "lora_A", up: str = "lora_B", *, inputs: int = 8) -> dict[str, torch.Tensor]:
    """Return the two weights of a layer, in bfloat16, which numpy does not have."""
    generator = torch.Generator().manual_seed(len(name))
    a, b = (torch.randn(*shape, generator=generator).bfloat16() for shape in ((RANK, inputs), (6, RANK)))
    return {f"{name}.{down}.weight": a, f"{name}.{up}.weight": b}


def convert(
    folder: Path, tensors: Mapping[str, torch.Tensor], **metadata: str
) -> tuple[kohya.Converted, dict[str, torch.Tensor]]:
    """Save the weights, convert the file, and return the result with what was written."""
    save_file(dict(tensors), folder / "lora.safetensors", metadata or None)
    done = kohya.convert(folder / "lora.safetensors", folder / "kohya.safetensors")
    return done, load_file(done.file)


def test_the_unet_and_both_text_encoders_of_sdxl_keep_their_weights(tmp_path: Path) -> None:
    given = {**pair(f"unet.{Q}"), **pair(f"text_encoder.{TEXT}"), **pair(f"text_encoder_2.{TEXT}")}
    done, written = convert(tmp_path, given)
    assert done.layers == {"unet": 1, "text_encoder": 1, "text_encoder_2": 1} and done.sdxl
    unet = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q"
    texts = [f"lora_te{n}_text_model_encoder_layers_0_self_attn_q_proj" for n in (1, 2)]
    assert set(written) == {f"{m}.{n}" for m in (unet, *texts) for n in ("lora_down.weight", "lora_up.weight", "alpha")}
    assert torch.equal(written[f"{texts[1]}.lora_down.weight"], given[f"text_encoder_2.{TEXT}.lora_A.weight"])
    assert written[f"{unet}.lora_up.weight"].dtype is torch.bfloat16
    assert written[f"{unet}.alpha"].item() == RANK and done.assumed == 3
    with safe_open(done.file, "pt") as file:
        assert file.metadata()["ss_network_dim"] == "4" and file.metadata()["ss_base_model_version"].startswith("sdxl")


def test_the_text_encoder_of_stable_diffusion_1_has_no_number(tmp_path: Path) -> None:
    done, written = convert(tmp_path, {**pair(f"unet.{K}", inputs=768), **pair(f"text_encoder.{TEXT}")})
    assert not done.sdxl and {n.split("_text")[0] for n in written if "te_" in n} == {"lora_te"}


@pytest.mark.parametrize("tensors", [pair(f"unet.{K}", inputs=2048), pair(f"unet.{Q.replace('blocks.0', 'blocks.3')}")])
def test_sdxl_is_detected_by_its_unet(tmp_path: Path, tensors: dict[str, torch.Tensor]) -> None:
    done, written = convert(tmp_path, {**tensors, **pair(f"text_encoder.{TEXT}")})
    assert done.sdxl and any(name.startswith("lora_te1_") for name in written)


@pytest.mark.parametrize(
    ("name", "down", "up", "layer"),
    [
        (f"unet.{OUT}", "lora.down", "lora.up", "lora_unet_" + OUT.replace(".", "_")),
        (f"text_encoder.{TEXT}", "lora_linear_layer.down", "lora_linear_layer.up", "lora_te_" + TEXT.replace(".", "_")),
        (f"unet.{Q}", "lora_A.default", "lora_B.default", "lora_unet_" + Q.replace(".", "_")),
        (f"base_model.model.{Q}", "lora_A", "lora_B", "lora_unet_" + Q.replace(".", "_")),
        (f"base_model.model.{TEXT}", "lora_A", "lora_B", "lora_te_" + TEXT.replace(".", "_")),
    ],
)
def test_other_namings(tmp_path: Path, name: str, down: str, up: str, layer: str) -> None:
    _, written = convert(tmp_path, pair(name, down, up))
    assert set(written) == {f"{layer}.{n}" for n in ("lora_down.weight", "lora_up.weight", "alpha")}


def test_the_attention_processors_of_earlier_versions(tmp_path: Path) -> None:
    given = {}
    for place, layer in (
        ("mid_block.attentions.0.transformer_blocks.0.attn1.processor", "to_out"),
        (TEXT[:-7], "to_q"),
    ):
        given |= pair(place, f"{layer}_lora.down", f"{layer}_lora.up")
    _, written = convert(tmp_path, given)
    assert "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_out_0.lora_up.weight" in written
    assert "lora_te_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight" in written


def test_alphas_are_those_of_the_file_then_of_its_settings(tmp_path: Path) -> None:
    settings = {"unet.lora_alpha": 8, "unet.alpha_pattern": {"attn2.to_k": 2}, "text_encoder.lora_alpha": 16}
    given = {**pair(f"unet.{Q}"), **pair(f"unet.{K}"), **pair(f"unet.{OUT}"), **pair(f"text_encoder.{TEXT}")}
    given[f"unet.{OUT}.alpha"] = torch.tensor(3.0, dtype=torch.bfloat16)
    done, written = convert(tmp_path, given, lora_adapter_metadata=json.dumps(settings))
    alphas = {n.split("_")[-2] + n.split("_")[-1]: v.item() for n, v in written.items() if n.endswith(".alpha")}
    assert alphas == {"toq.alpha": 8, "tok.alpha": 2, "out0.alpha": 3, "qproj.alpha": 16} and done.assumed == 0


def test_the_alpha_of_a_peft_folder_and_of_rslora(tmp_path: Path) -> None:
    save_file(pair(f"base_model.model.{Q}"), tmp_path / "adapter_model.safetensors")
    (tmp_path / "adapter_config.json").write_text(json.dumps({"lora_alpha": 6, "use_rslora": True}))
    done = kohya.convert(tmp_path, tmp_path / "kohya.safetensors")
    (alpha,) = (v.item() for n, v in load_file(done.file).items() if n.endswith(".alpha"))
    assert alpha / RANK == pytest.approx(6 / RANK**0.5), "the scale of rsLoRA is alpha / √rank"


@pytest.mark.parametrize(
    ("tensors", "code", "message"),
    [
        ({"conv.weight": torch.zeros(1)}, "no-lora", "no LoRA weights.*conv.weight"),
        ({**pair(f"unet.{Q}"), "unet.norm.weight": torch.zeros(1)}, "unknown-keys", "1 key of.*unet.norm.weight"),
        ({**pair(f"unet.{Q}"), f"unet.{K}.alpha": torch.tensor(1.0)}, "unknown-keys", "attn2.to_k.alpha"),
        ({**pair(f"unet.{Q}"), f"unet.{Q}.alpha": torch.zeros(2)}, "bad-alpha", "not a number"),
        (dict(list(pair(f"unet.{Q}").items())[:1]), "lora-incomplete", "has no lora_B"),
        ({**pair(f"unet.{Q}"), f"unet.{Q}.lora_B.weight": torch.zeros(6, 5)}, "lora-incomplete", r"\[6, 5\]"),
        (pair("lora_unet_x", "lora_down", "lora_up"), "is-kohya", "already"),
        (pair("transformer.transformer_blocks.0.attn.to_q"), "no-lora", "no LoRA weights"),
        (pair("base_model.model.model.layers.0.self_attn.q_proj"), "no-lora", "no LoRA weights"),
    ],
)
def test_what_cannot_be_converted_is_named(
    tmp_path: Path, tensors: dict[str, torch.Tensor], code: str, message: str
) -> None:
    with pytest.raises(DataError, match=message) as failure:
        convert(tmp_path, tensors)
    assert failure.value.code == code and failure.value.hint
    assert not list(tmp_path.glob("*kohya*"))


def test_files_of_other_formats_and_existing_targets(tmp_path: Path) -> None:
    file = tmp_path / "lora.bin"
    file.write_bytes(b"\x80\x04pickled, of more than eight bytes")
    with pytest.raises(DataError, match="not a valid safetensors file"):
        kohya.convert(file, tmp_path / "a.safetensors")
    save_file(pair(f"unet.{Q}"), tmp_path / "b.safetensors")
    for target, code in (("b.safetensors", "target-exists"), ("no/c.safetensors", "no-folder"), ("c.pt", "")):
        with pytest.raises(DataError) as failure:
            kohya.convert(tmp_path / "b.safetensors", tmp_path / target)
        assert failure.value.code == (code or failure.value.code)
    with pytest.raises(DataError, match="contains no LoRA weights"):
        (tmp_path / "empty").mkdir()
        kohya.convert(tmp_path / "empty", tmp_path / "d.safetensors")
