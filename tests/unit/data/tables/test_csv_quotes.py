"""Quotes that enclose cells, and those that are letters of a text."""

from __future__ import annotations

from pathlib import Path

import pytest

from autotrain_gradio.data.tables import csv_quotes
from autotrain_gradio.data.tables.csv_quotes import detect_quotes

TSV = "client_id\tpath\tsentence\tvotes\n"
VOICES = [f"{i:04}aa\tcommon_voice_{i}.mp3\tgood morning to you {i}\t2\n" for i in range(30)]
LINES = [f"LJ001-{i:04}|Some words {i} of a book.|some words {i} of a book.\n" for i in range(30)]


def detect(tmp_path: Path, text: str, delimiter: str, codec: str = "utf-8") -> tuple[str, list[str]]:
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode(codec))
    quotes, findings = detect_quotes(path, "a.txt", codec, text, delimiter)
    return quotes, [f"{f.code} {f.message}" for f in findings]


def voices(*sentences: str) -> str:
    said = [f"9{i:03}aa\tcommon_voice_9{i}.mp3\t{s}\t2\n" for i, s in enumerate(sentences)]
    return TSV + "".join([*VOICES[:10], *[line for line in said], *VOICES[10:]])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "cp932"])
@pytest.mark.parametrize(
    "sentences, count",
    [
        (('"Come here, said the boy',), 1),
        (('"Come here', '"Who is there'), 1),
        (('"Good bye" and "thanks" she said', "plain"), 1),
        (('"Hi," he said', '"Come here at once', "and now"), 2),
        (('"one', '"two', '"three'), 2),
    ],
)
def test_quotes_of_a_text_do_not_enclose_cells(
    tmp_path: Path, sentences: tuple[str, ...], count: int, codec: str, end: str
) -> None:
    quotes, (message,) = detect(tmp_path, voices(*sentences).replace("\n", end), "\t", codec)
    assert quotes == "literal" and message.startswith("quotes-literal") and f" {count} cell" in message
    assert "line 12" in message


def test_quotes_around_several_lines_of_a_book(tmp_path: Path) -> None:
    """Both readings are well-formed here: the cells decide."""
    lines = [*LINES]
    lines[3] = 'LJ001-0003|"Some words.|some words\n'
    lines[5] = 'LJ001-0005|The last words."|the last words\n'
    quotes, (message,) = detect(tmp_path, "".join(lines), "|")
    assert quotes == "literal" and "line 4" in message
    lines[3] = 'LJ001-0003|"Some words.|"some words.\n'
    assert detect(tmp_path, "".join(lines), "|")[0] == "literal"


@pytest.mark.parametrize(
    "text, delimiter",
    [
        ('text,label\n"two\nlines",a\nmore,b\n', ","),
        ('text,label\n"a, b",a\n"c ""d"" e",b\n"",b\n', ","),
        ('"text","label"\n' + '"a word","b"\n' * 30, ","),
        ("text,label\n" + "hello there you,pos\n" * 20 + '"Hello, dear\nworld",neg\n', ","),
        ('text\n"two\nlines"\n"more\nlines"\n', ","),
        ('a;b;c\n1;"x\n\ny";2\n', ";"),
    ],
)
def test_quoted_cells(tmp_path: Path, text: str, delimiter: str) -> None:
    assert detect(tmp_path, text, delimiter)[0] == "enclosing"


def test_another_reading_of_lines_is_offered(tmp_path: Path) -> None:
    text = "text,label\n" + "hello there you,pos\n" * 20 + '"Hello, dear\nworld",pos\n'
    path = tmp_path / "a.csv"
    path.write_text(text)
    quotes, (found,) = detect_quotes(path, "a.csv", "utf-8", text, ",")
    assert quotes == "enclosing" and found.code == "quotes-over-lines" and "line 22" in found.message
    assert found.fix and found.fix.change == {"options": {"quotes": False}}


def test_quotes_that_are_not_doubled_inside_quoted_cells(tmp_path: Path) -> None:
    rows = "".join(f'"pipe {i}","{i} mm"\n' for i in range(20))
    quotes, (message,) = detect(tmp_path, f'"name","size"\n{rows}"hose","5" wide"\n', ",")
    assert quotes == "stripped" and message.startswith("quotes-uneven") and "line 22" in message
    quotes, (message,) = detect(tmp_path, f'"name","size"\n{rows}"a, b","x"\n"hose","5" wide"\n', ",")
    assert quotes == "enclosing" and "1 place" in message and "line 23" in message


def test_quotes_inside_a_cell_that_is_not_quoted(tmp_path: Path) -> None:
    assert detect(tmp_path, 'name,size\nhose,5" wide\n"a, b",x\n', ",") == ("enclosing", [])


@pytest.mark.parametrize("size", range(20, 90, 7))
def test_blocks_of_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(csv_quotes, "CHUNK", size)
    for end in ("\n", "\r\n"):
        text = voices('"Come here').replace("\n", end)
        path = tmp_path / "a.tsv"
        path.write_bytes(text.encode())
        assert b"".join(csv_quotes._blocks(path, "utf-8")) == text.replace(end, "\n").encode()
        assert detect(tmp_path, text, "\t")[0] == "literal"
        proper = 'a,b\n"two\nlines",1\nx,2\n"c","d"\n'.replace("\n", end)
        path.write_bytes(proper.encode())
        assert not csv_quotes._may_be_literal(path, "utf-8", ",", 2)
