"""The settings that the environment gives."""

from __future__ import annotations

import pytest

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.settings import Limits, Settings

VARIABLE = "AUTOTRAIN_GRADIO_TRAINING_MEMORY"


@pytest.mark.parametrize(
    ("value", "memory"),
    [("80%", 0.8), ("100 %", 1.0), ("12GB", 12e9), ("12GiB", 12 * 2**30), ("512mib", 2**29), ("", 0.85)],
)
def test_the_memory_of_a_training(value: str, memory: float) -> None:
    assert Settings.from_env({VARIABLE: value}).limits.training_memory == pytest.approx(memory)


@pytest.mark.parametrize("value", ["lots", "0%", "120%", "12", "1MB", "-3GB", "0.5"])
def test_a_memory_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(UserError, match=VARIABLE):
        Settings.from_env({VARIABLE: value})


def test_shared_mode_has_the_limits_for_visitors() -> None:
    assert Settings.from_env({}, shared=True).limits == Limits().for_visitors()
    assert Settings.from_env({}).limits == Limits()
