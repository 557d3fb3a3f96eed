"""The forms in which LiFE's data comes, and what of it cannot be used."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio import data
from autotrain_gradio.extensions.life import catalog, source, tier_exports
from autotrain_gradio.extensions.life.documents import Pseudonyms, parse_recording
from autotrain_gradio.extensions.life.tests.conftest import codes, opened, refusal
from autotrain_gradio.extensions.life.tests.life_data import (
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

Check = Callable[..., dict[str, Any]]


def rows(draft: Path) -> list[dict[str, Any]]:
    """Return the rows that were written for the training."""
    return [json.loads(x) for x in (draft / "data/media/metadata.jsonl").read_text().split("\n") if x]


def form(draft: Path) -> str:
    """Return the letter of the form that was read."""
    return str(opened(draft).index["format"])


def test_format_a_becomes_rows_without_names_of_people_and_with_unchanged_audio(
    tmp_path: Path, draft: Path, check: Check
) -> None:
    contents = files(document(1), document(2))
    result = check(zipped(tmp_path / "Bhojpuri_textgrids.zip", contents), script="Devanagari", dataset="latest")
    assert not [f for f in result["findings"] if f["level"] == "error"], result["findings"]
    assert form(draft) == "A"
    found = rows(draft)
    assert [(r["start"], r["end"], r["text"], r["speaker"]) for r in found[:2]] == [
        (0.5, 2.0, "पानी बहुत है", "speaker-1"),
        (2.5, 4.0, "आम मीठा है", "speaker-2"),
    ]
    assert {r["project"] for r in found} == {"Bhojpuri"} and len({r["recording"] for r in found}) == 2
    audio = sorted((draft / "data/media/audio").iterdir())
    assert [a.read_bytes() for a in audio] == [v for k, v in contents.items() if k.endswith(".wav")]
    assert holds_a_name(draft) == []
    assert data.load(draft)["train"].column_names
    assert result["mapping"]["speaker"] == ["speaker"]


def test_a_folder_is_read_in_place_and_not_changed(tmp_path: Path, draft: Path, check: Check) -> None:
    folder = plant(tmp_path / "export", files(document(1), audio="sounds/"))
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    check(folder)
    assert form(draft) == "B" and len(rows(draft)) == 2
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
    assert holds_a_name(draft) == []


def test_defaults_are_the_largest_script_and_latest_with_a_finding(tmp_path: Path, draft: Path, check: Check) -> None:
    result = check(zipped(tmp_path / "x.zip", files(document(1))))
    assert {"life-script-taken", "life-dataset-taken"} <= set(codes(result))
    assert [r["text"] for r in rows(draft)] == ["पानी बहुत है", "आम मीठा है"]
    said = next(f for f in result["findings"] if f["code"] == "life-script-taken")
    assert "'Devanagari'" in said["message"] and "IPA (1)" in said["message"]


def test_layers_of_an_annotator_and_of_a_model_can_be_selected(tmp_path: Path, draft: Path, check: Check) -> None:
    export = zipped(tmp_path / "x.zip", files(document(1)))
    check(export, script="Devanagari", dataset="annotator-1")
    assert [r["text"] for r in rows(draft)] == ["पानी है"]
    result = check(export, script="Devanagari", dataset="machine-1")
    assert [r["text"] for r in rows(draft)] == ["पाणी"]
    assert "life-machine-output" in codes(result)
    assert [x["title"] for x in opened(draft).index["layers"]] == [
        "latest",
        "machine output 1 (whisper-tiny)",
        "annotator 1",
    ]
    assert "Did you mean 'annotator-1'" in check(export, dataset="annotator-9")["findings"][0]["hint"]
    assert check(export, script="Devanagri")["findings"][0]["code"] == "life-unknown-script"
    assert check(export, projects=["Bojpuri"])["findings"][0]["hint"] == "Did you mean 'Bhojpuri'?"


def test_skipped_segments_are_counted_by_reason(tmp_path: Path, draft: Path, check: Check) -> None:
    bad = grid(
        boundary(0.5, 2.0, Devanagari="gut"),
        boundary(2.0, 3.0, Devanagari="  "),
        boundary(3.0, 4.0, Devanagari="0"),
        boundary(5.0, 5.0, Devanagari="a"),
        boundary("x", None, Devanagari="b"),
        boundary(9.0, 11.0, Devanagari="c"),
        boundary(-1.5, 1.0, Devanagari="d"),
        boundary(1.0, 1.05, Devanagari="e"),
        boundary(8.0, 10.02, Devanagari="cut"),
        boundary(4.0, 5.0, IPA="no Devanagari"),
    )
    documents = [
        document(1, textGrid=bad),
        document(2, audiodeleteFLAG=1),
        document(3, transcriptionFLAG=0),
        document(4),
        document(5),
    ]
    contents = files(*documents)
    del contents[documents[3]["audioFilename"]]
    contents[documents[4]["audioFilename"]] = b"<html>not found</html>"
    result = check(zipped(tmp_path / "x.zip", contents), script="Devanagari", dataset="latest")
    assert [(r["text"], r["end"]) for r in rows(draft)] == [("gut", 2.0), ("cut", 10.0)]
    said = next(f["message"] for f in result["findings"] if f["code"] == "life-left-out")
    for part in (
        "16 segments skipped",
        "2 without text in this script",
        "1 silent",
        "2 with an end that is not after the start",
        "2 beyond the end of the audio",
        "1 too short",
        "2 of recordings deleted",
        "2 of recordings marked as not transcribed",
        "2 without audio file",
        "2 with audio that cannot be decoded",
    ):
        assert part in said, said


def test_an_empty_selection_is_an_error_with_the_reasons(tmp_path: Path, draft: Path, check: Check) -> None:
    contents = {k: v for k, v in files(document(1)).items() if k.endswith(".json")}
    result = check(zipped(tmp_path / "x.zip", contents), script="Devanagari")
    error = result["findings"][0]
    assert error["code"] == "life-nothing-left" and "2 without audio file" in error["message"]


def test_lengths_and_the_silence_tag_are_options(tmp_path: Path, draft: Path, check: Check) -> None:
    texts = grid(
        boundary(0, 1, Devanagari="<sil>"), boundary(1, 2, Devanagari="kurz"), boundary(2, 6, Devanagari="lang")
    )
    export = zipped(tmp_path / "x.zip", files(document(1, textGrid=texts)))
    check(export, silence_tag="<sil>", min_segment="0.5", max_segment=3)
    assert [r["text"] for r in rows(draft)] == ["kurz"]
    assert check(export, min_segment="short")["findings"][0]["where"] == "data.options.min_segment"


def test_slices_belong_to_one_recording_and_have_their_own_times(tmp_path: Path, draft: Path, check: Check) -> None:
    documents = [
        document(n, additionalInfo={"isSliceOf": "A1", "boundaryOffsetValue": 100.0 * n, "sliceOverlapRegion": 1})
        for n in (1, 2)
    ]
    check(zipped(tmp_path / "x.zip", files(*documents, document(3))), script="Devanagari")
    found = rows(draft)
    assert [r["recording"] for r in found] == ["recording-1"] * 4 + ["recording-2"] * 2
    assert {r["start"] for r in found} == {0.5, 2.5}


def test_two_projects_of_one_upload_can_have_different_scripts(tmp_path: Path, draft: Path, check: Check) -> None:
    only = grid(boundary(1, 2, Latin="kahaani"))
    other = document(7, project="Magahi", textGrid=only)
    for layer in (PEOPLE[1], "@model##acme/whisper-tiny##Rameshwar"):
        del other[layer]
    export = zipped(tmp_path / "x.zip", files(document(1), other))
    result = check(export, script="Devanagari")
    assert any("No segments come from Magahi" in f["message"] for f in result["findings"])
    check(export, projects=["Magahi"])
    assert [r["text"] for r in rows(draft)] == ["kahaani"]


def test_format_c_reads_sentence_tiers_and_prefers_json(tmp_path: Path, draft: Path, check: Check) -> None:
    text = textgrid(
        sentence__Devanagari__transcription=[(0, 0.5, "0"), (0.5, 2.0, "पानी"), (2.0, 10, "0")],
        sentence__Old__Devanagari__transcription=[(0.5, 2.0, "पाणि")],
        sentence__Devanagari__gloss=[(0.5, 2.0, "water")],
        word__Devanagari__transcription=[(0.5, 1.0, "पा")],
    )
    export = plant(tmp_path / "praat", {f"{PEOPLE[2]}.TextGrid": text, f"{PEOPLE[2]}.wav": wav(), "b.TextGrid": "no"})
    result = check(export, script="Devanagari")
    assert form(draft) == "C" and [(r["start"], r["text"]) for r in rows(draft)] == [(0.5, "पानी")]
    assert {"life-prefer-json", "life-tiers-unreadable"} <= set(codes(result))
    assert "2 silent" in str(result["findings"])
    assert [s.script for s in opened(draft).list_scripts(["praat"])] == ["Devanagari", "Old-Devanagari"]
    assert holds_a_name(draft) == []


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json"])
def test_format_d_is_unquoted_and_slices_stay_in_one_group(
    suffix: str, tmp_path: Path, draft: Path, check: Check
) -> None:
    table = [
        ("sentence-IPA-transcription", "IntervalTier", "0.00", "1.50", 'paːniː, "aːm" mittʰaː, 5'),
        ("sentence-IPA-transcription", "IntervalTier", "1.50", "2.00", "0"),
        ("sentence-English-translation", "IntervalTier", "0.00", "1.50", "water"),
        ("sentence-IPA-transcription", "IntervalTier", "1.50", "2.00", "again"),
    ]
    if suffix == "json":
        text = json.dumps({"schema": {}, "data": [dict(zip(tier_exports.COLUMNS, r, strict=True)) for r in table]})
    else:
        text = "\n".join(("," if suffix == "csv" else "\t").join(r) for r in [tier_exports.COLUMNS, *table])
    names = [f"A20240301-slice000{n}_x" for n in range(2)]
    contents: dict[str, bytes | str] = {f"{n}.{suffix}": text for n in names} | {f"{n}.wav": wav() for n in names}
    check(plant(tmp_path / "tables", contents), script="IPA")
    assert form(draft) == "D"
    found = rows(draft)
    assert [r["text"] for r in found] == ['paːniː, "aːm" mittʰaː, 5', "again"] * 2
    assert {r["recording"] for r in found} == {"recording-1"} and len({r["file_name"] for r in found}) == 2


def test_format_d_supports_line_breaks_in_texts(tmp_path: Path, draft: Path, check: Check) -> None:
    start = "sentence-IPA-transcription,IntervalTier"
    text = (
        f"{','.join(tier_exports.COLUMNS)}\n{start},0,1,one\ntwo, three\n{start},1,2,four\u2028five\n{start},?,?,none\n"
    )
    for encoding in ("utf-8", "utf-16"):
        result = check(plant(tmp_path / encoding, {"a.csv": text.encode(encoding), "a.wav": wav()}))
        assert [r["text"] for r in rows(draft)] == ["one two, three", "four\u2028five"]
        assert "1 with an end that is not after the start" in str(result["findings"])


def test_format_e_validates_base64_and_audio(tmp_path: Path, draft: Path, check: Check) -> None:
    good = base64.b64encode(wav(1.0)).decode()
    items = [
        {"audio": good, "transcription": "gut"},
        {"audio": good[:40] + "!" + good[40:], "transcription": "no base64"},
        {"audio": base64.b64encode(b"some text").decode(), "transcription": "no audio"},
        {"audio": "", "transcription": "none"},
        {"audio": "some text as latin1", "transcription": "raw"},
    ]
    mappings = {
        "projectList.json": ["Awadhi"],
        "project_script_mapping.json": {"Awadhi": ["Devanagari"]},
        "script_dataset_mapping.json": {"Devanagari": ["dataset.json"]},
    }
    contents = {k: json.dumps(v) for k, v in {"dataset.json": items, **mappings}.items()}
    result = check(zipped(tmp_path / "old.zip", contents))
    assert form(draft) == "E" and [r["text"] for r in rows(draft)] == ["gut"]
    assert rows(draft)[0]["project"] == "Awadhi" and "start" not in rows(draft)[0]
    said = next(f["message"] for f in result["findings"] if f["code"] == "life-left-out")
    assert "3 with audio that cannot be decoded" in said and "1 without audio file" in said
    mappings["project_script_mapping.json"] = {"Awadhi": ["Devanagari"], "Braj": ["Devanagari"]}
    contents = {k: json.dumps(v) for k, v in {"dataset.json": items, **mappings}.items()}
    assert "life-mapping-unclear" in codes(check(zipped(tmp_path / "older.zip", contents)))


def test_format_f_is_a_table_with_a_folder_of_audio(tmp_path: Path, draft: Path, check: Check) -> None:
    contents = {"data.csv": 'audio,transcription\naudio/a.wav,"eins, zwei"\nb.wav,drei\nc.wav,vier\n'}
    result = check(plant(tmp_path / "plain", {**contents, "audio/a.wav": wav(1), "audio/b.wav": wav(2, 2)}))
    assert form(draft) == "F" and [r["text"] for r in rows(draft)] == ["eins, zwei", "drei"]
    assert "1 without audio file" in str(result["findings"])
    for encoding, guessed in (("utf-16", False), ("cp1252", True)):
        table = "audio,transcription\na.wav,Grüße\n".encode(encoding)
        result = check(plant(tmp_path / encoding, {f"{PEOPLE[2]}.csv": table, "a.wav": wav(1)}))
        assert form(draft) == "F" and [r["text"] for r in rows(draft)] == ["Grüße"]
        assert ("encoding-guessed" in codes(result)) == guessed and holds_a_name(draft) == []


def test_a_duplicate_recording_is_skipped(tmp_path: Path, draft: Path, check: Check) -> None:
    one = json.dumps(document(1))
    contents = {**files(document(1)), "copy/again.json": one}
    result = check(plant(tmp_path / "twice", contents), script="Devanagari")
    assert "life-twice" in codes(result) and len(rows(draft)) == 2


def test_several_speakers_of_a_segment_are_one_group() -> None:
    names = Pseudonyms()
    grids = grid(boundary(0, 1, ["Asha", "Mohan"], X="a"), boundary(1, 2, "Mohan", X="b"), boundary(2, 3, "", X="c"))
    found = parse_recording(document(1, textGrid=grids, speakerId=["Asha"]), names)
    speakers = [s.speaker for s in found.layers["latest"]]
    assert speakers == ["speaker-1+speaker-2", "speaker-2", "speaker-1"]


def test_names_of_people_are_removed_from_script_names(tmp_path: Path, draft: Path, check: Check) -> None:
    texts = grid(boundary(0, 1, **{f"{PEOPLE[1]}-IPA": "a", f"{PEOPLE[2].upper()}-IPA": "b"}))
    check(zipped(tmp_path / "x.zip", files(document(1, textGrid=texts))))
    assert {s.script for s in opened(draft).list_scripts(["Bhojpuri"])} >= {"…-IPA", "…-IPA 2"}
    assert holds_a_name(draft) == []


def test_only_archives_keep_their_name_in_the_path() -> None:
    assert catalog.name_upload(["Bho.zip", "b.zip"], "10:00:00") == "LiFE export Bho.zip and 1 more, opened 10:00:00"
    assert PEOPLE[0] not in catalog.name_upload([f"{PEOPLE[0]}.json", f"{PEOPLE[0]}.wav"], "10:00:00")
    assert source._project_name(catalog.name_upload(["Bho_textgrids.zip", "b.zip"], "10:00:00")) == "Bho"
    assert source._project_name(catalog.name_upload(["x.json", "x.wav"], "10:00:00")) == "LiFE project"


def test_invalid_times_are_counted(tmp_path: Path, draft: Path, check: Check) -> None:
    lines = "".join(f"sentence-X-transcription,IntervalTier,{t},3,word\n" for t in ("1", "nan", "inf", "", "x"))
    export = plant(tmp_path / "t", {"a.csv": ",".join(tier_exports.COLUMNS) + "\n" + lines, "a.wav": wav()})
    assert "4 with an end that is not after the start" in str(check(export)["findings"]) and len(rows(draft)) == 1


def test_times_beyond_the_range_of_a_float_are_invalid() -> None:
    huge = 10**400
    found = parse_recording(document(1, textGrid=grid(boundary(0, huge, X="a"))), Pseudonyms()).layers["latest"]
    assert [(s.start, s.end) for s in found] == [(0.0, -1.0)]
    assert [s.start for s in tier_exports._group_by_time([("sentence-X-transcription", 0, huge, "a")])] == [-1.0]


def test_the_sample_has_scripts_and_layers_for_the_picker(draft: Path, browse: Check, check: Check) -> None:
    answer = browse("sample", "open")
    store = opened(draft)
    assert [p["name"] for p in answer["projects"]] == ["village_stories"]
    assert {s.script for s in store.list_scripts(["village_stories"])} == {"Devanagari", "IPA"}
    layers = store.list_datasets(["village_stories"], "Devanagari")
    assert [(d.id, d.machine) for d in layers] == [
        ("latest", False),
        ("annotator-1", False),
        ("annotator-2", False),
        ("machine-1", True),
    ]
    shown = browse("sample", "preview", projects=["village_stories"], script="IPA", dataset="latest")
    assert shown["rows"] and all((draft / r["file"]).is_file() for r in shown["rows"])
    result = check("sample", script="IPA", dataset="latest")
    assert result["splits"] and not [f for f in result["findings"] if f["level"] == "error"]
    sides = [set(part["recording"]) for part in data.load(draft).values()]
    assert len(sides) == 2 and not sides[0] & sides[1]  # slices of one recording overlap
    for name in ("asha", "mohan", "leela", "kavita", "imran"):
        assert not [p for p in draft.rglob("*") if p.is_file() and name.encode() in p.read_bytes()]


def test_a_question_without_an_opened_export_is_an_error(browse: Check) -> None:
    error = refusal(lambda: browse("sample", "preview", projects=["x"], script="y", dataset="z"))
    assert error.code == "life-closed"
