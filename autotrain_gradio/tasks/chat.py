"""Verbs of language models: `chat` answers conversations, `complete` continues texts; both stream."""

from __future__ import annotations

from autotrain_gradio.core.inputs import Input
from autotrain_gradio.tasks.verbs import Verb

MODULE = "autotrain_gradio.training.chat_verb"
SETTINGS = "temperature, top_p, max_tokens, stop and seed"

CHAT = Verb(
    "chat",
    MODULE,
    streams=True,
    inputs=(Input("messages", "A message", "chat"),),
    title="Chat with the model",
    button="Send",
    help=f"Yields the answer to a message or to messages. Also: system, {SETTINGS}; base asks the base model too.",
    try_it=True,
)
COMPLETE = Verb(
    "complete",
    MODULE,
    streams=True,
    inputs=(Input("text", "The beginning of a text", "text"),),
    title="Continue a text",
    button="Continue",
    help=f"Yields the continuation of a text. Also: {SETTINGS}; base asks the base model too.",
    try_it=True,
)
