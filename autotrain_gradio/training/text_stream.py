"""Turn generated token ids into text as they arrive: whole characters, without the text from a stop sequence on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

INCOMPLETE = "�"
"""What a decoder writes for the first bytes of a character whose other bytes are in the next token."""


class TextStream:
    """The text of the tokens so far, in parts that are never taken back.

    Joined, the parts are the decoded tokens without surrounding white space, up to the first stop sequence. Only the
    latest tokens are decoded again with each new one, as in Text Generation Inference and vLLM: a token may be a part
    of a character, and how it is written can depend on the one before it.

    Attributes:
        stopped: a stop sequence was generated.
    """

    def __init__(self, tokenizer: Any, stop: Sequence[str] = ()) -> None:
        self.stopped = False
        self._tokenizer, self._stop = tokenizer, [s for s in stop if s]
        self._ids: list[int] = []
        self._context = self._decoded = 0
        """Where the decoded context begins, and how many tokens are decoded."""
        self._held = ""
        """Text that may be white space at the end, or the beginning of a stop sequence."""
        self._started = False

    def add(self, token: int) -> str:
        """Add a token; return the text that is complete with it, perhaps none."""
        if self.stopped:
            return ""
        self._ids.append(token)
        return self._release(self._new_text())

    def finish(self) -> str:
        """Return the rest of the text, after the last token."""
        if self.stopped:
            return ""
        rest = self._release(self._new_text(incomplete=True))
        last, self._held = self._held.rstrip(), ""
        return rest + last

    def _new_text(self, *, incomplete: bool = False) -> str:
        before = self._decode(self._ids[self._context : self._decoded])
        after = self._decode(self._ids[self._context :])
        if len(after) <= len(before) or (after.endswith(INCOMPLETE) and not incomplete):
            return ""
        self._context, self._decoded = self._decoded, len(self._ids)
        return after[len(before) :]

    def _decode(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=True))

    def _release(self, text: str) -> str:
        """Return what is certain to belong to the text; the rest is held."""
        self._held += text
        if not self._started:
            self._held = self._held.lstrip()
            self._started = bool(self._held)
        found = [at for at in (self._held.find(s) for s in self._stop) if at >= 0]
        if found:
            self.stopped = True
            return self._held[: min(found)].rstrip()
        certain = len(self._held) - max((_overlap(self._held, s) for s in self._stop), default=0)
        certain = len(self._held[:certain].rstrip())
        released, self._held = self._held[:certain], self._held[certain:]
        return released


def _overlap(text: str, stop: str) -> int:
    """Return the length of the longest beginning of a stop sequence at the end of a text."""
    longest = min(len(text), len(stop) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(stop[:n])), 0)
