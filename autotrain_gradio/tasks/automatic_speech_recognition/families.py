"""The three families of speech recognition models, and the family of a model by its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CTC_MAPPING_NAMES,
    MODEL_FOR_RNNT_MAPPING_NAMES,
    MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES,
    MODEL_FOR_TDT_MAPPING_NAMES,
)
from transformers.utils import is_torchaudio_available

from autotrain_gradio.core.errors import MissingExtra
from autotrain_gradio.training import pretrained

Family = Literal["ctc", "seq2seq", "transducer"]
WHAT = "automatic speech recognition"
SEQ2SEQ = frozenset({"whisper", "moonshine"})
"""Supported encoder–decoder types. Others need a model-specific prompt in the labels."""
ENCODERS = {"parakeet_encoder": "parakeet_ctc", "lasr_encoder": "lasr_ctc"}
"""Types of encoders without a CTC head → the complete model type."""
MAPPINGS: dict[str, Mapping[str, str]] = {
    "ctc": MODEL_FOR_CTC_MAPPING_NAMES,
    "seq2seq": MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES,
    "transducer": {**MODEL_FOR_RNNT_MAPPING_NAMES, **MODEL_FOR_TDT_MAPPING_NAMES},
}
TITLES = {"ctc": "CTC", "seq2seq": "encoder–decoder", "transducer": "transducer"}


def family_of(config: Mapping[str, Any], model: str) -> Family:
    """Return the family of a model by the type in its `config.json`.

    Raises:
        ModelError: `model-wrong-task`: the type is not supported.
        MissingExtra: its loss needs a package that is not installed.
    """
    kind = str(config.get("model_type") or "")
    if kind in ENCODERS:
        message = f"'{model}' is only an encoder, without a CTC head."
        hint = f"Choose a model of type {ENCODERS[kind]}."
        raise pretrained.ModelError(message, hint, pretrained.WHERE, "model-wrong-task")
    known = {kind: name for mapping in MAPPINGS.values() for kind, name in mapping.items()}
    pretrained.require_type(config, model, known, WHAT)
    if kind in MAPPINGS["ctc"]:
        return "ctc"
    if kind in MAPPINGS["transducer"]:
        if kind in MODEL_FOR_RNNT_MAPPING_NAMES and not is_torchaudio_available():
            message = f"'{model}' is an RNN transducer, whose loss is computed by torchaudio; it is not installed."
            raise MissingExtra(message, "pip install torchaudio", pretrained.WHERE, "missing-extra")
        return "transducer"
    if kind not in SEQ2SEQ:
        message = (
            f"'{model}' (type '{kind}') needs a model-specific prompt, which is not supported: "
            f"the supported encoder–decoder types are {' and '.join(sorted(SEQ2SEQ))}."
        )
        hint = "Choose one of the suggested models."
        raise pretrained.ModelError(message, hint, pretrained.WHERE, "model-wrong-task")
    return "seq2seq"
