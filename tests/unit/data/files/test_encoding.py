"""Encodings of text files: Unicode by its bytes, others detected from the lines that are not ASCII."""

from __future__ import annotations

from pathlib import Path

import pytest

from autotrain_gradio.core.errors import Finding, Fix
from autotrain_gradio.data.files import encoding

TEXTS = {
    "cp1252": "Text,Klasse\nDas Hotel war sehr schön und die Zimmer groß,gut\nDas Frühstück fehlte,schlecht\n",
    "cp1250": "text,třída\nPříliš žluťoučký kůň úpěl ďábelské ódy,dobrý\n",
    "cp1251": "текст,класс\nпосылка пришла слишком поздно,жалоба\nкоробка была порвана,жалоба\n",
    "koi8-r": "текст,класс\nпосылка пришла слишком поздно,жалоба\nкоробка была порвана,жалоба\n",
    "cp1253": "κείμενο,τάξη\nΤο ξενοδοχείο ήταν πολύ καλό,καλό\n",
    "cp1254": "metin,sınıf\nOtel çok güzeldi ve şehir merkezine yakın,iyi\nOda kirliydi,kötü\n",
    "cp1255": "טקסט,סוג\nהמלון היה טוב מאוד,טוב\n",
    "cp1256": "النص,الفئة\nكان الفندق جيدا جدا,جيد\n",
    "cp932": "文章,分類\n荷物が届くのが遅すぎました,苦情\n",
    "gb18030": "文本,类别\n我的订单什么时候到,问题\n包裹来得太晚了我很生气,投诉\n",
    "big5hkscs": "文字,標籤\n這家酒店很好,好\n房間太小了,壞\n",
    "cp949": "텍스트,라벨\n호텔이 아주 좋았습니다,좋음\n방이 너무 작았다,나쁨\n",
}


@pytest.mark.parametrize("name", TEXTS)
def test_encoding_of_each_script_is_detected(tmp_path: Path, name: str) -> None:
    text = TEXTS[name]
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(name))
    found, findings = encoding.detect_encoding(path, "a.csv")
    assert path.read_text(encoding=found) == text
    assert encoding.decode(text.encode(name), "a.csv") == (text, findings)
    where = f"a.csv, line {1 if name != 'cp1252' else 2}"
    assert [(f.level, f.code, f.where) for f in findings] == [("warning", "encoding-guessed", where)]
    assert found in findings[0].message and findings[0].fix and findings[0].fix.change == {"encoding": found}
    assert findings[0].alternatives
    assert any(line[:10] in findings[0].message or line[15:25] in findings[0].message for line in text.splitlines())


@pytest.mark.parametrize(
    "text",
    ["ça été bien,good", "la chambre à côté,a", "déjà vu,a", "perché è così,a", "à,a", "naïveté,a", "21 °C,a", "5 €,a"],
)
@pytest.mark.parametrize("lines", [1, 50])
def test_few_western_letters_are_not_detected_as_another_script(text: str, lines: int) -> None:
    content = "text,label\n" + "plain English,a\n" * 20 + f"{text}\n" * lines
    assert encoding.decode(content.encode("cp1252"), "a.csv")[0] == content


@pytest.mark.parametrize("name", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_is_detected_without_a_finding(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.csv"
    text = "name,city\nJürgen,Köln\n" * 50
    path.write_bytes(text.encode(name))
    found, findings = encoding.detect_encoding(path, "a.csv")
    assert path.read_text(encoding=found) == text and not findings
    assert not encoding.decode(text.encode(name), "a.csv")[1]


def test_encoding_is_detected_from_late_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "CHUNK", 1000)
    path = tmp_path / "a.csv"
    path.write_bytes(
        b"text,label\n" + b"plain English,a\n" * 500 + "посылка пришла поздно,жалоба\n".encode("cp1251") * 3
    )
    found, findings = encoding.detect_encoding(path, "a.csv")
    assert found == "cp1251" and findings[0].where == "a.csv, line 502"


def test_incomplete_last_character_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("text\né".encode()[:-1])
    assert encoding.detect_encoding(path, "a.csv")[1][0].where == "a.csv, line 2"


@pytest.mark.parametrize("guess, other", [("cp1251", "koi8-r"), ("cp1254", "cp1252"), ("gb18030", "big5hkscs")])
def test_other_encodings_of_a_guess_are_offered_with_their_letters(guess: str, other: str) -> None:
    content = TEXTS[guess].encode(guess)
    (found,) = encoding.decode(content, "a.csv")[1]
    offered = {fix.change["encoding"]: fix for fix in found.alternatives}
    changed = next(line for line in content.split(b"\n") if line.decode(guess) != line.decode(other))
    assert changed.decode(other)[:8] in offered[other].note and len(offered) <= encoding.MOST_OTHERS
    assert guess not in offered and offered[other].note in str(found)


def test_the_encoding_of_the_spec_is_used_where_a_file_is_not_unicode(tmp_path: Path) -> None:
    content = TEXTS["cp1251"].encode("koi8-r")
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert encoding.detect_encoding(path, "a.csv", "cp1251") == ("cp1251", [])
    assert encoding.decode("Привет".encode(), "a.csv", "cp1251") == ("Привет", [])
    assert encoding.decode("Привет".encode("utf-16"), "a.csv", "cp1251") == ("Привет", [])


def test_letters_that_the_encoding_of_the_spec_does_not_have_are_counted(tmp_path: Path) -> None:
    content = b"a,b\n\x81\x8d,1\n"
    (found,) = encoding.decode(content, "a.csv", "cp1252")[1]
    assert (found.level, found.code) == ("warning", "encoding-wrong") and "2 characters" in found.message
    assert found.fix and found.fix.change == {"encoding": ""}
    assert encoding.decode_together([content], ["a.csv"], "cp1252")[1] == [found]


def test_several_files_have_one_encoding_which_is_guessed_once() -> None:
    lines = ["paczka przyszła za późno", "gęś i kaczka płyną łódką", "proszę o zwrot pieniędzy", "plain", "źle"]
    names = [f"{k}.txt" for k in range(len(lines))]
    texts, findings = encoding.decode_together([line.encode("cp1250") for line in lines], names)
    assert texts == lines
    assert [f.code for f in findings].count("encoding-guessed") == 1 and "4 files (0.txt, 1.txt" in findings[0].message
    assert encoding.decode_together([line.encode() for line in lines], names) == (lines, [])


def test_no_fix_writes_names_of_a_guessed_encoding() -> None:
    merge = Finding("warning", "label-spelling", "Same.", "Merge.", fix=Fix("Merge them", {"labels": {"ćat": "cat"}}))
    plain = Finding("warning", "label-spelling", "Same.", "Merge.", fix=Fix("Merge them", {"labels": {"Cat": "cat"}}))
    guessed = encoding.decode(TEXTS["cp1250"].encode("cp1250"), "a.csv")[1]
    found = encoding.merge_findings([*guessed, *guessed, merge, plain])
    assert found[-2].fix is None and "encoding" in found[-2].hint and found[-1] == plain
    assert encoding.merge_findings([merge]) == [merge]


@pytest.mark.parametrize(
    ("declared", "stored"), [("windows-1251", "cp1251"), ("windows-9999", "cp1251"), ("gb", "utf-8")]
)
def test_the_declaration_of_xml_is_used_if_its_encoding_exists(declared: str, stored: str) -> None:
    text = f"<?xml version='1.0' encoding='{declared}'?>\n" + "<a>посылка пришла слишком поздно</a>\n" * 20
    assert encoding.decode_together([text.encode(stored)], ["a.eaf"])[0] == [text]
