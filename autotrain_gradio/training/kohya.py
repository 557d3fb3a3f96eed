"""Convert LoRA weights of diffusers and PEFT to the naming of kohya's sd-scripts, which other image generators load.

Names of the weights of a layer, whose module is `m` (its dots become underscores in kohya's format):

- diffusers and PEFT: `unet.m.lora_A.weight`, `unet.m.lora_B.weight`; also `text_encoder.m…`, `text_encoder_2.m…`
- earlier versions of diffusers: `unet.m.lora.down.weight`, `text_encoder.m.lora_linear_layer.down.weight`, and
  `unet.….attn1.processor.to_q_lora.down.weight` for the layer `….attn1.to_q`
- `PeftModel.save_pretrained`: `base_model.model.m.lora_A.weight`, with lora_alpha in adapter_config.json
- kohya: `lora_unet_m.lora_down.weight`, `lora_unet_m.lora_up.weight` and `lora_unet_m.alpha`; text encoders: `lora_te`,
  or `lora_te1` and `lora_te2` for SDXL. The weights are scaled by alpha / rank, and an absent alpha is the rank.

Sources: diffusers, utils/state_dict_utils.py and loaders/lora_base.py; sd-scripts, networks/lora.py; PEFT, LoraConfig.
"""

from __future__ import annotations

import json
import math
import os
import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, deserialize

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.text_format import join_examples, pluralize

WEIGHT = re.compile(
    r"(?P<module>.+)\.(?P<part>lora_A|lora_B|lora\.down|lora\.up|lora_linear_layer\.down|lora_linear_layer\.up)"
    r"(?:\.[^.]+)?\.weight"
)
"""Name of a weight; PEFT may put the name of the adapter before `.weight`."""
EARLIER_WEIGHT = re.compile(r"(?P<block>.+)\.(?P<layer>to_q|to_k|to_v|to_out)_lora\.(?P<part>down|up)\.weight")
ALPHA = re.compile(r"(?P<module>.+)\.alpha")
DOWN = {"lora_A", "lora.down", "lora_linear_layer.down", "down"}
EARLIER_LAYERS = {
    "unet": {"to_q": "to_q", "to_k": "to_k", "to_v": "to_v", "to_out": "to_out.0"},
    "text": {"to_q": "q_proj", "to_k": "k_proj", "to_v": "v_proj", "to_out": "out_proj"},
}
"""Layers of the names of earlier versions of diffusers → layers of the model."""
UNET_MODULES = frozenset(
    {"down_blocks", "mid_block", "up_blocks", "conv_in", "conv_out", "time_embedding", "add_embedding"}
)
TEXT_MODULES = frozenset({"text_model", "text_projection"})
COMPONENTS = ("unet", "text_encoder", "text_encoder_2")
PEFT_PREFIX = "base_model.model."
METADATA = "lora_adapter_metadata"
"""Key of the metadata in which diffusers stores the settings of PEFT, as `unet.lora_alpha`."""
FILES = ("pytorch_lora_weights.safetensors", "adapter_model.safetensors")
"""Files of a folder that diffusers, and PEFT, has saved."""
SDXL_CONTEXT = 2048
"""Width of the text embeddings of SDXL: the inputs of `attn2.to_k` and `attn2.to_v`."""
WHERE_FROM, WHERE_TO = "--input-path", "--output-path"


@dataclass
class Layer:
    """The LoRA weights of one layer. down: (rank, …), up: (…, rank), as safetensors describes tensors."""

    component: str
    module: str
    down: dict[str, Any] = field(default_factory=dict)
    up: dict[str, Any] = field(default_factory=dict)
    alpha: float | None = None

    @property
    def rank(self) -> int:
        """The rank of the layer."""
        return int(self.down["shape"][0])


@dataclass(frozen=True)
class Converted:
    """Result of a conversion. layers: component → number of its layers. assumed: layers whose alpha is their rank."""

    file: Path
    layers: dict[str, int]
    sdxl: bool
    assumed: int


def convert(source: Path, target: Path) -> Converted:
    """Convert a file, or the folder that diffusers or PEFT has saved, and write a new safetensors file.

    Weights keep their dtype and their bytes. Alphas are those of the file, its metadata or the adapter_config.json
    beside it; else the rank, as diffusers assumes.

    Raises:
        DataError: it is not a safetensors file, or has no LoRA weights of a UNet or its text encoders, or other keys
            too, which are named; or the target exists.
    """
    if target.suffix != ".safetensors":
        raise DataError(
            f"'{target.name}' is not the name of a safetensors file.", "End it with .safetensors.", WHERE_TO
        )
    if target.exists():
        raise DataError(f"The file '{target}' exists.", "Name another one.", WHERE_TO, "target-exists")
    if not target.parent.is_dir():
        raise DataError(f"The folder '{target.parent}' does not exist.", "Create it first.", WHERE_TO, "no-folder")
    file = _weights_file(source)
    tensors, metadata = _read(file)
    layers = _layers(tensors, file.name)
    settings = _settings(metadata, file)
    assumed = sum(_set_alpha(layer, settings.get(layer.component, {})) for layer in layers)
    sdxl = _is_sdxl(layers)
    names = {id(layer): f"{_prefix(layer.component, sdxl)}_{layer.module.replace('.', '_')}" for layer in layers}
    # Alphas first: the data of float32 begins at a multiple of 4 bytes.
    converted: dict[str, Mapping[str, Any]] = {
        f"{names[id(layer)]}.alpha": {"dtype": "F32", "shape": [], "data": struct.pack("<f", layer.alpha)}
        for layer in layers
    }
    for layer in layers:
        converted[f"{names[id(layer)]}.lora_down.weight"] = layer.down
        converted[f"{names[id(layer)]}.lora_up.weight"] = layer.up
    _write(target, converted, _network_metadata(layers, sdxl))
    counts = {c: n for c in COMPONENTS if (n := sum(layer.component == c for layer in layers))}
    return Converted(target, counts, sdxl, assumed)


def _weights_file(source: Path) -> Path:
    if source.is_dir():
        found = [source / name for name in FILES if (source / name).is_file()]
        if not found:
            message = f"The folder '{source}' contains no LoRA weights: neither {' nor '.join(FILES)}."
            raise DataError(message, "Name the safetensors file.", WHERE_FROM, "no-lora")
        return found[0]
    if not source.is_file():
        raise DataError(f"The file '{source}' does not exist.", "Check the path.", WHERE_FROM, "no-file")
    return source


def _read(file: Path) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Return name → `{dtype, shape, data}` of each tensor, and the metadata."""
    content = file.read_bytes()
    try:
        tensors = dict(deserialize(content))
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    except (SafetensorError, ValueError) as error:
        message = f"'{file.name}' is not a valid safetensors file: {str(error)[:200]}."
        hint = "Files of other formats, such as .bin, .pt and .ckpt, are pickled: save them as safetensors first."
        raise DataError(message, hint, WHERE_FROM, "not-safetensors") from None
    return tensors, header.get("__metadata__") or {}


def _layers(tensors: Mapping[str, dict[str, Any]], file: str) -> list[Layer]:
    """Group the weights by layer.

    Raises:
        DataError: there are none, some names are unknown, or a layer lacks one of its two weights.
    """
    if any(name.startswith(("lora_unet_", "lora_te")) for name in tensors):
        raise DataError(f"'{file}' has the naming of kohya already.", "Use the file as it is.", WHERE_FROM, "is-kohya")
    layers: dict[tuple[str, str], Layer] = {}
    unknown, alphas = [], {}
    for name, tensor in sorted(tensors.items()):
        found = _place(name)
        if found is None:
            unknown.append(name)
            continue
        component, module, part = found
        if part == "alpha":
            alphas[component, module] = (name, tensor)
            continue
        layer = layers.setdefault((component, module), Layer(component, module))
        setattr(layer, part, tensor)
    unknown += [name for place, (name, _) in alphas.items() if place not in layers]
    if not layers:
        shown = f" It has {pluralize(len(tensors), 'tensor')}: {join_examples(unknown)}." if unknown else ""
        message = f"'{file}' has no LoRA weights of a UNet or its text encoders.{shown}"
        raise DataError(message, _hint_for(unknown), WHERE_FROM, "no-lora")
    if unknown:
        message = f"'{file}' has {pluralize(len(unknown), 'key')} of unknown meaning: {join_examples(unknown)}."
        raise DataError(message, _hint_for(unknown), WHERE_FROM, "unknown-keys")
    for place, (name, tensor) in alphas.items():
        layers[place].alpha = _number(name, tensor)
    for layer in layers.values():
        _require_complete(layer, file)
    return list(layers.values())


def _place(name: str) -> tuple[str, str, str] | None:
    """Return component, module, and `down`, `up` or `alpha` of a key; None: unknown."""
    earlier = EARLIER_WEIGHT.fullmatch(name)
    found = earlier or WEIGHT.fullmatch(name) or ALPHA.fullmatch(name)
    if found is None:
        return None
    part = found.groupdict().get("part", "alpha")
    path = (found["block"] if earlier else found["module"]).replace(".processor", "").removeprefix(PEFT_PREFIX)
    component, _, module = path.partition(".")
    if component not in COMPONENTS:
        roots = {**dict.fromkeys(UNET_MODULES, "unet"), **dict.fromkeys(TEXT_MODULES, "text_encoder")}
        if component not in roots:
            return None
        component, module = roots[component], path
    if earlier:
        module += "." + EARLIER_LAYERS["unet" if component == "unet" else "text"][earlier["layer"]]
    return component, module, part if part == "alpha" else "down" if part in DOWN else "up"


def _hint_for(names: Iterable[str]) -> str:
    names = list(names)
    if any("magnitude" in name for name in names):
        return "Weights of DoRA cannot be converted. Train with plain LoRA, or merge the adapter into its model."
    if any(name.startswith(("transformer.", "base_model.model.transformer_blocks")) for name in names):
        return "LoRA of diffusion transformers, such as FLUX and SD3, has another layout in kohya's format."
    return "Only LoRA weights of Stable Diffusion and SDXL, as diffusers or PEFT saves them, can be converted."


def _require_complete(layer: Layer, file: str) -> None:
    name = f"{layer.component}.{layer.module}"
    if not layer.down or not layer.up:
        missing = "lora_B" if layer.down else "lora_A"
        message = f"'{file}' is incomplete: the layer '{name}' has no {missing}."
        raise DataError(message, "Save the LoRA weights again.", WHERE_FROM, "lora-incomplete")
    down, up = layer.down["shape"], layer.up["shape"]
    if len(down) < 2 or len(up) < 2 or down[0] != up[1] or not down[0]:
        message = f"The two weights of the layer '{name}' do not match: their shapes are {list(down)} and {list(up)}."
        raise DataError(message, "Save the LoRA weights again.", WHERE_FROM, "lora-incomplete")


def _number(name: str, tensor: Mapping[str, Any]) -> float:
    """Return the value of an alpha: one number, of any dtype that is common for it."""
    data = bytes(tensor["data"])
    if math.prod(tensor["shape"]) == 1:
        formats = {"F64": "<d", "F32": "<f", "F16": "<e", "I64": "<q", "I32": "<i"}
        if tensor["dtype"] == "BF16":  # the upper half of a float32
            return float(struct.unpack("<f", b"\0\0" + data)[0])
        if tensor["dtype"] in formats:
            return float(struct.unpack(formats[tensor["dtype"]], data)[0])
    message = f"'{name}' is not a number: its dtype is {tensor['dtype']}, its shape {list(tensor['shape'])}."
    raise DataError(message, "Save the LoRA weights again.", WHERE_FROM, "bad-alpha")


def _settings(metadata: Mapping[str, str], file: Path) -> dict[str, dict[str, Any]]:
    """Return component → settings of PEFT: of the metadata of diffusers, or of adapter_config.json beside the file."""
    beside = file.with_name("adapter_config.json")
    try:
        packed = json.loads(metadata.get(METADATA, "{}"))
        config = json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}
        if not isinstance(packed, dict) or not isinstance(config, dict):
            raise ValueError("it is not a JSON object")
    except ValueError as error:
        message = f"The settings of the adapter '{file.name}' are damaged: {error}."
        raise DataError(message, f"See {beside.name}, or save it again.", WHERE_FROM, "bad-alpha") from None
    found = {component: dict(config) for component in COMPONENTS}
    for key, value in packed.items():
        component, _, name = str(key).partition(".")
        if component in found:
            found[component][name] = value
    return found


def _set_alpha(layer: Layer, settings: Mapping[str, Any]) -> bool:
    """Set alpha, so that alpha / rank is PEFT's scale; return whether it is an assumption."""
    if layer.alpha is not None:
        return False
    value = settings.get("lora_alpha")
    for pattern, other in (settings.get("alpha_pattern") or {}).items():
        if layer.module == pattern or layer.module.endswith("." + pattern) or _matches(pattern, layer.module):
            value = other
            break
    if not isinstance(value, int | float) or isinstance(value, bool):
        layer.alpha = float(layer.rank)
        return True
    # With rsLoRA the scale is alpha / √rank.
    layer.alpha = float(value) * (math.sqrt(layer.rank) if settings.get("use_rslora") else 1.0)
    return False


def _matches(pattern: str, module: str) -> bool:
    try:
        return re.match(rf"(.*\.)?({pattern})$", module) is not None
    except re.error as error:
        message = f"The pattern '{pattern}' of alpha_pattern is not a regular expression: {error}."
        raise DataError(message, "Correct it in the settings of the adapter.", WHERE_FROM, "bad-alpha") from None


def _is_sdxl(layers: Iterable[Layer]) -> bool:
    """Whether the model is SDXL: a second text encoder, several transformer blocks in a row, or its text embeddings."""
    for layer in layers:
        if layer.component == "text_encoder_2" or re.search(r"transformer_blocks\.[1-9]", layer.module):
            return True
        if layer.module.endswith(("attn2.to_k", "attn2.to_v")) and layer.down["shape"][1] == SDXL_CONTEXT:
            return True
    return False


def _prefix(component: str, sdxl: bool) -> str:
    first = "lora_te1" if sdxl else "lora_te"
    return {"unet": "lora_unet", "text_encoder": first, "text_encoder_2": "lora_te2"}[component]


def _network_metadata(layers: Iterable[Layer], sdxl: bool) -> dict[str, str]:
    """Return the metadata that sd-scripts writes: module, rank and alpha of the network."""
    ranks, alphas = {layer.rank for layer in layers}, {layer.alpha for layer in layers}
    found = {
        "format": "pt",
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(ranks.pop()) if len(ranks) == 1 else "Dynamic",
        "ss_network_alpha": f"{alphas.pop():g}" if len(alphas) == 1 else "Dynamic",
    }
    return {**found, "ss_base_model_version": "sdxl_base_v1-0"} if sdxl else found


def _write(target: Path, tensors: Mapping[str, Mapping[str, Any]], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file: size and JSON of the header, padded to 8 bytes, then the data of the tensors."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    end = 0
    for name, tensor in tensors.items():
        begin, end = end, end + len(tensor["data"])
        header[name] = {"dtype": tensor["dtype"], "shape": list(tensor["shape"]), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    partial = target.with_name(f".{target.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            for tensor in tensors.values():
                file.write(tensor["data"])
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
