"""The output of a script: lines, masks, limits, tracebacks."""

from __future__ import annotations

from autotrain_gradio.tasks.custom_script.script_output import LINE_BYTES, Lines, OutputLog, failure_of


def _log(chunks: list[bytes], **settings: object) -> tuple[bytes, list[bytes], OutputLog]:
    written: list[bytes] = []
    log = OutputLog(written.append, **settings)  # type: ignore[arg-type]
    lines = [line for chunk in chunks for line in log.feed(chunk)]
    lines += log.close()
    return b"".join(written), lines, log


def test_lines_are_whole_however_they_are_cut() -> None:
    text = b'{"loss": 1}\r\nab\n\nlast'
    for size in (1, 2, 3, 100):
        written, lines, _ = _log([text[i : i + size] for i in range(0, len(text), size)])
        assert lines == [b'{"loss": 1}\n', b"ab\n", b"\n", b"last\n"]
        assert written == b'{"loss": 1}\nab\n\nlast\n'


def test_a_progress_bar_does_not_fill_the_log() -> None:
    written, lines, log = _log([b"".join(b"\r%d%%" % n for n in range(101)) + b"\ndone\n"])
    assert lines == [b"100%\n", b"done\n"] and written.count(b"%") == 2
    assert list(log.last) == ["100%", "done"]


def test_a_line_without_end_is_passed_on_in_pieces_that_are_no_metrics() -> None:
    found = list(Lines().feed(b"x" * (LINE_BYTES + 10)))
    assert [(len(line), whole) for line, whole, _ in found] == [(LINE_BYTES + 10, False)]
    _, lines, _ = _log([b"x" * 2 * LINE_BYTES, b"y\n", b'{"a": 1}\n'])
    assert lines == [b'{"a": 1}\n']


def test_a_huge_output_is_dropped_with_its_size_and_its_end_is_kept() -> None:
    line = b"0123456789abcde\n"
    written, lines, log = _log([*([line * 4000] * 40), b"the end\n"], limit=100_000)
    assert log.total == 40 * 64_000 + 8 and len(lines) == 40 * 4000 + 1
    assert len(written) < 100_000 + 70_000 and written.endswith(b"the end\n")
    assert 160_000 < log.total - log.dropped <= 100_000 + 65_536
    assert b"are logged" in written and b"2.3 MiB of output were dropped" in written


def test_secrets_are_masked_also_where_a_chunk_ends_within_one() -> None:
    written, lines, log = _log([b"token=abc", b"def123 x\n"], secrets=["abcdef123"])
    assert written == b"token=*** x\n" == lines[0] and list(log.last) == ["token=*** x"]


def test_the_last_traceback_says_error_and_place() -> None:
    text = """\
Traceback (most recent call last):
  File "/work/script.py", line 3, in <module>
KeyError: 'a'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/work/script.py", line 12, in <module>
    main()
  File "/env/lib/python3.11/site-packages/numpy/core.py", line 99, in f
    raise ValueError("bad")
ValueError: bad
more output"""
    assert failure_of(text.splitlines()) == ("ValueError: bad", "script.py, line 12")
    syntax = ['  File "/work/script.py", line 2', "    x = = 1", "        ^", "SyntaxError: invalid syntax"]
    assert failure_of(syntax) == ("SyntaxError: invalid syntax", "script.py, line 2")
    assert failure_of(["usage: script.py", "error: bad"]) == ("", "")
