"""A message of a chat: its widget shows the conversation and streams the answers, with the base model's beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.inputs.declarations import Input, ResultDisplay, Widget, WidgetContext
from autotrain_gradio.core.inputs.plain_values import plain
from autotrain_gradio.core.text_format import pluralize

SHOWS_RESULT = True
ACCEPTED = "a message"
SETTINGS = "training_params.json"
"""File beside the model: the settings of the run."""
BASE = "base"
"""Key of an item that is a part of the base model's answer; prefix of the facts about it."""
MOST_TOKENS = 4096
HEIGHT = "min(420px, 55vh)"


@dataclass
class Turn:
    """A message of the user and its answers. base: that of the base model; None: it was not asked."""

    message: str
    answer: str = ""
    base: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)


class Conversation:
    """A chat in one tab of a browser. It is not stored: a reload begins a new one."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self._current: Turn | None = None
        self._sent = False

    def ask(self, text: Any, system: Any, temperature: Any, max_tokens: Any, base: Any) -> dict[str, Any] | None:
        """Add the message to the history; return the arguments of the verb `chat`, or None without a message."""
        if not isinstance(text, str) or not text.strip():
            return None
        self.turns = [turn for turn in self.turns if turn.answer]  # a call that failed leaves none
        request = {
            "messages": self._messages(text, base=False),
            "system": str(system or ""),
            "temperature": temperature,
            "max_tokens": max_tokens,
            **({"base": True, "base_messages": self._messages(text, base=True)} if base else {}),
        }
        self._current, self._sent = Turn(text, base="" if base else None), True
        self.turns.append(self._current)
        return request

    def clear(self) -> None:
        """Remove all turns; items of a call in flight are not shown any more."""
        self.turns, self._current = [], None

    def add(self, items: Sequence[Any]) -> None:
        """Set the answers of the current turn to those in the items of the verb."""
        turn = self._current
        if turn is None:
            return
        turn.answer = "".join(item for item in items if isinstance(item, str))
        mappings = [item for item in items if isinstance(item, Mapping)]
        if turn.base is not None:
            turn.base = "".join(str(item[BASE]) for item in mappings if BASE in item)
        turn.facts = {name: value for item in mappings for name, value in item.items() if name != BASE}

    def sent(self) -> bool:
        """Return whether a message was sent since the last call of this method."""
        sent, self._sent = self._sent, False
        return sent

    def shown(self, *, base: bool = False, running: bool = False) -> list[dict[str, Any]]:
        """Return the messages of a column of the chat as HTML: what is written is shown as it is.

        running: a call is in flight.
        """
        found: list[dict[str, Any]] = []
        for turn in self.turns:
            answer = turn.base if base else turn.answer
            if answer is None:
                continue
            found.append({"role": "user", "content": escape(turn.message)})
            if answer or (running and turn is self._current):
                found.append({"role": "assistant", "content": escape(answer) or "…"})
            elif turn.facts.get(f"{BASE}_finish_reason" if base else "finish_reason"):
                found.append({"role": "assistant", "content": "(an empty answer)"})
        return found

    def summary(self) -> str:
        """Return length and speed of the latest answers as HTML; empty before they are complete."""
        facts = self._current.facts if self._current else {}
        lines = []
        for prefix, name in (("", "Fine-tuned"), (f"{BASE}_", "Base model")):
            if f"{prefix}finish_reason" not in facts:
                continue
            count, seconds = int(facts[f"{prefix}completion_tokens"]), float(facts[f"{prefix}duration"])
            speed = f", {count / seconds:.1f} per second" if seconds > 0 else ""
            ended = "; ended at the maximum length" if facts[f"{prefix}finish_reason"] == "length" else ""
            lines.append(f"{name}: {pluralize(count, 'token')}{speed}{ended}.")
        return f"<p class='at-note'>{escape(' '.join(lines))}</p>" if lines else ""

    def _messages(self, text: str, *, base: bool) -> list[dict[str, str]]:
        found = []
        for turn in self.turns:
            found.append({"role": "user", "content": turn.message})
            found.append({"role": "assistant", "content": (turn.base if base else None) or turn.answer})
        return [*found, {"role": "user", "content": text}]


def widget(declared: Input, elem_id: str, context: WidgetContext) -> Widget:
    """Return the chat, a field for the message, settings, and a second column for the base model.

    What a model writes is not trusted: no Markdown and no HTML of it is rendered, which could load images of others.
    `gr.Chatbot` renders HTML, though sanitized, also without Markdown, so it is escaped. It has no button that copies
    a message, which would copy the escaped text.

    Raises:
        UserError: the run has no model.
    """
    import gradio as gr

    chat, settings = Conversation(), context.model_json(SETTINGS)
    longest = min(MOST_TOKENS, int((settings.get("params") or {}).get("max_new_tokens") or 128))
    about: dict[str, Any] = {"height": HEIGHT, "render_markdown": False, "feedback_options": None, "layout": "bubble"}
    about |= {"buttons": [], "group_consecutive_messages": False, "latex_delimiters": []}
    with gr.Row(equal_height=True, elem_classes="at-chats"):
        tuned = gr.Chatbot(label="Fine-tuned", elem_id=f"{elem_id}-chat", min_width=300, **about)
        base = gr.Chatbot(label="Base model", elem_id=f"{elem_id}-base", min_width=300, visible=False, **about)
    summary = gr.HTML(elem_id=f"{elem_id}-summary", elem_classes="at-live")
    status = gr.Column()
    message = gr.Textbox(
        lines=1, max_lines=8, interactive=True, show_label=False, placeholder=declared.title, elem_id=elem_id
    )
    with gr.Row(elem_classes="at-chat-actions") as actions:
        clear = gr.Button("Clear", elem_id=f"{elem_id}-clear", scale=0, min_width=110)
    with gr.Accordion("Settings", open=False, elem_id=f"{elem_id}-settings"):
        system = gr.Textbox(lines=2, label="System prompt", interactive=True, elem_id=f"{elem_id}-system")
        with gr.Row():
            temperature = gr.Slider(
                0, 2, 0, step=0.1, label="Temperature", info="0: always the likeliest token", interactive=True
            )
            most = gr.Slider(1, MOST_TOKENS, longest, step=1, label="Maximum tokens of an answer", interactive=True)
        compare = gr.Checkbox(
            False,
            label="Ask the base model too",
            info="It is loaded at the first message." if context.pretrained else "The tiny model has none.",
            interactive=context.pretrained,
            elem_id=f"{elem_id}-compare",
        )
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}

    def cleared() -> tuple[Any, ...]:
        chat.clear()
        return [], [], ""

    clears = [clear.click, tuned.clear, base.clear]  # a Chatbot has a button of its own
    gr.on(clears, cleared, None, [tuned, base, summary], **quiet)
    compare.change(lambda shown: gr.Chatbot(visible=bool(shown)), compare, base, **quiet)

    def show(items: Sequence[Any], running: bool) -> list[Any]:
        chat.add(items)
        field = "" if chat.sent() else gr.skip()
        return [field, chat.shown(running=running), chat.shown(base=True, running=running), chat.summary()]

    return Widget(
        [message, system, temperature, most, compare],
        value=chat.ask,
        events=[message.submit],
        cancels=clears,
        display=ResultDisplay([message, tuned, base, summary], show, status, actions),
    )


def parse(argument: Any, declared: Input) -> str | list[Any]:
    """Return a message, or the messages of a conversation, also as JSON.

    Raises:
        UserError: it is neither.
    """
    if isinstance(argument, list):
        return argument
    value = plain(argument, declared.name, ACCEPTED)
    if not isinstance(value, str) or not value.strip():
        raise UserError("The message is missing.", "Give a message.", declared.name, "missing-input")
    if value.startswith("[{"):
        try:
            found: list[Any] = json.loads(value)
        except ValueError as error:
            message, hint = f"The conversation is not JSON: {error}.", 'Write [{"role": "user", "content": "…"}].'
            raise UserError(message, hint, declared.name, "conversation-json") from None
        return found
    return value


literal = parse
