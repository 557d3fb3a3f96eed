"""The output of a script: split into lines, masked, and written to the log up to a limit. Workers only."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from autotrain_gradio.core.text_format import MIB, format_bytes

LINE_BYTES = 65_536
"""Longest line; a longer one is passed on in pieces."""
LOG_BYTES = 32 * MIB
"""Output that is written to the log as it comes."""
TAIL_BYTES = 65_536
"""End of a longer output, which is written to the log as well."""
STATUS_SECONDS = 10.0
"""Interval at which the log says how much of a longer output was dropped."""
OVERWRITTEN_SECONDS = 2.0
"""Interval at which a line that is written over itself, such as a progress bar, is logged."""
KEPT_LINES = 300
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Lines:
    """Splits chunks of output into lines.

    `feed` yields `(line, whole, overwritten)`: a line with its end; whether it is complete and not longer than
    `LINE_BYTES`; whether the next one is written over it, as in a progress bar.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._whole = True

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bool, bool]]:
        """Yield the lines that are complete."""
        *lines, rest = (self._rest + data).split(b"\n")
        for line in lines:
            *over, last = line.removesuffix(b"\r").split(b"\r")
            yield from ((part + b"\n", self._whole, True) for part in over if part)
            yield last + b"\n", self._whole, False
            self._whole = True
        end = b"\r" if rest.endswith(b"\r") else b""  # perhaps the first half of a line end
        *over, last = rest.removesuffix(b"\r").split(b"\r")
        yield from ((part + b"\n", self._whole, True) for part in over if part)
        self._rest = last + end
        if len(self._rest) > LINE_BYTES:
            yield self._rest, False, False
            self._rest, self._whole = b"", False

    def end(self) -> Iterator[tuple[bytes, bool, bool]]:
        """Yield the last line, if it has no end."""
        if self._rest.strip(b"\r"):
            yield self._rest.removesuffix(b"\r") + b"\n", self._whole, False
        self._rest = b""


class OutputLog:
    """Writes output to the log: the first `limit` bytes, then only what fits, and the end.

    write: appends bytes to the log. secrets: values that are masked.

    Attributes:
        total, dropped: bytes of the output, and how many of them are not in the log.
        last: the last lines, as text.
    """

    def __init__(
        self, write: Callable[[bytes], object], *, secrets: Sequence[str] = (), limit: int = LOG_BYTES
    ) -> None:
        self._write = write
        self._secrets = [value.encode() for value in secrets]
        self._limit = limit
        self._lines = Lines()
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0
        self._next_status = self._next_overwritten = 0.0
        self.total = self.dropped = 0
        self.last: deque[str] = deque(maxlen=KEPT_LINES)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Log a chunk; yield its complete lines, which may be metrics."""
        yield from self._log(self._lines.feed(data))

    def close(self) -> Iterator[bytes]:
        """Log the rest, and the end of an output that exceeds the limit; yield the last line."""
        yield from self._log(self._lines.end())
        if self._tail:
            kept = b"".join(self._tail)
            self.dropped -= len(kept)
            self._write(f"[{self._status()} The last lines:]\n".encode() + kept)
            self._tail.clear()

    def _log(self, lines: Iterator[tuple[bytes, bool, bool]]) -> Iterator[bytes]:
        now = time.monotonic()
        for line, whole, overwritten in lines:
            self.total += len(line)
            for secret in self._secrets:
                line = line.replace(secret, b"***")
            if overwritten:
                if now < self._next_overwritten:
                    continue
                self._next_overwritten = now + OVERWRITTEN_SECONDS
            elif whole:
                yield line
            if not overwritten:
                self.last.append(ESCAPES.sub("", line[:2000].decode("utf-8", "replace").rstrip("\r\n")))
            if self._limit >= len(line) and not self._tail:
                self._limit -= len(line)
                self._write(line)
            else:
                self._keep(line, now)

    def _keep(self, line: bytes, now: float) -> None:
        if not self._tail:
            size = format_bytes(self.total - len(line))
            self._write(f"[The output exceeds {size}: from here on, only its last lines are logged.]\n".encode())
            self._next_status = now + STATUS_SECONDS
        self._tail.append(line)
        self._tail_bytes += len(line)
        self.dropped += len(line)
        while self._tail_bytes > TAIL_BYTES and len(self._tail) > 1:
            self._tail_bytes -= len(self._tail.popleft())
        if now >= self._next_status:
            self._next_status = now + STATUS_SECONDS
            self._write(f"[{self._status()} Now: {self.last[-1][:200] if self.last else ''}]\n".encode())

    def _status(self) -> str:
        return f"{format_bytes(self.dropped)} of output were dropped."


def failure_of(lines: Sequence[str]) -> tuple[str, str]:
    """Return the last line of the last traceback in an output, and its innermost location `(error, "file, line n")`.

    Both are empty without a traceback. Files of packages are skipped where a file of the script called them.
    """
    begin = next((i for i in reversed(range(len(lines))) if lines[i].startswith("Traceback (most recent call")), None)
    if begin is None:
        begin = next(
            (i for i in reversed(range(len(lines))) if re.match(r'\s+File "[^"]+", line \d+$', lines[i])), None
        )
        if begin is None:
            return "", ""
        begin -= 1
    places: list[tuple[str, str]] = []
    for line in lines[begin + 1 :]:
        if match := re.match(r'\s+File "([^"]+)", line (\d+)', line):
            places.append((match[1], match[2]))
        elif line and not line[0].isspace() and re.match(r"[\w.]+(:|$)", line):
            own = [p for p in places if "site-packages" not in p[0] and "/lib/python" not in p[0] and p[0][0] != "<"]
            file, number = (own or places or [("", "")])[-1]
            return line[:500], f"{file.rpartition('/')[2]}, line {number}" if file else ""
    return "", ""
