"""Each family of detectors is trained for one step, saved and applied; other tests train YOLOS and RT-DETRv2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autotrain_gradio.core.errors import UserError
from tests.unit.tasks.object_detection.conftest import BOXES, draw_all, write_lines

SIDE, WIDTH = 64, 32
NAMES = {"id2label": {0: "cat", 1: "dog", 2: "cow"}, "label2id": {"cat": 0, "dog": 1, "cow": 2}}


def resnet() -> Any:
    from transformers import ResNetConfig

    out = ["stage2", "stage3", "stage4"]
    return ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16, 24, 32], depths=[1] * 4, layer_type="basic", out_features=out
    )


def small(**more: Any) -> dict[str, Any]:
    """Return the sizes that the families share."""
    sizes = {f"{part}_{name}": value for part in ("encoder", "decoder") for name, value in SIZES.items()}
    return {"d_model": WIDTH, "num_queries": 12, **sizes, **NAMES, **more}


SIZES = {"layers": 2, "ffn_dim": 48, "attention_heads": 4}


def detr() -> tuple[Any, Any]:
    from transformers import DetrConfig, DetrForObjectDetection, DetrImageProcessorPil

    backbone = resnet()
    backbone.out_features = ["stage4"]
    config = DetrConfig(use_timm_backbone=False, backbone_config=backbone, **small())
    return DetrForObjectDetection(config), DetrImageProcessorPil()


def deformable_detr() -> tuple[Any, Any]:
    from transformers import DeformableDetrConfig, DeformableDetrForObjectDetection, DeformableDetrImageProcessorPil

    config = DeformableDetrConfig(
        use_timm_backbone=False, backbone_config=resnet(), num_feature_levels=3, with_box_refine=True, **small()
    )
    return DeformableDetrForObjectDetection(config), DeformableDetrImageProcessorPil()


def d_fine() -> tuple[Any, Any]:
    from transformers import DFineConfig, DFineForObjectDetection, HGNetV2Config, RTDetrImageProcessorPil

    backbone = HGNetV2Config(
        stem_channels=[3, 8, 8],
        hidden_sizes=[16, 24, 32, 48],
        stage_in_channels=[8, 16, 24, 32],
        stage_mid_channels=[8, 8, 16, 16],
        stage_out_channels=[16, 24, 32, 48],
        stage_num_blocks=[1] * 4,
        stage_numb_of_layers=[1] * 4,
        out_features=["stage2", "stage3", "stage4"],
    )
    sizes = {"encoder_hidden_dim": WIDTH, "encoder_in_channels": [24, 32, 48], "decoder_in_channels": [WIDTH] * 3}
    more = {"num_denoising": 4, "freeze_backbone_batch_norms": False, "decoder_n_points": [2, 2, 2]}
    shared = small(encoder_layers=1, **sizes, **more)
    return DFineForObjectDetection(DFineConfig(backbone_config=backbone, **shared)), RTDetrImageProcessorPil()


def rt_detr() -> tuple[Any, Any]:
    from transformers import RTDetrConfig, RTDetrForObjectDetection, RTDetrImageProcessorPil, RTDetrResNetConfig

    out = ["stage2", "stage3", "stage4"]
    backbone = RTDetrResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16, 24, 32], depths=[1] * 4, layer_type="basic", out_features=out
    )
    sizes = {"encoder_hidden_dim": WIDTH, "encoder_in_channels": [16, 24, 32], "decoder_in_channels": [WIDTH] * 3}
    shared = small(encoder_layers=1, num_denoising=4, **sizes)
    return RTDetrForObjectDetection(RTDetrConfig(backbone_config=backbone, **shared)), RTDetrImageProcessorPil()


def conditional_detr() -> tuple[Any, Any]:
    from transformers import ConditionalDetrConfig, ConditionalDetrForObjectDetection, ConditionalDetrImageProcessorPil

    backbone = resnet()
    backbone.out_features = ["stage4"]
    config = ConditionalDetrConfig(use_timm_backbone=False, backbone_config=backbone, **small())
    return ConditionalDetrForObjectDetection(config), ConditionalDetrImageProcessorPil()


@pytest.mark.parametrize("build", [detr, deformable_detr, conditional_detr, d_fine, rt_detr])
def test_a_model_of_each_family_trains_and_predicts(
    build: Callable[[], tuple[Any, Any]], tmp_path: Path, detect: Any
) -> None:
    from autotrain_gradio.tasks.object_detection import train

    model, processor = build()
    model.save_pretrained(tmp_path / "model")
    processor.save_pretrained(tmp_path / "model")
    folder = draw_all(tmp_path / "images")
    rows = [(n, {"bbox": [b for b, _ in boxes], "category": [c for _, c in boxes]}) for n, boxes in BOXES.items()]
    write_lines(folder, rows)
    settings = {"image_square_size": SIDE, "batch_size": 4, "epochs": 1, "early_stopping_patience": 0}
    trial = detect(folder, model=str(tmp_path / "model"), data={"valid_fraction": 0.25}, **settings)
    train.train(trial.reporter())
    values = trial.events("result")[-1]["values"]
    assert np.isfinite(values["eval_loss"]) and 0 <= values["eval_map"] <= 1
    prediction = train.load(trial.directory)([{"image": str(folder / "a.png"), "threshold": 0}])[0]
    assert {o["label"] for o in prediction["objects"]} <= {"blue", "red"} and prediction["objects"]
    assert all(len(o["box"]) == 4 and 0 <= o["score"] <= 1 for o in prediction["objects"])


def test_an_image_size_that_does_not_fit_the_strides_is_refused_with_one_that_does(tmp_path: Path) -> None:
    from autotrain_gradio.tasks.object_detection import models

    with pytest.raises(UserError, match="multiple of 32") as error:
        models.open_model("tiny", ["x"], side=600, seed=1, scratch=tmp_path / "tiny")
    assert error.value.code == "image-size" and "576 or 608" in error.value.hint
