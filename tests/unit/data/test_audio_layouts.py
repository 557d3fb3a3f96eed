"""Audio with its transcripts in every layout that is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets.table import InMemoryTable

from autotrain_gradio import data
from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.data.files.encoding import WESTERN, decode_as
from autotrain_gradio.data.layouts import elan, textgrid
from autotrain_gradio.data.media.audio_files import read_audio
from autotrain_gradio.tasks.options import spec_from_options
from autotrain_gradio.tasks.registry import registry
from autotrain_gradio.tasks.views import command_view
from tests.unit.data.conftest import codes, errors, finding, plant
from tests.unit.data.fake_hub import serve
from tests.unit.data.roles import dropped
from tests.unit.data.sounds import sound
from tests.unit.data.speech import check, loaded


def clips(*names: str, format: str = "WAV", seconds: float = 1.0) -> dict[str, bytes]:
    return {n: sound(seconds, hertz=200 + 20 * k, format=format) for k, n in enumerate(names)}


def test_columns_may_have_any_name(tmp_path: Path, draft: Path) -> None:
    files: dict[str, Any] = clips(*(f"sound/{i}.wav" for i in range(6)))
    files["list.tsv"] = "nr\tDatei\tWas gesagt wird\n" + "".join(f"{i}\t{i}.wav\tguten Morgen {i}\n" for i in range(6))
    result = check(draft, plant(tmp_path / "in", files), columns={"text": "Was gesagt wird"})
    assert not errors(result) and result["mapping"]["audio"] == ["Datei"]
    assert {r["text"] for r in loaded(draft)} == {f"guten Morgen {i}" for i in range(6)}


def test_audiofolder_with_splits(tmp_path: Path, draft: Path) -> None:
    files: dict[str, Any] = clips(*(f"{s}/{i}.flac" for s in ("train", "test") for i in range(4)), format="FLAC")
    for s in ("train", "test"):
        rows = [{"file_name": f"{i}.flac", "transcription": f"{s} {i}"} for i in range(4)]
        files[f"{s}/metadata.jsonl"] = "\n".join(json.dumps(r) for r in rows)
    result = check(draft, plant(tmp_path / "in", files), valid_split="test")
    assert result["splits"] == {"train": 4, "validation": 4}


COMMON = "client_id\tpath\tsentence\tup_votes\tage\n"


def common(prefix: str, count: int) -> str:
    return COMMON + "".join(f"speaker{i % 6}\t{prefix}{i}.mp3\tsentence {i}\t2\t\n" for i in range(count))


def test_common_voice(tmp_path: Path, draft: Path) -> None:
    names = [f"cv/hi/clips/{s}{i}.mp3" for s in ("a", "b", "c") for i in range(12 if s == "a" else 2)]
    files: dict[str, Any] = {
        **clips(*names, format="MP3"),
        "cv/hi/validated.tsv": common("a", 12),
        "cv/hi/invalidated.tsv": common("b", 2),
        "cv/hi/other.tsv": common("c", 2),
        "cv/hi/clip_durations.tsv": "clip\tduration[ms]\n" + "".join(f"a{i}.mp3\t1000\n" for i in range(12)),
    }
    result = check(draft, plant(tmp_path / "in", files))
    assert result["rows"] == 12 and "'speaker'" in result["split_how"], "what was voted down is not trained on"
    assert "invalidated.tsv" in finding(result, "tables-not-used")["message"]
    plant(tmp_path / "in", {"cv/hi/train.tsv": common("a", 9), "cv/hi/dev.tsv": COMMON + "x\ta10.mp3\tlast one\t2\t\n"})
    assert check(draft, tmp_path / "in")["splits"] == {"train": 9, "validation": 1}


def dataset(cells: list[dict[str, Any]], audio: str, text: str) -> datasets.Dataset:
    """Return a dataset with a column of the type Audio, made without the library's encoder, which wants torchcodec."""
    features = datasets.Features({audio: datasets.Audio(decode=False), text: datasets.Value("string")})
    columns = {audio: cells, text: [f"words {i}" for i in range(len(cells))]}
    table = pa.table(columns, schema=features.arrow_schema)
    return datasets.Dataset(InMemoryTable(table), info=datasets.DatasetInfo(features=features))


def test_parquet_with_audio_inside(tmp_path: Path, draft: Path) -> None:
    cells = [{"bytes": sound(1.0 + i / 10, hertz=300 + i), "path": f"{i}.wav"} for i in range(6)]
    made = dataset(cells, "audio", "text")
    (tmp_path / "in").mkdir()
    pq.write_table(made.data.table, tmp_path / "in" / "train.parquet")
    result = check(draft, tmp_path / "in")
    assert result["layout"]["name"] == "embedded" and result["splits"] == {"train": 5, "validation": 1}
    rows = loaded(draft)
    assert {len(read_audio(r["audio"])) for r in rows} == {round(16_000 * (1 + i / 10)) for i in range(6)}
    assert all(r["audio_seconds"] == pytest.approx(len(read_audio(r["audio"])) / 16_000) for r in rows)
    assert len(next(p for p in result["gallery"] if p["kind"] == "gallery")["items"]) == 6


def test_a_saved_dataset_and_plain_bytes(tmp_path: Path, draft: Path) -> None:
    cells = [{"bytes": sound(hertz=300 + i), "path": None} for i in range(6)]
    dataset(cells, "sound", "sentence").save_to_disk(str(tmp_path / "saved"))
    result = check(draft, tmp_path / "saved")
    assert result["layout"]["name"] == "saved-dataset" and sum(result["splits"].values()) == 6
    (tmp_path / "plain").mkdir()
    table = pa.table({"audio": [c["bytes"] for c in cells], "text": [f"words {i}" for i in range(6)]})
    pq.write_table(table, tmp_path / "plain" / "data.parquet")
    assert check(draft, tmp_path / "plain")["layout"]["name"] == "embedded"
    assert len(loaded(draft)) == 6


def test_librispeech(tmp_path: Path, draft: Path) -> None:
    files: dict[str, Any] = {}
    for split, speakers in (("train-clean-100", (84, 85)), ("dev-clean", (99,))):
        for speaker in speakers:
            base = f"LibriSpeech/{split}/{speaker}/121/{speaker}-121"
            files |= clips(*(f"{base}-000{i}.flac" for i in range(3)), format="FLAC")
            files[f"{base}.trans.txt"] = "".join(f"{speaker}-121-000{i} GO DO YOU HEAR {i}\n" for i in range(3))
    files["LibriSpeech/train-clean-100/84/121/84-121-0009.flac"] = sound()
    files["LibriSpeech/train-clean-100/84/121/84-121.trans.txt"] += "84-121-0007 NOT THERE\n84-121-0008\n"
    files["LibriSpeech/train-clean-100/84/121/84-121-0008.flac"] = sound(2.0)
    result = check(draft, plant(tmp_path / "in", files))
    assert result["layout"]["name"] == "librispeech"
    assert result["splits"] == {"train": 6, "validation": 3}
    assert dropped(result) == {"audio-missing": 1, "text-empty": 1}
    assert "84-121-0009.flac" in finding(result, "audio-without-text")["message"]
    rows = {Path(r["audio"]["path"]).stem: r for r in loaded(draft)}
    assert rows["85-121-0001"]["text"] == "GO DO YOU HEAR 1"
    assert rows["85-121-0001"]["speaker"] == "85" and rows["85-121-0001"]["recording"] == "85-121"


def kaldi(**files: str) -> dict[str, Any]:
    return {
        **clips("data/audio/talk1.wav", "data/audio/talk2.wav", seconds=6.0),
        **{f"data/{n.replace('_', '.')}": t for n, t in files.items()},
    }


def test_kaldi_with_segments_and_speakers(tmp_path: Path, draft: Path) -> None:
    text = (
        "".join(f"t1-{i} good morning {i}\nt2-{i} good evening {i}\n" for i in range(3))
        + "t3-0 nowhere\nt1-9 odd\nt1-7 odder\n"
    )
    segments = "".join(f"t{k}-{i} talk{k} {i} {i + 0.9}\n" for k in (1, 2) for i in range(3))
    files = kaldi(
        wav_scp="talk1 /export/corpora/audio/talk1.wav\ntalk2 audio/talk2.wav\n",
        text=text,
        segments=segments + "t1-8 talk1 4 5\nt1-9 talk1 x y\nt1-7 talk1 4 nan\n",
        utt2spk="".join(f"t{k}-{i} spk{k}\n" for k in (1, 2) for i in range(3)),
    )
    result = check(draft, plant(tmp_path / "in", files))
    assert result["layout"]["name"] == "kaldi" and not errors(result)
    assert dropped(result) == {"audio-missing": 3, "text-empty": 1}
    assert "'t1-9'" in finding(result, "segment-damaged")["message"]
    elsewhere = finding(result, "files-elsewhere")["message"]
    assert "1 path comes" in elsewhere and "/export/corpora/audio/talk1.wav → data/audio/talk1.wav" in elsewhere
    assert "'t3-0'" in finding(result, "utterance-without-audio")["message"]
    rows = {r["text"]: r for r in loaded(draft)}
    assert len(rows) == 6 and (rows["good evening 2"]["start"], rows["good evening 2"]["end"]) == (2.0, 2.9)
    assert rows["good evening 2"]["speaker"] == "spk2" and rows["good evening 2"]["recording"] == "talk2"
    assert len(read_audio(rows["good evening 2"]["audio"], 2.0, 2.9)) == 14_400


def test_kaldi_without_segments_and_with_splits(tmp_path: Path, draft: Path) -> None:
    files: dict[str, Any] = {}
    for split, count in (("train", 4), ("dev", 2)):
        files |= clips(*(f"wav/{split}{i}.wav" for i in range(count)))
        files[f"data/{split}/wav.scp"] = "".join(f"{split}{i} wav/{split}{i}.wav\n" for i in range(count))
        files[f"data/{split}/text"] = "".join(f"{split}{i} some words {i}\n" for i in range(count))
    assert check(draft, plant(tmp_path / "in", files))["splits"] == {"train": 4, "validation": 2}


@pytest.mark.parametrize("sign", ["\u2028", "\x85", "\x0c"])
def test_only_line_feeds_end_a_line(tmp_path: Path, draft: Path, sign: str) -> None:
    """Unicode has other signs that Python's splitlines takes for ends of lines; no format here does."""
    said = [f"guten{sign}Morgen {i}" for i in range(4)]
    layouts: dict[str, dict[str, Any]] = {
        "kaldi": {
            "wav.scp": "".join(f"u{i} {i}.wav\n" for i in range(4)),
            "text": "".join(f"u{i} {t}\n" for i, t in enumerate(said)),
        },
        "librispeech": {"1-2.trans.txt": "".join(f"{i} {t}\n" for i, t in enumerate(said))},
    }
    if sign == "\u2028":  # the others are written as escapes in JSON
        lines = [json.dumps({"audio": f"{i}.wav", "text": t}, ensure_ascii=False) for i, t in enumerate(said)]
        layouts["table"] = {"list.json": "\n".join(lines)}
    for name, files in layouts.items():
        result = check(draft, plant(tmp_path / name, {**files, **clips(*(f"{i}.wav" for i in range(4)))}))
        assert result["rows"] == 4 and not errors(result), (name, result["findings"])
        assert {r["text"] for r in loaded(draft)} == set(said), name


def test_commands_of_kaldi_are_never_run(tmp_path: Path, draft: Path) -> None:
    command = f"touch {tmp_path}/ran; cat audio/talk1.wav |"
    files = kaldi(wav_scp=f"talk1 {command}\ntalk2 data/raw.ark:1234\n", text="talk1 one\ntalk2 two\n")
    result = check(draft, plant(tmp_path / "in", files))
    assert {"command-refused", "ark-refused"} <= set(errors(result))
    assert "row 1: touch" in finding(result, "command-refused")["message"] and not (tmp_path / "ran").exists()


LONG_FORM = '''File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 6 ! six seconds
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "IntervalTier"
        name = "sentence"
        xmin = 0
        xmax = 6
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 2.5
            text = "he said ""no"""
        intervals [2]:
            xmin = 2.5
            xmax = 3
            text = ""
        intervals [3]:
            xmin = 3
            xmax = 6
            text = "नमस्ते दुनिया 5
over two lines"
    item [2]:
        class = "TextTier"
        name = "bells"
        xmin = 0
        xmax = 6
        points: size = 1
        points [1]:
            number = 1.5
            mark = "ding"
    item [3]:
        class = "IntervalTier"
        name = "word"
        xmin = 0
        xmax = 6
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 1
            text = "he"
'''
SHORT_FORM = '"ooTextFile"\n"TextGrid"\n0\n6\n<exists>\n1\n"IntervalTier"\n"sentence"\n0\n6\n1\n1\n2\n"hello there"\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_textgrids_are_parsed_in_every_form(encoding: str) -> None:
    found = textgrid.parse(decode_as(LONG_FORM.encode(encoding), WESTERN), "x").tiers
    assert [t.name for t in found] == ["sentence", "bells", "word"]
    assert found[0].intervals[0] == (0.0, 2.5, 'he said "no"') and found[0].intervals[2].text.startswith("नमस्ते")
    assert found[1].intervals == [] and found[2].intervals == [(0.0, 1.0, "he")]
    assert textgrid.parse(decode_as(SHORT_FORM.encode(encoding), WESTERN), "x").tiers[0].intervals == [
        (1.0, 2.0, "hello there")
    ]


@pytest.mark.parametrize(
    "content, why",
    [
        (b"ooBinaryFile\x08TextGrid", "binary"),
        (b"hello", "too early"),
        (b'"ooTextFile"\n"Sound"\n', "first lines"),
        (LONG_FORM[:600].encode(), "too early"),
        (b'"ooTextFile"\n"TextGrid"\n0\n1\n<exists>\n1e999\n', "infinity"),
        (SHORT_FORM.replace("1\n2\n", '"a"\n2\n').encode(), "where a number"),
    ],
)
def test_damaged_textgrid_error_states_the_cause(content: bytes, why: str) -> None:
    with pytest.raises(DataError, match=why) as error:
        textgrid.parse(decode_as(content, WESTERN), "talk.TextGrid")
    assert error.value.where == "talk.TextGrid" and error.value.hint


def test_textgrids_beside_their_audio(tmp_path: Path, draft: Path) -> None:
    files: dict[str, Any] = clips("a/one.wav", "a/two.wav", "audio/three.flac", seconds=6.0)
    for name in ("a/one", "a/two", "grids/three"):
        files[f"{name}.TextGrid"] = LONG_FORM.encode("utf-16")
    files["a/none.TextGrid"] = SHORT_FORM
    files["a/broken.TextGrid"] = "hello"
    folder = plant(tmp_path / "in", files)
    result = check(draft, folder)
    assert result["layout"]["name"] == "textgrid" and not errors(result)
    assert dropped(result) == {"audio-missing": 1} and sum(result["splits"].values()) == 6
    assert "a/broken.TextGrid" in finding(result, "textgrid-damaged")["where"]
    assert "'sentence' (7 segments, 18 s)" in finding(result, "tier-chosen")["message"]
    other = finding(result, "tier-other")
    assert "'word'" in other["message"] and "3 segments" in other["message"]
    assert {Path(r["audio"]["path"]).name for r in loaded(draft)} == {"one.wav", "two.wav", "three.flac"}
    assert {(r["start"], r["end"]) for r in loaded(draft)} == {(0.0, 2.5), (3.0, 6.0)}
    switched = check(draft, folder, **other["fix"]["change"])
    assert sum(switched["splits"].values()) == 3 and {r["text"] for r in loaded(draft)} == {"he"}
    assert "a/none.TextGrid" in finding(switched, "tier-missing-in-files")["message"]
    unknown = check(draft, folder, options={"tier": "sentense"})
    assert "'sentence'" in finding(unknown, "tier-unknown")["hint"]


EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT>
  <HEADER>
    <MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/Users/x/the%20talk.wav" RELATIVE_MEDIA_URL="./the%20talk.wav"/>
  </HEADER>
  <TIME_ORDER>
    <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="0"/><TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="1500"/>
    <TIME_SLOT TIME_SLOT_ID="ts3"/><TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="3500"/>
  </TIME_ORDER>
  <TIER TIER_ID="tx@A" PARTICIPANT="Anna" LINGUISTIC_TYPE_REF="utterance">
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
      <ANNOTATION_VALUE>good morning to you</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts3" TIME_SLOT_REF2="ts4">
      <ANNOTATION_VALUE>and to all</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
  </TIER>
  <TIER TIER_ID="tx@B" PARTICIPANT="Bea" LINGUISTIC_TYPE_REF="utterance">
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="b1" TIME_SLOT_REF1="ts2" TIME_SLOT_REF2="ts4">
      <ANNOTATION_VALUE>hello</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
  </TIER>
  <TIER TIER_ID="wd@A" PARENT_REF="tx@A" LINGUISTIC_TYPE_REF="word">
    <ANNOTATION><REF_ANNOTATION ANNOTATION_ID="w1" ANNOTATION_REF="a1">
      <ANNOTATION_VALUE>good</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>
    <ANNOTATION><REF_ANNOTATION ANNOTATION_ID="w2" ANNOTATION_REF="a1" PREVIOUS_ANNOTATION="w1">
      <ANNOTATION_VALUE>day</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>
  </TIER>
</ANNOTATION_DOCUMENT>
"""


def test_elan_times_references_and_untimed_slots() -> None:
    found = elan.parse(EAF, "x.eaf")
    by_name = {t.name: t for t in found.tiers}
    assert by_name["tx@A"].intervals == [(0.0, 1.5, "good morning to you"), (2.5, 3.5, "and to all")]
    assert by_name["wd@A"].intervals == [(0.0, 1.5, "good day")] and by_name["tx@B"].speaker == "Bea"
    assert "./the talk.wav" in found.media
    shifted = elan.parse(EAF.replace("MEDIA_URL=", 'TIME_ORIGIN="500" MEDIA_URL=', 1), "x.eaf")
    assert shifted.tiers[0].intervals[0][:2] == (0.5, 2.0)
    huge = elan.parse(EAF.replace("MEDIA_URL=", f'TIME_ORIGIN="{10**400}" MEDIA_URL=', 1), "x.eaf")
    assert huge.tiers[0].intervals[0][:2] == (0.0, 1.5)


def test_elan_beside_its_audio(tmp_path: Path, draft: Path) -> None:
    files: dict[str, Any] = {**clips("media/the talk.wav", "two.wav", seconds=4.0), "talk1.eaf": EAF, "two.eaf": EAF}
    folder = plant(tmp_path / "in", files)
    result = check(draft, folder)
    assert result["layout"]["name"] == "elan" and sum(result["splits"].values()) == 4
    assert "'tx@A' (4 segments" in finding(result, "tier-chosen")["message"]
    assert {r["speaker"] for r in loaded(draft)} == {"Anna"}
    both = check(draft, folder, **finding(result, "tiers-of-one-type")["fix"]["change"])
    assert sum(both["splits"].values()) == 6 and {r["speaker"] for r in loaded(draft)} == {"Anna", "Bea"}
    assert {Path(r["audio"]["path"]).name for r in loaded(draft)} == {"the talk.wav", "two.wav"}


POLISH = ["Paczka przyszła za późno, proszę o zwrot pieniędzy.", "Gęś i kaczka płyną łódką po jeziorze.", "źle"]


@pytest.mark.parametrize("suffix, content, old", [("TextGrid", SHORT_FORM, "hello there"), ("eaf", EAF, "and to all")])
def test_annotations_that_are_not_unicode_are_decoded_alike(
    tmp_path: Path, draft: Path, suffix: str, content: str, old: str
) -> None:
    files: dict[str, Any] = clips(*(f"{k}.wav" for k in range(3)), seconds=6.0)
    for k, text in enumerate(POLISH):
        files[f"{k}.{suffix}"] = content.replace(old, text).encode("cp1250")
    folder = plant(tmp_path / "in", files)
    result = check(draft, folder)
    assert not errors(result) and {r["text"] for r in loaded(draft)} >= set(POLISH)
    found = finding(result, "encoding-guessed")
    assert found["level"] == "warning" and f"3 files (0.{suffix}" in found["message"] and "przyszła" in found["message"]
    assert all("cp1250" not in fix["note"] for fix in found["alternatives"])
    confirmed = check(draft, folder, **found["fix"]["change"])
    assert "encoding-guessed" not in codes(confirmed) and {r["text"] for r in loaded(draft)} >= set(POLISH)
    check(draft, folder, encoding="cp1251")
    assert POLISH[0] not in {r["text"] for r in loaded(draft)}


def test_an_elan_file_in_the_encoding_that_it_declares(tmp_path: Path, draft: Path) -> None:
    content = EAF.replace("UTF-8", "windows-1250").replace("and to all", POLISH[2])
    folder = plant(tmp_path / "in", {**clips("a.wav", seconds=6.0), "a.eaf": content.encode("cp1250")})
    result = check(draft, folder)
    assert not errors(result) and "encoding-guessed" not in codes(result)
    assert POLISH[2] in {r["text"] for r in loaded(draft)}


BOMB = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><ANNOTATION_DOCUMENT>&y;</ANNOTATION_DOCUMENT>'


@pytest.mark.parametrize(
    "content", [BOMB.encode(), BOMB.encode("utf-16"), b"<html></html>", b"no xml", EAF[:900].encode(), b""]
)
def test_damaged_and_hostile_elan_files_are_refused(content: bytes) -> None:
    with pytest.raises(DataError) as error:
        elan.parse(decode_as(content, WESTERN), "x.eaf")
    assert error.value.code == "eaf-damaged" and error.value.where == "x.eaf"


def test_the_sample_is_ready_to_train(draft: Path) -> None:
    result = check(draft, "numbers", source="sample")
    assert result["splits"] == {"train": 128, "validation": 32} and not result["dropped"]
    assert not [f for f in result["findings"] if f["level"] != "info"]
    train, validation = data.load(draft)["train"], data.load(draft)["validation"]
    assert set(train["speaker"]) == set(validation["speaker"]) == {"voice-1", "voice-2"}
    assert not set(train["text"]) & set(validation["text"])
    words = {w for t in train["text"] for w in t.split()}
    assert len(words) == 10 and {w for t in validation["text"] for w in t.split()} <= words
    assert all(len(read_audio(r["audio"])) > 4000 for r in train.select(range(5)))
    assert "audio-sampled" in codes(result)


def test_hub_downloads_the_files_that_layouts_declare(tmp_path: Path, draft: Path) -> None:
    with serve(tmp_path / "hub") as hub:
        files: dict[str, Any] = clips("one.wav", "two.wav", seconds=6.0)
        plant(hub.root / "ann/talks", {**files, "one.TextGrid": LONG_FORM, "two.TextGrid": LONG_FORM, "README.md": ""})
        result = check(draft, "ann/talks", source="hub", endpoint=hub.url)
        assert result["layout"]["name"] == "textgrid" and sum(result["splits"].values()) == 4
        files = clips("audio/a.wav", "audio/b.wav")
        plant(hub.root / "ann/kaldi", {**files, "wav.scp": "a audio/a.wav\nb audio/b.wav\n", "text": "a one\nb two\n"})
        assert check(draft, "ann/kaldi", source="hub", endpoint=hub.url)["layout"]["name"] == "kaldi"
        made = dataset([{"bytes": sound(hertz=300 + i), "path": None} for i in range(6)], "audio", "text")
        (hub.root / "ann/audio/data").mkdir(parents=True)
        pq.write_table(made.data.table, hub.root / "ann/audio/data/train-00000-of-00001.parquet")
        assert check(draft, "ann/audio", source="hub", endpoint=hub.url)["layout"]["name"] == "embedded"
        assert len(loaded(draft)) == 6


def test_tier_is_a_command_line_option() -> None:
    task = registry().get("automatic-speech-recognition")
    spec = RunSpec.model_validate(
        {"task": task.name, "data": {"source": "path", "path": "/x", "options": {"tier": ["tx@A", "tx@B"]}}}
    )
    assert "--tier tx@A tx@B" in command_view(spec)
    again = spec_from_options(task, {"data_path": "/x", "tier": ["tx@A", "tx@B"]})
    assert again["data"]["options"] == {"tier": ["tx@A", "tx@B"]}
