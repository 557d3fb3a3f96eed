"""Start and end of segments: seconds or milliseconds, decided for each table by the lengths of the recordings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cases.conftest import Checked, check_path
from tests.unit.data.sounds import sound

SPEECH = "automatic-speech-recognition"
SECONDS = 10.0
PARTS = 9


def folder(path: Path, recordings: Sequence[str] = ("r0.wav",), seconds: float = SECONDS) -> Path:
    path.mkdir()
    for number, name in enumerate(recordings):
        (path / name).write_bytes(sound(seconds, hertz=200.0 + 40 * number))
    return path


def table(
    path: Path, factor: float, names: str = "start,end", recording: str = "r0.wav", *, comma: bool = False
) -> None:
    delimiter = ";" if comma else ","
    lines = [delimiter.join(["file", *names.split(","), "text"])]
    for i in range(PARTS):
        times = [f"{t * factor:.3f}".rstrip("0").rstrip(".") for t in (i, i + 0.875)]
        times = [t.replace(".", ",") for t in times] if comma else times
        lines.append(delimiter.join([recording, *times, f"part number {i} of {recording}"]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def check(path: Path, data: Path, **given: object) -> Checked:
    return check_path(path, SPEECH, data, valid_fraction=0, **given)


@pytest.mark.parametrize("comma", [False, True], ids=["point", "comma"])
@pytest.mark.parametrize("factor, said", [(1, False), (1000, True)], ids=["seconds", "milliseconds"])
def test_the_unit_of_times_is_detected(tmp_path: Path, factor: float, said: bool, comma: bool) -> None:
    data = folder(tmp_path / "in")
    table(data / "t.csv", factor, comma=comma)
    found = check(tmp_path, data)
    assert found.column("end") == pytest.approx([i + 0.875 for i in range(PARTS)]) and not found.errors
    assert ("times-in-milliseconds" in found.codes("warning")) is said
    if said:
        assert "The times of t.csv were read as milliseconds" in found.message("times-in-milliseconds")


def test_two_tables_are_read_each_in_its_own_unit(tmp_path: Path) -> None:
    data = folder(tmp_path / "in", ["r0.wav", "r1.wav"])
    table(data / "a.csv", 1)
    table(data / "b.csv", 1000, recording="r1.wav")
    found = check(tmp_path, data)
    assert found.column("end") == pytest.approx([i + 0.875 for i in range(PARTS)] * 2) and not found.errors
    assert "b.csv" in found.message("times-in-milliseconds") and "a.csv" not in found.message("times-in-milliseconds")


@pytest.mark.parametrize("names", ["start_ms,end_ms", "start (ms),end (ms)", "begin msec,stop msec"])
def test_columns_named_milliseconds_are_milliseconds_in_a_long_recording(tmp_path: Path, names: str) -> None:
    data = folder(tmp_path / "in", seconds=200.0)
    table(data / "t.csv", 20, names)  # up to 0.2 s as milliseconds, 180 s as seconds
    first, last = names.split(",")
    found = check(tmp_path, data, columns={"start": first, "end": last})
    assert "their columns are named so" in found.message("times-in-milliseconds")


def test_times_can_be_read_as_seconds_after_all(tmp_path: Path) -> None:
    data = folder(tmp_path / "in")
    table(data / "t.csv", 1000)
    found = check(tmp_path, data)
    fix = next(f["fix"] for f in found.result["findings"] if f["code"] == "times-in-milliseconds")
    (tmp_path / "again").mkdir()
    again = check(tmp_path / "again", data, **fix["change"])
    assert again.result["dropped"] == [{"code": "part-outside", "count": PARTS}]
