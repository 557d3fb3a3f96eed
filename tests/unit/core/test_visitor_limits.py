"""The limits of visitors: variables, their errors, and that each is documented."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.text_format import GIB, format_bytes, format_value
from autotrain_gradio.core.visitor_limits import VisitorLimits, help_texts, variable

DOCS = Path(__file__).resolve().parents[3] / "docs" / "security.md"


def test_variables_set_limits_and_0_removes_them() -> None:
    env = {
        "AUTOTRAIN_GRADIO_VISITOR_QUEUED": "7",
        "AUTOTRAIN_GRADIO_VISITOR_DISK_BYTES": "1.5GiB",
        "AUTOTRAIN_GRADIO_VISITOR_HOURS": "0",
    }
    found = Settings.from_env(env).visitors
    assert (found.queued, found.disk_bytes, found.hours) == (7, 1.5 * GIB, None)
    assert found.epochs == VisitorLimits().epochs


@pytest.mark.parametrize("text", ["-1", "many", "nan"])
def test_a_variable_that_is_no_limit_is_named(text: str) -> None:
    with pytest.raises(UserError) as caught:
        VisitorLimits.from_env({"AUTOTRAIN_GRADIO_VISITOR_EPOCHS": text})
    assert "AUTOTRAIN_GRADIO_VISITOR_EPOCHS" in str(caught.value)


def test_additional_hosts_mean_that_others_reach_the_page() -> None:
    assert Settings.from_env({"AUTOTRAIN_GRADIO_HOSTS": "a.example, b.example"}).hosts == ("a.example", "b.example")
    assert Settings.from_env({"AUTOTRAIN_GRADIO_HOSTS": "a.example"}).shared
    assert not Settings.from_env({"AUTOTRAIN_GRADIO_HOSTS": "a.example", "AUTOTRAIN_GRADIO_SHARED": "0"}).shared


def test_every_limit_is_documented_with_its_default() -> None:
    rows = DOCS.read_text(encoding="utf-8").splitlines()
    expected = []
    for declared in fields(VisitorLimits):
        default = getattr(VisitorLimits(), declared.name)
        shown = format_bytes(default) if "bytes" in declared.name else format_value(default)
        expected.append(f"| `{variable(declared.name)}` | {shown} | {help_texts()[declared.name]} |")
    assert [row for row in expected if row not in rows] == []
