"""Exports that cannot be used, or that are not as they should be: findings that name no person, and no bugs."""

from __future__ import annotations

import base64
import contextlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.extensions.life import source, tier_exports
from autotrain_gradio.extensions.life.tests.conftest import quiet, request_of
from autotrain_gradio.extensions.life.tests.life_data import (
    PEOPLE,
    document,
    holds_a_name,
    plant,
    textgrid,
    wav,
    zipped,
)

Check = Callable[..., dict[str, Any]]


def test_an_unknown_format_is_refused_with_the_file_types(tmp_path: Path, check: Check) -> None:
    result = check(plant(tmp_path / "photos", {"a.jpg": b"x", "broken.json": "{", "settings.json": '{"a": 1}'}))
    assert result["findings"][0]["code"] == "life-unknown-form"
    assert (
        "1 .jpg" in result["findings"][0]["message"]
        and "1 JSON file could not be parsed" in result["findings"][0]["message"]
    )


def test_errors_of_an_archive_name_no_member(tmp_path: Path, draft: Path, check: Check) -> None:
    result = check(zipped(tmp_path / "trap.zip", {f"../{PEOPLE[0]}.json": "{}"}))
    assert result["findings"][0]["code"] == "archive-escape"
    assert PEOPLE[0] not in str(result) and holds_a_name(draft) == []


def test_a_missing_path_is_an_error(check: Check, tmp_path: Path) -> None:
    assert check(tmp_path / "nowhere.zip")["findings"][0]["code"] == "path-missing"
    assert check("LiFE export lost.zip")["findings"][0]["message"] == "The draft does not have the export."


JUNK: tuple[Any, ...] = (None, 1, -1.5, "x", "", [], {}, [1], {"a": 1}, True, 1e400, {"sentence": None})


def spoilt(value: Any, draw: random.Random) -> Any:
    """Return a JSON value with something else in one of its places."""
    value = inner = json.loads(json.dumps(value))
    while True:
        places = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        if not places:
            return value
        place = draw.choice(places)
        if draw.random() < 0.4 or not isinstance(inner[place], dict | list):
            inner[place] = draw.choice(JUNK)
            return value
        inner = inner[place]


@pytest.mark.parametrize("seed", range(4))
def test_damaged_exports_give_findings_and_no_bugs(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    tone = wav(10)
    table = {
        "schema": {},
        "data": [dict(zip(tier_exports.COLUMNS, ("sentence-X-transcription", "", 0, 1, "a"), strict=True))],
    }
    dataset = [{"audio": base64.b64encode(wav(1)).decode(), "transcription": "a"}] * 2
    grids = textgrid(sentence__X__transcription=[(0, 1, "a"), (1, 2, "b")])
    for number in range(30):
        cut = draw.randrange(20, len(grids))
        contents: dict[str, bytes | str] = [
            {"a.json": json.dumps(spoilt(document(1), draw)), str(document(1)["audioFilename"]): tone},
            {"a.json": json.dumps(spoilt(table, draw)), "a.wav": tone},
            {
                "dataset.json": json.dumps(dataset),
                "script_dataset_mapping.json": json.dumps(spoilt({"X": ["a"]}, draw)),
            },
            {"dataset.json": json.dumps(spoilt(dataset, draw))},
            {"a.TextGrid": grids[:cut] + draw.choice(["", "\0", "xmax = 9"]) + grids[cut + 9 :], "a.wav": tone},
        ][number % 5]
        place, draft = plant(tmp_path / f"in-{number}", contents), tmp_path / f"draft-{number}"
        draft.mkdir()
        with contextlib.suppress(UserError):
            source.fetch(request_of(place), draft, quiet)
