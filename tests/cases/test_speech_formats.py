"""Transcripts in the formats that people have: beside the audio, as subtitles, labels, manifests and exports."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.data.layouts import praat_table, tiers
from tests.cases.conftest import CheckCase, Checked, check_path
from tests.unit.data.conftest import plant
from tests.unit.data.sounds import sound

SPEECH = "automatic-speech-recognition"


def checked(folder: Path, files: dict[str, Any], **settings: Any) -> Checked:
    """Check files, of which a number is audio of so many seconds."""
    planted = {n: sound(c, hertz=200 + 7 * k) if isinstance(c, float) else c for k, (n, c) in enumerate(files.items())}
    return check_path(folder, SPEECH, plant(folder / "in", planted), **settings)


def times(of: Checked) -> list[tuple[str, float, float]]:
    return sorted((row["text"], row["start"], row["end"]) for row in of.rows())


@pytest.mark.parametrize(
    ("case", "layout"),
    [
        pytest.param("44-wav-and-txt", "text-beside-audio", id="a .txt beside each audio file"),
        pytest.param("44b-wav-and-lab", "text-beside-audio", id="a .lab beside each audio file"),
        pytest.param("44d-srt", "subtitles", id="subtitles beside the audio"),
        pytest.param("44e-audacity", "audacity", id="labels of Audacity beside the audio"),
    ],
)
def test_each_transcript_is_a_row(check_case: CheckCase, case: str, layout: str) -> None:
    found = check_case(case, SPEECH)
    assert not found.errors and not found.codes("warning")
    assert found.result["layout"]["name"] == layout
    assert len(found.rows()) == 10 and all(found.column("text"))


def test_elan_proposes_the_transcription_not_its_translation(check_case: CheckCase) -> None:
    found = check_case("23-elan", SPEECH)
    assert not found.codes("error", "warning")
    assert "'A_tx'" in found.message("tier-chosen")
    assert {("gurra ngai", 4.0, 5.0), ("mala wandu", 5.0, 6.0)} <= set(times(found))


def eaf(tiers: str, constraint: str = "") -> str:
    return (
        '<ANNOTATION_DOCUMENT><HEADER TIME_UNITS="milliseconds"/><TIME_ORDER>'
        + "".join(f'<TIME_SLOT TIME_SLOT_ID="ts{k}" TIME_VALUE="{500 * k}"/>' for k in range(9))
        + f"</TIME_ORDER>{tiers}{constraint}</ANNOTATION_DOCUMENT>"
    )


def aligned(name: str, texts: list[str], type: str = "utterance") -> str:
    return (
        f'<TIER TIER_ID="{name}" LINGUISTIC_TYPE_REF="{type}">'
        + "".join(
            f'<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="{name}{k}" TIME_SLOT_REF1="ts{2 * k}" '
            f'TIME_SLOT_REF2="ts{2 * k + 1}"><ANNOTATION_VALUE>{text}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION>'
            "</ANNOTATION>"
            for k, text in enumerate(texts)
        )
        + "</TIER>"
    )


def refers(name: str, parent: str, texts: list[str], type: str = "tx") -> str:
    return (
        f'<TIER TIER_ID="{name}" PARENT_REF="{parent}" LINGUISTIC_TYPE_REF="{type}">'
        + "".join(
            f'<ANNOTATION><REF_ANNOTATION ANNOTATION_ID="{name}{k}" ANNOTATION_REF="{parent}{k}">'
            f"<ANNOTATION_VALUE>{text}</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>"
            for k, text in enumerate(texts)
        )
        + "</TIER>"
    )


SPOKEN = ["ngai bidhi", "wandu mala", "gurra", "birri"]
ENGLISH = ["I saw a big house over there", "come and sit with us here", "the river, an old one", "yes indeed it was so"]


@pytest.mark.parametrize(
    ("tiers", "chosen"),
    [
        pytest.param(
            aligned("ref@A", [f"text1.00{k}" for k in range(4)])
            + refers("tx@A", "ref@A", SPOKEN)
            + refers("ft@A", "ref@A", ENGLISH, "ft"),
            "tx@A",
            id="Toolbox: sentence numbers are aligned, texts refer to them",
        ),
        pytest.param(
            aligned("A_phrase-gls-en", ENGLISH, "phrase") + aligned("A_phrase-txt-xx", SPOKEN, "phrase"),
            "A_phrase-txt-xx",
            id="FLEx: both tiers are aligned",
        ),
        pytest.param(
            aligned("Ann", SPOKEN) + refers("Ann in English", "Ann", ENGLISH, "translation"),
            "Ann",
            id="translation by its linguistic type",
        ),
        pytest.param(
            aligned("speech", SPOKEN) + aligned("Notes", [f"{text} or was it" for text in ENGLISH]),
            "speech",
            id="longer comments",
        ),
    ],
)
def test_the_tier_with_the_transcription(tmp_path: Path, tiers: str, chosen: str) -> None:
    found = checked(tmp_path, {"a.wav": 5.0, "a.eaf": eaf(tiers)})
    assert f"'{chosen}'" in found.message("tier-chosen")
    assert set(found.column("text")) == set(SPOKEN)


def test_a_translation_alone_is_used_with_its_name(tmp_path: Path) -> None:
    found = checked(tmp_path, {"a.wav": 5.0, "a.eaf": eaf(aligned("translation", ENGLISH))})
    assert not found.errors and "'translation'" in found.message("tier-chosen")


VTT = """WEBVTT - a film
Kind: captions

STYLE
::cue { color: yellow }

NOTE This is
a comment

intro
00:00.500 --> 00:01.500 align:start position:0%
<v Ann>Good <i>morning</i> &amp; welcome

00:00:02.000 --> 00:00:03.000
<v Ben>- And
<c.yellow>good</c> evening

"""
SRT = """1
00:00:00,500 --> 00:00:01,500
{\\an8}Grüß Gott
Anna


2
00:00:02,000 --> 00:00:03,000

""".replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(
            {"film.wav": 4.0, "film.vtt": VTT},
            [("- And good evening", 2.0, 3.0), ("Good morning & welcome", 0.5, 1.5)],
            id="WebVTT with speakers, styles and notes",
        ),
        pytest.param(
            {"film.wav": 4.0, "film.srt": SRT.encode("cp1252")},
            [("Grüß Gott Anna", 0.5, 1.5)],
            id="SubRip in Windows-1252; one subtitle is empty",
        ),
        pytest.param(
            {"film.wav": 4.0, "subs/film.en-GB.srt": f"\ufeff{SRT}"},
            [("Grüß Gott Anna", 0.5, 1.5)],
            id="a language in the name, another folder, a byte order mark",
        ),
        pytest.param(
            {"a.wav": 4.0, "a.srt": "1\n0:0:00.5 --> 0:0:1.5\nyes\n\nno\n2\n00:00:02,000 --> 00:00:03,000\nno"},
            [("no", 2.0, 3.0), ("yes no", 0.5, 1.5)],
            id="an empty line within a subtitle, none between them",
        ),
    ],
)
def test_subtitles(tmp_path: Path, files: dict[str, Any], expected: list[tuple[str, float, float]]) -> None:
    found = checked(tmp_path, files)
    assert not found.errors and times(found) == expected


def test_invalid_times_of_subtitles_are_reported(tmp_path: Path) -> None:
    invalid = f"3\n00:00:05 -> 6 --> x\nlost words\n4\n{'9' * 5000}:00:00 --> 1:00:00\nno\n"
    message = checked(tmp_path, {"f.wav": 9.0, "f.srt": SRT + invalid}).message("subtitle-damaged")
    assert "row 11: '00:00:05 -> 6 --> x'" in message and "row 14: '99" in message
    nothing = checked(tmp_path / "none", {"f.wav": 9.0, "f.srt": "only words"})
    assert "no line has two times" in nothing.message("subtitles-empty")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        pytest.param(
            "0.5\t1.5\tone two\n2.000000\t3.000000\tthree\n", [("one two", 0.5, 1.5), ("three", 2.0, 3.0)], id="points"
        ),
        pytest.param(
            "0,5\t1,5\tone two\r\n2,0\t3,0\tthree, four\r\n",
            [("one two", 0.5, 1.5), ("three, four", 2.0, 3.0)],
            id="decimal commas",
        ),
        pytest.param(
            "0.5\t1.5\tone\n\\\t100.0\t2000.0\n2.0\t3.0\ttwo\n",
            [("one", 0.5, 1.5), ("two", 2.0, 3.0)],
            id="ranges of frequencies",
        ),
        pytest.param(
            "0.5\t1.5\tone\n1.7\t1.7\tclick\n2.0\t3.0\ttwo\n", [("one", 0.5, 1.5), ("two", 2.0, 3.0)], id="moments"
        ),
    ],
)
def test_labels_of_audacity(tmp_path: Path, labels: str, expected: list[tuple[str, float, float]]) -> None:
    found = checked(tmp_path, {"talk.wav": 4.0, "labels/talk.txt": labels})
    assert not found.errors and times(found) == expected
    assert ("label-of-moment" in found.codes()) == ("click" in labels)


def manifest(rows: list[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def test_manifests_of_nemo(tmp_path: Path) -> None:
    clips: dict[str, Any] = {f"clips/{k}.wav": 1.0 for k in range(8)}
    rows = [{"audio_filepath": f"/data/x/clips/{k}.wav", "duration": 1.0, "text": f"word {k}"} for k in range(8)]
    both = {"train_manifest.json": manifest(rows[:6]), "dev_manifest.json": manifest(rows[6:])}
    found = checked(tmp_path / "splits", {**clips, **both})
    assert not found.errors and found.result["layout"]["name"] == "nemo"
    assert found.result["splits"] == {"train": 6, "validation": 2}
    one = checked(tmp_path / "one", {**clips, "train_manifest.json": manifest(rows)})
    assert len(one.rows()) == 8 and "start" not in one.rows()[0]


@pytest.mark.parametrize(
    "times",
    [
        {"offset": float("nan")},
        {"offset": "later"},
        {"offset": [1]},
        {"offset": 10**400},
        {"offset": 1, "duration": "x"},
    ],
    ids=str,
)
def test_a_segment_with_invalid_times_is_skipped_not_the_whole_file(tmp_path: Path, times: dict[str, Any]) -> None:
    rows = [
        {"audio_filepath": "long.wav", "offset": "0.5", "duration": 1.0, "text": "one"},
        {"audio_filepath": "long.wav", "duration": 1.0, "text": "two", **times},
    ]
    found = checked(tmp_path, {"long.wav": 4.0, "m.jsonl": manifest(rows)})
    assert [(r["text"], r["start"], r["end"]) for r in found.rows()] == [("one", 0.5, 1.5)]
    assert "row 2" in found.message("manifest-damaged")


def test_offsets_of_a_manifest_are_starts(tmp_path: Path) -> None:
    rows = [
        {"audio_filepath": "long.wav", "offset": 0.5, "duration": 1.0, "text": "one", "speaker": 7},
        {"audio_filepath": "long.wav", "offset": 2, "duration": 1.5, "text": "two", "speaker": 7},
    ]
    found = checked(tmp_path, {"long.wav": 4.0, "m.jsonl": manifest(rows) + '{"audio_filepath": 3}\nno JSON\n'})
    assert times(found) == [("one", 0.5, 1.5), ("two", 2.0, 3.5)]
    assert "row 3" in found.message("manifest-damaged") and "row 4" in found.message("manifest-damaged")


ELAN_LINES = {
    "all forms of times": "tx\tAnn\t00:00:00.500\t0.5\t500\t00:00:01.500\t1.5\t1500\t00:00:01.000\t1.0\t1000\tone two\n"
    "tx\tAnn\t00:00:02.000\t2.0\t2000\t00:00:03.500\t3.5\t3500\t00:00:01.500\t1.5\t1500\tthree\n",
    "milliseconds alone": "tx\tAnn\t500\t1500\t1000\tone two\ntx\tAnn\t2000\t3500\t1500\tthree\n",
    "no participants": "tx\t\t00:00:00.500\t00:00:01.500\tone two\ntx\t\t00:00:02.000\t00:00:03.500\tthree\n",
    "the name of the file above": '"#file:///C:/me/talk.eaf"\n'
    "tx\tAnn\t0.500\t1.500\t1.000\tone two\ntx\tAnn\t2.000\t3.500\t1.500\tthree\n",
    "a column for each tier": "Begin Time - hh:mm:ss.ms\tEnd Time - hh:mm:ss.ms\tDuration - hh:mm:ss.ms\ttx\tft\n"
    "00:00:00.500\t00:00:01.500\t00:00:01.000\tone two\tyes it was so, I say\n"
    "00:00:02.000\t00:00:03.500\t00:00:01.500\tthree\tperhaps it was otherwise\n",
}


@pytest.mark.parametrize("form", ELAN_LINES)
def test_exports_of_elan(tmp_path: Path, form: str) -> None:
    found = checked(tmp_path, {"talk.wav": 5.0, "talk.txt": ELAN_LINES[form]})
    assert not found.errors and found.result["layout"]["name"] == "elan-export"
    assert times(found) == [("one two", 0.5, 1.5), ("three", 2.0, 3.5)]


def test_rows_of_an_elan_export_that_do_not_fit_are_reported(tmp_path: Path) -> None:
    header, *rows = ELAN_LINES["a column for each tier"].splitlines()
    lines = [header, *rows * 60, "00:00:04.000", "4.5\t5.0\t0.5\tfour"]
    found = checked(tmp_path, {"talk.wav": 5.0, "talk.txt": "\n".join(lines)})
    assert set(times(found)) == {("one two", 0.5, 1.5), ("three", 2.0, 3.5)}
    assert "row 122" in found.message("annotation-damaged") and "row 123" in found.message("annotation-damaged")


def test_a_table_with_short_rows_is_not_an_elan_export(tmp_path: Path) -> None:
    notes = "x\ty\t5\t2\t7\tfoo\nx\ty\t1\t2\n"
    found = checked(tmp_path, {"a.wav": 1.0, "a.lab": "one", "notes.txt": notes})
    assert not found.errors and found.column("text") == ["one"]


def test_an_export_of_several_elan_files_is_refused(tmp_path: Path) -> None:
    lines = "tx\tAnn\t500\t1500\t1000\tone\ta.eaf\ntx\tAnn\t2000\t3500\t1500\ttwo\tb.eaf\n"
    found = checked(tmp_path, {"a.wav": 5.0, "b.wav": 5.0, "a.txt": lines})
    assert "a.eaf, b.eaf" in found.message("annotations-of-several-files")


@pytest.mark.parametrize("delimiter", ["\t", ","], ids=["tabs", "commas"])
def test_tables_of_praat(tmp_path: Path, delimiter: str) -> None:
    rows = [
        ("tmin", "tier", "text", "tmax"),
        (0.5, "words", "one two", 1.5),
        (2, "words", "three", 3.5),
        (1, "p", "x", 1),
    ]
    table = "".join(delimiter.join(str(c) for c in row) + "\n" for row in rows)
    found = checked(tmp_path, {"talk.wav": 5.0, "talk.txt" if delimiter == "\t" else "talk.csv": table})
    assert not found.errors and times(found) == [("one two", 0.5, 1.5), ("three", 2.0, 3.5)]


def test_a_damaged_table_of_praat_is_reported(tmp_path: Path) -> None:
    table = "tmin,tier,text,tmax\n0.5,words,one,1.5\nx,words,two,2\n"
    found = checked(tmp_path, {"a.wav": 5.0, "a.csv": table})
    assert times(found) == [("one", 0.5, 1.5)]
    assert "row 3: 'x words two 2'" in found.message("annotation-damaged")
    limit = csv.field_size_limit(100)
    try:
        with pytest.raises(DataError, match="not valid CSV") as error:
            praat_table.parse(table + '2,words,"' + "never closed\n" * 20, "a.csv")
    finally:
        csv.field_size_limit(limit)
    assert error.value.where == "a.csv"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.srt", "1\n00:00:00,500 --> 00:00:01,500\n{}\n"),
        ("a.txt", "0.5\t1.5\t{}\n"),
        ("a.csv", "tmin,tier,text,tmax\n0.5,words,{},1.5\n"),
        ("a.txt", '"tmin"\t"tier"\t"text"\t"tmax"\n0.5\twords\t{}\t1.5\n'),
        ("a.tsv", "tx\tAnn\t500\t1500\t{}\n" * 2),
    ],
)
def test_line_ends_of_annotations(tmp_path: Path, name: str, content: str, end: str) -> None:
    text = "one\u2028two\x0cthree"
    found = checked(tmp_path, {"a.wav": 5.0, name: content.format(text, text).replace("\n", end).encode()})
    assert set(times(found)) in ({(text, 0.5, 1.5)}, {("one two three", 0.5, 1.5)})


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(
            {"wav/p1/p1_{k}.wav": 1.0, "txt/p1/p1_{k}.txt": "word {k}\n"}, id="texts in a folder of their own"
        ),
        pytest.param({"{k}.wav": 1.0, "{k}.TXT": "word\r\n{k}\r\n"}, id="several lines, upper-case extension"),
        pytest.param(
            {"train/{k}.wav": 1.0, "train/{k}.lab": "\ufeffword {k}"}, id="byte order mark, folder of a split"
        ),
    ],
)
def test_texts_beside_audio(tmp_path: Path, files: dict[str, Any]) -> None:
    planted = {
        name.format(k=k): c.format(k=k) if isinstance(c, str) else c for k in range(6) for name, c in files.items()
    }
    planted |= {"README.txt": "About the recordings.", "extra.wav": 1.0}
    found = checked(tmp_path, planted)
    assert not found.errors and sorted(found.column("text")) == [f"word {k}" for k in range(6)]
    assert "extra.wav" in found.message("audio-without-text") and "README.txt" in found.message("text-without-audio")


@pytest.mark.parametrize(
    ("text", "layout"), [("one word", "text-beside-audio"), ("0.5\t0.9\tone\n", "audacity")], ids=["text", "labels"]
)
def test_texts_are_read_once_to_detect_their_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, layout: str
) -> None:
    opened: Counter[str] = Counter()
    open_file = Path.open

    def count(path: Path, *more: Any, **options: Any) -> Any:
        opened[path.name] += 1
        return open_file(path, *more, **options)

    folder = plant(
        tmp_path / "in", {f"{k}{end}": c for k in range(4) for end, c in ((".wav", sound(1.0)), (".txt", text))}
    )
    monkeypatch.setattr(Path, "open", count)
    found = check_path(tmp_path, SPEECH, folder)
    assert found.result["layout"]["name"] == layout
    assert [opened[f"{k}.txt"] for k in range(4)] == [2] * 4, "its first lines, then the whole file"


def test_files_of_annotations_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiers, "LARGEST", 80)
    found = checked(tmp_path, {"a.wav": 4.0, "a.srt": SRT, "b.wav": 4.0, "b.srt": SRT.partition("\r\n\r\n")[0]})
    skipped = found.message("annotations-too-large")
    assert "a.srt (99 bytes)" in skipped and "b.srt" not in skipped
    assert times(found) == [("Grüß Gott Anna", 0.5, 1.5)] and "files-unused" in found.codes()


def test_alignments_of_htk_are_named(tmp_path: Path) -> None:
    found = checked(tmp_path, {"a.wav": 1.0, "a.lab": "0 3000000 sil\n3000000 9000000 ah\n"})
    assert "a.lab hold the times of phones (HTK)" in found.message("layout-unknown")
