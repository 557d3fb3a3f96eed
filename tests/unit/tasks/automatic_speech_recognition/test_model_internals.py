"""The private members of models are as expected in the installed version, and used in one module only."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest
import transformers
from transformers import GenerationConfig, Wav2Vec2ForCTC
from transformers.models.auto.modeling_auto import MODEL_FOR_CTC_MAPPING_NAMES

from autotrain_gradio.tasks import automatic_speech_recognition
from autotrain_gradio.tasks.automatic_speech_recognition import model_internals

PRIVATE = ("_get_feat_extract_output_lengths", "_get_subsampling_output_length", "_get_adapters", "_from_model_config")


def test_the_version_is_the_installed_one() -> None:
    assert transformers.__version__.startswith(model_internals.VERSION)


@pytest.mark.parametrize("name", ["Wav2Vec2ForCTC", "HubertForCTC", "WavLMForCTC", "ParakeetForCTC", "LasrForCTC"])
def test_frames_are_counted_from_one_argument(name: str) -> None:
    assert name in MODEL_FOR_CTC_MAPPING_NAMES.values()
    model = getattr(transformers, name)
    member = getattr(model, PRIVATE[0], None) or getattr(model, PRIVATE[1])
    first, lengths, *others = inspect.signature(member).parameters.values()
    assert (first.name, lengths.name) == ("self", "input_lengths")
    assert all(other.default is not inspect.Parameter.empty for other in others)


def test_adapters_and_generation_config() -> None:
    assert list(inspect.signature(Wav2Vec2ForCTC._get_adapters).parameters) == ["self"]
    assert hasattr(GenerationConfig(), "_from_model_config")


def test_no_other_module_uses_private_members_of_a_model() -> None:
    folder = Path(automatic_speech_recognition.__file__).parent
    files = sorted(folder.glob("*.py"))
    assert len(files) > 10
    found = {
        file.name
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in PRIVATE
    }
    assert found == {"model_internals.py"}
