"""An export that arrives as an upload or a path is opened as LiFE by itself, and no name of a person stays."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.core.settings import Settings
from autotrain_gradio.extensions.life.tests.life_data import (
    MODEL_KEY,
    PEOPLE,
    boundary,
    document,
    files,
    grid,
    holds_a_name,
    plant,
    textgrid,
    wav,
    zipped,
)
from autotrain_gradio.service import Service, wait

ASR = "automatic-speech-recognition"
SPEC = {"task": ASR, "model": "tiny"}
NAMED = f"A1_{PEOPLE[2]}"
TIERS = "tier_name,tier_type,start_time,end_time,text\n" + "".join(
    f"sentence-Latin-transcription,interval,{n},{n + 1},text {n}\n" for n in range(4)
)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service of the person at the machine."""
    found = Service(Settings(home=tmp_path / "home"), dispatch=False)
    yield found
    found.close()


def exports() -> dict[str, dict[str, bytes | str]]:
    """Return form → files of an export; names of people are in the names of files and in their contents."""
    four = [(float(n), n + 1.0, f"text {n}") for n in range(4)]
    return {
        "JSON beside its audio": dict(files(*(document(n) for n in range(1, 5)))),
        "JSON and a folder of audio": dict(files(*(document(n) for n in range(1, 5)), audio="sounds/")),
        "JSON and TextGrids": {
            **files(*(document(n) for n in range(1, 5))),
            f"{NAMED}.TextGrid": textgrid(sentence__Latin__transcription=four),
        },
        "TextGrids": {
            f"{NAMED}.wav": wav(),
            f"{NAMED}.TextGrid": textgrid(sentence__Latin__transcription=four, note=[(0.0, 9.0, PEOPLE[0])]),
        },
        "tables of tiers": {f"{NAMED}.wav": wav(), f"{NAMED}.csv": TIERS},
    }


def errors(result: dict[str, Any]) -> list[Any]:
    """Return the error findings of a check."""
    return [f for f in result["findings"] if f["level"] == "error"]


def copied(folder: Path, contents: dict[str, bytes | str]) -> list[Path]:
    """Write files that may be moved away, as an upload does."""
    plant(folder, contents)
    return sorted(p for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize("which", list(exports()))
@pytest.mark.parametrize("packed", [True, False], ids=["zip", "files"])
def test_an_uploaded_export_is_detected_and_contains_no_names(
    service: Service, tmp_path: Path, which: str, packed: bool
) -> None:
    contents, draft = exports()[which], service.draft(ASR)
    given = [zipped(tmp_path / f"{PEOPLE[0]}.zip", contents)] if packed else copied(tmp_path / "loose", contents)
    service.upload(draft, given)
    result = service.check(draft, {**SPEC, "data": service.draft_state(draft)["spec"]["data"]})
    assert errors(result) == [] and result["splits"]["train"]
    told = next(f for f in result["findings"] if f["code"] == "other-source")
    assert "LiFE App" in told["message"] and "--script" in told["hint"] and told["level"] == "info"
    assert {"life-script-taken", "life-dataset-taken"} <= {f["code"] for f in result["findings"]}
    folder = service.store.get(draft).directory
    assert holds_a_name(folder) == []
    assert not (folder / "data" / "upload").exists() and not (folder / "data" / "upload.json").exists()


def test_names_are_in_no_file_of_the_draft_nor_of_the_run(service: Service, tmp_path: Path) -> None:
    draft = service.draft(ASR)
    service.upload(draft, [zipped(tmp_path / f"{PEOPLE[2]}.zip", exports()["JSON beside its audio"])])
    given = {**SPEC, "data": service.draft_state(draft)["spec"]["data"]}
    assert errors(service.check(draft, given)) == []
    assert holds_a_name(service.settings.home) == []
    # The same call once more, as a program would make it: what the upload was called is not written again.
    assert errors(service.check(draft, given)) == []
    assert holds_a_name(service.settings.home) == []
    service.preview(draft, given)
    run = service.start(draft, given)
    assert holds_a_name(service.settings.home) == []
    spec = json.loads((service.store.get(run).directory / "spec.json").read_text(encoding="utf-8"))
    assert spec["data"]["source"] == "life" and spec["data"]["path"].startswith("LiFE export (uploaded), opened ")


@pytest.mark.timeout(300)  # trains a tiny model
def test_names_are_in_no_file_of_a_completed_run(tmp_path: Path) -> None:
    service = Service(Settings(home=tmp_path / "home", slots=1))
    try:
        draft = service.draft(ASR)
        service.upload(draft, [zipped(tmp_path / f"{PEOPLE[2]}.zip", exports()["JSON beside its audio"])])
        given = {**SPEC, "data": service.draft_state(draft)["spec"]["data"]}
        assert errors(service.check(draft, given)) == []
        run = service.start(draft, {**given, "params": {"epochs": 1, "batch_size": 2}})
        *_, ended = wait(service, run)
        assert ended["state"] == "completed", (ended["error"], service.log(run)["text"])
        service.predict(run, [{"audio": str(plant(tmp_path / "new", {"new.wav": wav(1.0)}) / "new.wav")}])
        service.archive(run)
    finally:
        service.close()
    made = {path.relative_to(service.settings.runs / run).parts[0] for path in (service.settings.runs / run).rglob("*")}
    assert {"model", "report.json", "events.jsonl", "log.txt", "data"} <= made
    assert holds_a_name(service.settings.home) == []


def test_the_default_selection_can_be_changed(service: Service, tmp_path: Path) -> None:
    draft = service.draft(ASR)
    service.upload(draft, [zipped(tmp_path / "x.zip", exports()["JSON beside its audio"])])
    result = service.check(draft, {**SPEC, "data": service.draft_state(draft)["spec"]["data"]})
    assert "Bhojpuri, Devanagari, latest: 8 segments" in str(result["findings"])
    fix = next(f["fix"] for f in result["findings"] if f["code"] == "life-script-other")
    assert fix["change"] == {"options": {"script": "IPA"}}
    # The draft names the source that took over; a changed choice needs no file again.
    data = service.draft_state(draft)["spec"]["data"]
    assert data["source"] == "life" and data["path"] == result["source"]["path"]
    result = service.check(draft, {**SPEC, "data": {**data, "options": {"script": "IPA"}}})
    assert "Bhojpuri, IPA, latest: 4 segments" in str(result["findings"])
    # The picker goes on from there.
    again = service.browse(draft, {**SPEC, "data": data}, {"action": "reopen"})
    assert [p["name"] for p in again["projects"]] == ["Bhojpuri"]


@pytest.mark.parametrize("packed", [True, False], ids=["zip", "folder"])
def test_an_export_at_a_path_is_detected_and_unchanged(service: Service, tmp_path: Path, packed: bool) -> None:
    contents = exports()["JSON beside its audio"]
    place = zipped(tmp_path / "x.zip", contents) if packed else plant(tmp_path / "export", contents)
    draft = service.draft(ASR)
    given = {**SPEC, "data": {"path": str(place)}}
    for _ in range(2):
        result = service.check(draft, given)
        assert errors(result) == [] and "other-source" in {f["code"] for f in result["findings"]}
        assert service.draft_state(draft)["spec"]["data"] == {"source": "path", "path": str(place)}
        assert holds_a_name(service.settings.home) == []
    run = service.store.get(service.start(draft, given)).directory
    manifest = json.loads((run / "data" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["source"]["name"] == "life" and manifest["root"] == "run:data/media"
    assert place.exists() and holds_a_name(service.settings.home) == []


def test_the_training_finds_the_data_as_it_was_checked(service: Service, tmp_path: Path) -> None:
    from autotrain_gradio import data
    from autotrain_gradio.tasks.registry import resolve

    draft = service.draft(ASR)
    given = {**SPEC, "data": {"source": "path", "path": str(zipped(tmp_path / "x.zip", exports()["TextGrids"]))}}
    assert errors(service.check(draft, given)) == []
    folder = service.store.get(draft).directory
    before = (folder / "data" / "manifest.json").stat().st_mtime_ns
    manifest = data.ensure(folder, resolve(given))
    assert manifest["splits"]["train"] and (folder / "data" / "manifest.json").stat().st_mtime_ns == before


def test_a_changed_folder_is_read_again(service: Service, tmp_path: Path) -> None:
    folder = plant(tmp_path / "export", files(document(1), document(2)))
    draft = service.draft(ASR)
    given = {**SPEC, "data": {"path": str(folder)}}
    assert service.check(draft, given)["rows"] == 4
    plant(folder, files(document(3)))
    assert service.check(draft, given)["rows"] == 6


def test_an_invalid_export_leaves_no_names(service: Service, tmp_path: Path) -> None:
    empty = grid(boundary(0.5, 2.0, PEOPLE[3], Latin=""))
    draft = service.draft(ASR)
    service.upload(
        draft, [zipped(tmp_path / "x.zip", files(document(1, textGrid=empty, **{PEOPLE[1]: {}, MODEL_KEY: {}})))]
    )
    result = service.check(draft, {**SPEC, "data": service.draft_state(draft)["spec"]["data"]})
    assert errors(result)
    assert holds_a_name(service.settings.home) == []


def ordinary() -> dict[str, Callable[[Path], Path]]:
    """Return what is not an export, though it is like one."""
    clips = {f"clips/{n}.wav": wav(2.0, n) for n in range(4)}
    table = [{"audio": f"clips/{n}.wav", "transcription": f"text {n}"} for n in range(4)]
    lines = "audio,transcription\n" + "".join(f"clips/{n}.wav,text {n}\n" for n in range(4))
    tiers = [(float(n), n + 1.0, f"text {n}") for n in range(4)]
    return {
        "a table in JSON": lambda folder: plant(folder, {"metadata.json": json.dumps(table), **clips}),
        "a table": lambda folder: plant(folder, {"data.csv": lines, **clips}),
        "TextGrids": lambda folder: plant(folder, {"a.wav": wav(), "a.TextGrid": textgrid(words=tiers)}),
    }


@pytest.mark.parametrize("which", list(ordinary()))
def test_other_files_keep_their_layout(service: Service, tmp_path: Path, which: str) -> None:
    folder = ordinary()[which](tmp_path / "files")
    result = service.check(service.draft(ASR), {**SPEC, "data": {"path": str(folder)}})
    assert result["source"]["name"] == "path" and "other-source" not in {f["code"] for f in result["findings"]}


def test_an_explicit_layout_is_kept(service: Service, tmp_path: Path) -> None:
    folder = plant(tmp_path / "files", exports()["TextGrids"])
    data = {"path": str(folder), "options": {"layout": "textgrid"}}
    result = service.check(service.draft(ASR), {**SPEC, "data": data})
    assert result["layout"]["name"] == "textgrid" and result["source"]["name"] == "path"


def test_a_cloned_run_keeps_the_detected_source(service: Service, tmp_path: Path) -> None:
    draft = service.draft(ASR)
    service.upload(draft, [zipped(tmp_path / "x.zip", exports()["JSON beside its audio"])])
    given = {**SPEC, "data": service.draft_state(draft)["spec"]["data"]}
    assert errors(service.check(draft, given)) == []
    again = service.clone(service.start(draft, given))
    shutil.rmtree(service.store.get(draft).directory / "data")
    result = service.check(again, {**SPEC, "data": service.draft_state(again)["spec"]["data"]})
    assert errors(result) == [] and result["source"]["name"] == "life"
