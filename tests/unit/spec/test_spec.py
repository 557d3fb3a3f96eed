"""Reading, checking and showing specs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from autotrain_gradio.core.errors import NotFound, SpecError, UserError
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.spec import RunSpec, Secrets, from_yaml, slug
from autotrain_gradio.tasks import spec_yaml, views
from autotrain_gradio.tasks.registry import Registry, registry, resolve

AUTOTRAIN = """
task: image_classification
base_model: google/vit-base-patch16-224
project_name: autotrain-cats-vs-dogs-finetuned
log: tensorboard
backend: local

data:
  path: cats_vs_dogs
  train_split: train
  valid_split: null
  column_mapping:
    image_column: image
    target_column: labels

params:
  epochs: 2
  batch_size: 4
  lr: 2e-5
  optimizer: adamw_torch
  scheduler: linear
  gradient_accumulation: 1
  mixed_precision: fp16
  max_samples: 20

hub:
  username: ${HF_USERNAME}
  token: ${HF_TOKEN}
  push_to_hub: true
"""


def test_autotrain_yaml_is_accepted() -> None:
    spec, secrets = from_yaml(AUTOTRAIN, {"HF_USERNAME": "ana", "HF_TOKEN": "hf_secret"})
    resolved = resolve(spec)
    assert resolved.task.name == "image-classification"
    assert resolved.spec.model == "google/vit-base-patch16-224"
    assert resolved.spec.data.columns == {"image": "image", "target": "labels"}
    assert resolved.spec.data.max_samples == 20
    assert resolved.spec.data.valid_split is None
    assert resolved.params.lr == pytest.approx(2e-5)
    assert resolved.params.log == "tensorboard"
    assert resolved.spec.hub.username == "ana" and resolved.spec.hub.push_to_hub
    assert secrets.token == "hf_secret"


SPEECH = """
task: ASR
base_model: facebook/wav2vec2-base-960h
project_name: autotrain-asr-hub
log: tensorboard
backend: local
data:
  path: common_voice
  train_split: train
  valid_split: validation
  column_mapping:
    audio_column: audio
    text_column: transcription
  using_hub_dataset: true
params:
  max_duration: 30.0
  sampling_rate: 16000
  max_seq_length: 128
  epochs: 3
  batch_size: 8
  lr: 3e-4
  optimizer: adamw_torch
  scheduler: linear
  gradient_accumulation: 1
  mixed_precision: fp16
  weight_decay: 0.01
  warmup_ratio: 0.1
  early_stopping_patience: 3
  early_stopping_threshold: 0.01
  gradient_checkpointing: true
hub:
  username: ${HF_USERNAME}
  token: ${HF_TOKEN}
  push_to_hub: true
"""


TABLES = """
task: tabular
base_model: xgboost
project_name: autotrain-diabetes
log: tensorboard
backend: local
data:
  path: data/
  train_split: train
  valid_split: null
  column_mapping: {id_column: patient, target_columns: [progression]}
params:
  task: regression
  num_trials: 100
  time_limit: 600
  categorical_imputer: most_frequent
  numerical_imputer: median
  numeric_scaler: robust
hub:
  username: ${HF_USERNAME}
  token: ${HF_TOKEN}
  push_to_hub: false
"""


def test_autotrain_yaml_of_tables_is_accepted() -> None:
    spec, _ = from_yaml(TABLES, {"HF_USERNAME": "ana", "HF_TOKEN": "hf_x"})
    resolved = resolve(spec)
    assert resolved.task.name == "tabular-regression" and resolved.spec.model == "xgboost"
    assert resolved.spec.data.columns == {"id": "patient", "target": ["progression"]}
    assert resolved.params.num_trials == 100 and resolved.params.numeric_scaler == "robust"


@pytest.mark.parametrize("key", ["text_column", "transcription_column", "transcription", "text"])
def test_autotrain_yaml_of_speech_recognition_is_accepted(key: str) -> None:
    text = SPEECH.replace("text_column", key)
    spec, _ = from_yaml(text, {"HF_USERNAME": "ana", "HF_TOKEN": "hf_x"})
    resolved = resolve(spec)
    assert resolved.spec.task == "automatic-speech-recognition" and resolved.spec.data.source == "hub"
    assert resolved.spec.data.columns == {"audio": "audio", "text": "transcription"}
    params = resolved.params.model_dump()
    assert (params["lr"], params["max_seq_length"], params["gradient_checkpointing"]) == (3e-4, 128, True)
    among_params = text.replace("  using_hub_dataset: true\n", "").replace(
        "params:", "params:\n  using_hub_dataset: true"
    )
    assert resolve(from_yaml(among_params, {"HF_USERNAME": "ana", "HF_TOKEN": "hf_x"})[0]) == resolved


def test_a_setting_of_another_tasks_data_is_unknown() -> None:
    with pytest.raises(SpecError) as raised:
        spec_yaml.from_yaml("task: image-classification\ndata: {chat_template: tokenizer}", {})
    assert [(f.code, f.where) for f in raised.value.findings] == [("unknown-setting", "data.chat_template")]


def test_defaults_of_speech_recognition_suit_the_family(tmp_path: Path) -> None:
    rates = {m: resolve({"task": "asr", "model": m}).params.model_dump()["lr"] for m in ("openai/whisper-tiny", "tiny")}
    assert rates == {"openai/whisper-tiny": 1e-5, "tiny": 2e-3}
    assert resolve({"task": "speech_recognition", "model": "facebook/wav2vec2-base"}).params.model_dump()["lr"] == 3e-4
    for kind, more, rate in (
        ("whisper", {}, 1e-5),
        ("wav2vec2", {}, 3e-4),
        ("wav2vec2", {"adapter_attn_dim": 16}, 1e-3),
    ):
        (tmp_path / "config.json").write_text(json.dumps({"model_type": kind, **more}))
        assert resolve({"task": "asr", "model": str(tmp_path)}).params.model_dump()["lr"] == rate, (
            "by the folder's config"
        )


def test_a_token_is_in_no_view_of_a_spec() -> None:
    spec, secrets = from_yaml(AUTOTRAIN, {"HF_USERNAME": "ana", "HF_TOKEN": "hf_secret"})
    shown = [views.yaml_view(spec), views.command_view(spec), views.python_view(spec), str(resolve(spec).complete())]
    assert all("hf_secret" not in text for text in [*shown, repr(secrets)])
    assert Secrets("x").environment() == {"HF_TOKEN": "x"}


def test_a_literal_token_in_a_file_is_refused() -> None:
    with pytest.raises(SpecError) as caught:
        from_yaml("task: image-classification\nhub: {token: hf_abc, push_to_hub: true}", {})
    assert caught.value.findings[0].code == "literal-token"
    assert "hf_abc" not in str(caught.value)


def test_a_missing_variable_matters_only_when_publishing() -> None:
    text = "task: image-classification\nhub: {token: '${NOWHERE}', push_to_hub: %s}"
    assert from_yaml(text % "false", {})[1].token is None
    with pytest.raises(SpecError, match="NOWHERE"):
        from_yaml(text % "true", {})


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("task: [", "line 1"),
        ("just words", ""),
        ("- a\n- b", ""),
        ("task: x\ndata: 3", "data"),
        ("", ""),
        ("task: x\nhub: foo", "hub"),
        ("task: x\nhub: [a]", "hub"),
        ("task: x\ndata: {column_mapping: [a]}", "data.column_mapping"),
        ("task: x\na: &a [1]\nb: *a", "line 3"),
        ("#" * 70000, ""),
    ],
)
def test_invalid_yaml_is_refused_with_its_location(text: str, where: str) -> None:
    with pytest.raises(SpecError) as caught:
        from_yaml(text, {})
    assert caught.value.findings[0].code == "yaml"
    assert where in caught.value.where


def test_all_errors_are_reported_at_once_with_suggestions() -> None:
    with pytest.raises(SpecError) as caught:
        resolve(
            {
                "task": "image-classification",
                "params": {"epohs": 3, "lr": 7, "batch_size": "many"},
                "data": {"columns": {"traget": "x"}},
            }
        )
    found = {f.where: f for f in caught.value.findings}
    assert set(found) == {"params.epohs", "params.lr", "params.batch_size", "data.columns.traget"}
    assert "'epochs'" in found["params.epohs"].hint
    assert "'target'" in found["data.columns.traget"].hint
    assert "7" in found["params.lr"].message


def test_unknown_names_get_suggestions() -> None:
    with pytest.raises(NotFound) as caught:
        registry().get("image-clasification")
    assert "image-classification" in caught.value.hint
    with pytest.raises(SpecError) as unknown:
        resolve({"task": "image-classification", "data": {"pth": "x"}})
    assert "'path'" in unknown.value.findings[0].hint


@pytest.mark.parametrize("name", ["a/b", "..", "a..b", "😀", "x" * 300, "", "-a", ".hidden", "a b", "abc\n"])
def test_an_invalid_project_name_is_refused_with_a_suggestion(name: str) -> None:
    with pytest.raises(SpecError) as caught:
        resolve({"task": "image-classification", "project_name": name})
    finding = caught.value.findings[0]
    assert finding.where == "project_name"
    assert f"'{slug(name)}'" in finding.message
    assert RunSpec(task="x", project_name=slug(name)).project_name == slug(name)


def test_a_spec_is_restored_from_its_yaml() -> None:
    given = {
        "task": "image-classification",
        "model": "tiny",
        "project_name": "blumen-2",
        "data": {"path": "fotos", "labels": {"Ro se": "rose", "müll": None}, "valid_fraction": 0.0},
        "params": {"epochs": 7, "lr": 1e-4, "horizontal_flip": False},
    }
    spec = resolve(given).spec
    again, _ = from_yaml(views.yaml_view(spec), {})
    assert resolve(again).complete() == resolve(given).complete()


def test_the_command_names_what_differs_from_the_defaults() -> None:
    command = views.command_view(
        resolve(
            {
                "task": "image_classification",
                "model": "tiny",
                "data": {"path": "my photos", "max_samples": 20, "columns": {"target": "species"}},
                "params": {"epochs": 3, "lr": 0.001, "horizontal_flip": False},
            }
        ).spec
    )
    assert command.startswith("autotrain-gradio image-classification")
    for part in ("--data-path 'my photos'", "--max-samples 20", "--target-column species", "--lr 0.001"):
        assert part in command
    assert "--no-horizontal-flip" in command and "--batch-size" not in command
    assert command.endswith("--train")


def test_a_default_of_the_model_can_be_overridden() -> None:
    tiny = {"task": "image-classification", "model": "tiny", "data": {"path": "p"}}
    assert resolve(tiny).params.epochs == 20
    back = resolve({**tiny, "params": {"epochs": 3}})
    assert back.params.epochs == 3 and "--epochs 3" in views.command_view(back.spec)
    assert resolve(back.spec).params.epochs == 3


def test_uploaded_data_is_shown_by_its_name_only() -> None:
    spec = resolve(
        {"task": "image-classification", "data": {"source": "upload", "path": "photos.zip"}, "project_name": "p"}
    ).spec
    assert yaml.safe_load(views.yaml_view(spec))["data"] == {"path": "photos.zip"}


def test_duplicate_names_and_aliases_are_refused() -> None:
    task = registry().get("image-classification")
    with pytest.raises(ValueError, match="image-classification"):
        Registry([task, task])


def test_errors_are_printed_with_place_and_hint() -> None:
    error = UserError("It broke.", "Mend it.", "row 3")
    assert str(error) == "row 3: It broke. Mend it."


def test_declarations_load_nothing_heavy() -> None:
    heavy = "torch transformers datasets pyarrow albumentations sklearn pandas gradio evaluate"
    code = (
        "import sys; from autotrain_gradio.tasks.registry import registry; assert len(registry()) >= 1; "
        f"print([m for m in '{heavy}'.split() if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_errors_of_the_name_do_not_hide_errors_of_the_parameters() -> None:
    with pytest.raises(SpecError) as caught:
        resolve({"task": "image-classification", "project_name": "a/b", "params": {"epohs": 1}, "modle": "x"})
    assert {f.where for f in caught.value.findings} == {"project_name", "params.epohs", "modle"}


def test_yaml_booleans_are_accepted_for_choices() -> None:
    text = "task: image-classification\nparams: {eval_strategy: no, mixed_precision: none, lr: 1e-4}"
    params = resolve(from_yaml(text, {})[0]).params
    assert (params.eval_strategy, params.mixed_precision) == ("no", None)
    assert params.lr == pytest.approx(1e-4)


@pytest.mark.parametrize("value", ["two", "-1", "0", "nan"])
def test_an_invalid_environment_variable_is_named(value: str) -> None:
    with pytest.raises(UserError, match="AUTOTRAIN_GRADIO_SLOTS"):
        Settings.from_env({"AUTOTRAIN_GRADIO_SLOTS": value})


def test_the_environment_decides_shared_mode_first() -> None:
    assert Settings.from_env({"SPACE_ID": "a/b"}).shared
    assert not Settings.from_env({"SPACE_ID": "a/b", "AUTOTRAIN_GRADIO_SHARED": "0"}).shared
    assert Settings.from_env({}, shared=True).shared and not Settings.from_env({}).shared


@pytest.mark.parametrize("name", ["cp125", "base64", "no such"])
def test_an_unknown_encoding_is_refused_with_a_suggestion(name: str) -> None:
    with pytest.raises(SpecError) as caught:
        from_yaml(f"task: text-classification\ndata: {{encoding: {name}}}", {})
    assert caught.value.where == "data.encoding" and "cp125" in caught.value.message
    assert from_yaml("task: text-classification\ndata: {encoding: cp1251}", {})[0].data.encoding == "cp1251"
