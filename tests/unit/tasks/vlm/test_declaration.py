"""Vision-language models: AutoTrain's YAML, the metrics, and the preview and probe of the tiny model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sacrebleu

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.panels import find_panel, render_html, render_text
from autotrain_gradio.core.spec import from_yaml
from autotrain_gradio.tasks.registry import resolve
from autotrain_gradio.tasks.vlm import answer_metrics, models
from autotrain_gradio.tasks.vlm.preview import preview
from autotrain_gradio.tasks.vlm.probe import image_floats, probe
from autotrain_gradio.tasks.vlm.tiny import tiny_model
from tests.unit.tasks.vlm.conftest import Make

YAML = """
task: vlm:captioning
base_model: google/paligemma-3b-pt-224
project_name: autotrain-paligemma-finetuned-vqa
log: tensorboard
backend: local
data:
  path: abhishek/vqa_small
  train_split: train
  valid_split: validation
  column_mapping: {image_column: image, text_column: multiple_choice_answer, prompt_text_column: question}
params: {epochs: 3, batch_size: 2, lr: 2e-5, optimizer: adamw_torch, scheduler: linear, gradient_accumulation: 4,
  mixed_precision: fp16, peft: true, quantization: int4, target_modules: all-linear, merge_adapter: true,
  disable_gradient_checkpointing: false, trainer: vqa}
hub: {username: somebody, push_to_hub: true}
"""


@pytest.mark.parametrize(
    ("name", "trainer", "format"),
    [
        ("vlm", "", ""),
        ("vlm", "trainer: captioning", "caption"),
        ("vlm:vqa", "trainer: vqa", "question-answer"),
        ("vlm:captioning", "", "caption"),
    ],
)
def test_yaml_of_autotrain(name: str, trainer: str, format: str) -> None:
    text = YAML.replace("vlm:captioning", name).replace("trainer: vqa", trainer)
    found = resolve(from_yaml(text)[0])
    params: Any = found.params
    assert found.task.name == "vlm" and found.spec.data.format == format
    columns = {"image": "image", "answer": "multiple_choice_answer", "prompt": "question"}
    assert found.spec.data.columns == columns
    assert params.quantization == "int4" and params.peft and params.gradient_accumulation == 4


def test_activation_checkpointing_of_autotrain_takes_precedence() -> None:
    for disabled in (False, True):
        given = {"gradient_checkpointing": True, "disable_gradient_checkpointing": disabled}
        params: Any = resolve({"task": "vlm", "params": given}).params
        assert params.gradient_checkpointing is not disabled


def test_an_empty_instruction_is_refused() -> None:
    with pytest.raises(UserError, match="instruction is empty"):
        resolve({"task": "vlm", "params": {"prompt": " "}})


def test_metrics_of_answers() -> None:
    texts, references = ["Red ", "blu", "a big dog", ""], ["red", "blue", "cat", "seven"]
    found = answer_metrics.measure(texts, references)
    assert found["exact_match"] == 0.25 and found["anls"] == pytest.approx((1 + 0.75) / 4)
    assert found["chrf"] == pytest.approx(sacrebleu.corpus_chrf(texts, [references]).score)
    assert answer_metrics.measure([], []) == {}
    assert answer_metrics.similarity("ab", "cd") == 0.0 == answer_metrics.similarity("abcd", "abxy")
    assert answer_metrics.row_scores(["red"], ["red"]) == [100.0]


def test_the_preview_shows_images_masks_and_long_rows(image_trial: Make) -> None:
    made = image_trial(lambda rows: rows[5].update(question="What? " * 80), model_max_length=100)
    found = preview(made.directory, made.resolved.spec, made.resolved.params, {"texts": 2})
    assert "1 row will be skipped (6): longer than 100 tokens" in found[0]["note"], found[0]
    pictures, shown = find_panel(found, "images"), find_panel(found, "rendered-rows")
    assert pictures is not None and shown is not None and len(shown["items"]) == len(pictures["items"]) == 2
    for item in shown["items"]:
        assert "[image × 4]" in item["read"]
        marked = [t for t, m in zip(item["read"], item["marked"], strict=True) if m]
        assert marked[-1] == "<|im_end|>" and "".join(marked[:-1]) in {"red", "green", "blue"}
        assert f"{len(marked)} trained" in item["label"]
    assert "48 × 40 pixels, 4 tokens" in pictures["items"][0]["caption"]
    assert all((made.directory / item["file"]).is_file() for item in pictures["items"])
    for panel in found:
        assert render_text(panel) and render_html(panel)


def test_the_preview_counts_rows_that_the_processor_refuses(image_trial: Make) -> None:
    made = image_trial(lambda rows: rows[2].update(answer="see <image>"))
    found = preview(made.directory, made.resolved.spec, made.resolved.params, {})
    assert "1 row will be skipped (3): The text has 2 placeholders" in found[0]["note"]


def test_the_probe_estimates_the_memory(image_trial: Make) -> None:
    made = image_trial()
    facts = probe(made.resolved.spec, made.resolved.params, {})
    assert [f["code"] for f in facts["findings"]] == ["memory-estimate"]
    assert facts["parameters"] > 100_000 and facts["input_size"] == {"tokens": 512}


def test_the_memory_of_images_grows_with_their_size_and_with_a_trained_encoder(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path, texts=["What colour is the square?"])
    config = models.open_config(str(folder))

    def floats(**params: Any) -> float:
        given: Any = resolve({"task": "vlm", "params": params}).params
        processor = models.open_encoder(str(folder)).processor
        processor.image_processor.size = {"longest_edge": 128}
        processor.image_processor.do_image_splitting = True  # into crops of 32 pixels
        return image_floats(config, processor, given)

    large, small = floats(), floats(image_longest_edge=32)
    assert large > 10 * small and small > 3 * config.vision_config.image_size**2
    assert floats(freeze_vision=False) > 1.5 * large
