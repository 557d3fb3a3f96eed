"""The three ways in which recognizers write, and which one a model's configuration says."""

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
"""Encoder–decoder types whose labels are the transcript alone. The others wrap it in a prompt of their own."""
ENCODERS = {"parakeet_encoder": "parakeet_ctc", "lasr_encoder": "lasr_ctc"}
"""Types that are only the half of a recognizer, and what they are a half of."""
MAPPINGS: dict[str, Mapping[str, str]] = {
    "ctc": MODEL_FOR_CTC_MAPPING_NAMES,
    "seq2seq": MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES,
    "transducer": {**MODEL_FOR_RNNT_MAPPING_NAMES, **MODEL_FOR_TDT_MAPPING_NAMES},
}
TITLES = {"ctc": "CTC", "seq2seq": "encoder and decoder", "transducer": "transducer"}


def family_of(config: Mapping[str, Any], model: str) -> Family:
    """Return the family of a model by the type that its `config.json` names.

    Raises:
        ModelError: `model-wrong-task`: it is none, or one whose training is not done here.
        MissingExtra: its loss needs a package that is not installed.
    """
    kind = str(config.get("model_type") or "")
    if kind in ENCODERS:
        message = f"'{model}' is only the encoder of a recognizer."
        hint = f"Choose a model of type {ENCODERS[kind]}."
        raise pretrained.ModelError(message, hint, pretrained.WHERE, "model-wrong-task")
    known = {kind: name for mapping in MAPPINGS.values() for kind, name in mapping.items()}
    pretrained.require(config, model, known, WHAT)
    if kind in MAPPINGS["ctc"]:
        return "ctc"
    if kind in MAPPINGS["transducer"]:
        if kind in MODEL_FOR_RNNT_MAPPING_NAMES and not is_torchaudio_available():
            message = f"'{model}' is an RNN transducer, whose loss is computed by torchaudio; it is not installed."
            raise MissingExtra(message, "pip install torchaudio", pretrained.WHERE, "missing-extra")
        return "transducer"
    if kind not in SEQ2SEQ:
        message = (
            f"'{model}' (type '{kind}') writes into a prompt of its own, with which it is not trained here: "
            f"of the models with encoder and decoder those of type {' and '.join(sorted(SEQ2SEQ))} are."
        )
        hint = "Choose one of the suggested models."
        raise pretrained.ModelError(message, hint, pretrained.WHERE, "model-wrong-task")
    return "seq2seq"
