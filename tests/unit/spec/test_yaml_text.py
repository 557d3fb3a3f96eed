"""YAML from strangers: any text gives a spec or a finding, in bounded time and memory."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from autotrain_gradio.core.errors import SpecError, UserError
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.yaml_text import load_yaml
from autotrain_gradio.service import Service

TASK = "task: image-classification\n"
LAUGHS = "a: &a [x, x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
TRAPS = {
    "deep list": "[" * 5000,
    "deep mapping": TASK + "params: " + "{a: " * 3000,
    "deep indentation": "- " * 4000,
    "huge integer": "task: " + "9" * 5000,
    "huge hexadecimal integer": TASK + "params: {epochs: 0x" + "f" * 30_000 + "}",
    "huge key": "0x" + "f" * 50_000 + ": 1",
    "huge sexagesimal number": TASK + "params: {epochs: 1" + ":59" * 10_000 + "}",
    "no date": TASK + "resources: {timeout: 2024-99-99}",
    "no timestamp": "task: 2024-99-99T99:00:00Z",
    "billion laughs": LAUGHS,
    "recursive alias": "&a [*a]",
    "tag of a number": "task: !!int ''",
    "tag of a boolean": "task: !!bool maybe",
    "tag of a timestamp": "task: !!timestamp x",
    "tag of an object": "task: !!python/object/apply:os.system [id]",
    "list as key": "? [a]\n: b",
    "merge of a number": "<<: 5",
    "control character": TASK + "model: \x00",
    "half of a character": TASK + "model: '\ud800'",
    "columns that are a text": TASK + "params: {columns: image}",
    "columns that are a number": TASK + "params: {columns: 5, image_column: x}",
}
FRAGMENTS = (
    "task",
    ":",
    " ",
    "\n",
    "  ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "? ",
    "&a",
    "*a",
    "!!int ",
    "!!float ",
    "!!bool ",
    "!!timestamp ",
    "!!map ",
    "!!seq ",
    "<<",
    ": ",
    "'",
    '"',
    "|",
    "> ",
    "#",
    "%",
    "@",
    "`",
    "data:",
    "params:",
    "hub:",
    "resources:",
    "\n  epochs: ",
    "\n  lr: ",
    "\n  path: ",
    "\n  columns: ",
    "\n  labels: ",
    "\n  options: ",
    "1:30",
    "2024-01-01",
    "2024-99-99",
    "0x_",
    "0b1",
    "1e5",
    "1.5e400",
    ".inf",
    ".nan",
    "-",
    "~",
    "null",
    "yes",
    "\xe9",
    "\t",
    "\r",
    "\x07",
    "\u2028",
    "\ud83d",
    "---",
    "...",
    "column_mapping: ",
    "using_hub_dataset: ",
    "log: ",
    "base_model: ",
    "${HOME}",
    "token: ",
    "\n  image_column: ",
    "image_column",
    "\\0",
    "'a\\0b'",
)
SECTIONS = ("data", "params", "hub", "resources")
NAMES = ("path", "columns", "labels", "options", "epochs", "lr", "timeout", "token", "1", "valid_fraction", "format")


def random_text(source: random.Random) -> str:
    text = "".join(source.choice(FRAGMENTS) for _ in range(source.randint(1, 14)))
    if source.random() < 0.7:
        text = f"{TASK}{source.choice(SECTIONS)}:\n  {source.choice(NAMES)}: {text}"
    return text


@pytest.fixture(params=[False, True], ids=["local", "shared"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Service:
    return Service(Settings(tmp_path / "home", shared=request.param), dispatch=False)


@pytest.mark.parametrize("text", TRAPS.values(), ids=TRAPS)
def test_a_trap_is_a_finding_with_few_words(text: str, service: Service) -> None:
    with pytest.raises(UserError) as caught:
        service.parse_yaml(text)
    assert 10 < len(str(caught.value)) < 1000


def test_any_text_gives_a_spec_or_findings(service: Service) -> None:
    source, refused = random.Random(7), 0
    for _ in range(1500):
        text = random_text(source)
        try:
            service.parse_yaml(text)
        except UserError as error:
            refused += 1
            assert error.findings and str(error)
        except Exception as error:
            raise AssertionError(f"{text!r} raised {error!r}") from error
    assert 0 < refused < 1500


def test_times_and_dates_are_texts_and_numbers_are_numbers() -> None:
    found = load_yaml("a: 1:30\nb: 2026-01-31\nc: [12, 0x1F, -1_000, 2.5, 1.5e-3, .inf, 010]\nd: [yes, ~, null, '']")
    assert found == {
        "a": "1:30",
        "b": "2026-01-31",
        "c": [12, 31, -1000, 2.5, 0.0015, float("inf"), 8],
        "d": [True, None, None, ""],
    }


def test_a_refusal_names_the_place() -> None:
    with pytest.raises(SpecError) as caught:
        load_yaml("a: 1\nb: !!int x")
    assert caught.value.where == "line 2, column 4" and "'x' is not a number" in caught.value.message
