"""The data formats that tasks of language models share: conversations, prompts and answers, plain text."""

from __future__ import annotations

from dataclasses import replace

from autotrain_gradio.data.catalog import (
    ANSWER_TURN,
    CONTEXT_TURN,
    CONVERSATION,
    PROMPT_TURN,
    RENDERED_TEXT,
    SYSTEM_TURN,
    TABLE,
    TOOLS,
)
from autotrain_gradio.data.declarations import Column, Format, SourceOption

_CONVERSATION = Column(
    "conversation",
    "Conversation",
    CONVERSATION,
    "The list of messages, in the form of OpenAI (role, content) or ShareGPT (from, value), or as ChatML.",
    purpose="input",
    names=("messages", "conversations", "conversation", "chat", "dialog", "dialogue", "turns"),
)
SYSTEM = Column(
    "system_prompt",
    "System prompt",
    SYSTEM_TURN,
    "System prompt: instructions for the model, ahead of the conversation.",
    purpose="input",
    required=False,
    names=("system_prompt", "system", "system_message"),
)
TOOL_SCHEMAS = Column(
    "tools",
    "Tools",
    TOOLS,
    "JSON schemas of the functions that the assistant may call.",
    purpose="meta",
    required=False,
    names=("tools", "functions"),
)
MESSAGES = Format(
    "messages",
    "Conversations",
    (_CONVERSATION, SYSTEM, TOOL_SCHEMAS),
    "A list of messages in each row.",
    '{"messages": [{"role": "user", "content": "What is a quince?"}, '
    '{"role": "assistant", "content": "A yellow fruit."}]}',
    CONVERSATION.module,
)
PROMPT_ANSWER = Format(
    "prompt-answer",
    "Prompts and answers",
    (
        Column(
            "prompt",
            "Prompt",
            PROMPT_TURN,
            "The question or instruction of the user.",
            purpose="input",
            names=("prompt", "instruction", "question", "query", "user", "human", "problem", "input"),
        ),
        Column(
            "prompt_context",
            "Context",
            CONTEXT_TURN,
            "A text that belongs to the prompt, as the input of Alpaca; it is put behind it.",
            purpose="input",
            required=False,
            names=("input", "context"),
        ),
        Column(
            "completion",
            "Answer",
            ANSWER_TURN,
            "What the assistant answers.",
            purpose="input",
            names=("completion", "response", "output", "answer", "assistant", "reply", "solution"),
        ),
        SYSTEM,
        TOOL_SCHEMAS,
    ),
    "A prompt and its answer in each row: prompt and completion, question and answer, instruction, input and output.",
    '{"instruction": "Translate into German.", "input": "Good morning", "output": "Guten Morgen"}',
)
TEXT = Format(
    "text",
    "Text",
    (
        Column(
            "text",
            "Text",
            RENDERED_TEXT,
            "A text to train on as it is.",
            purpose="input",
            names=("text", "content", "body", "document", "article"),
        ),
    ),
    "A text in each row, trained on as it is: plain, or rendered by a chat template before.",
    '{"text": "<|im_start|>user\\nWhat is a quince?<|im_end|>\\n<|im_start|>assistant\\nA yellow fruit.<|im_end|>\\n"}',
    RENDERED_TEXT.module,
)
COLUMN_ALIASES = {"prompt_text": "prompt", "messages": "conversation", "response": "completion", "answer": "completion"}
"""AutoTrain's and TRL's names of columns → role."""
CHATS = replace(
    TABLE,
    example="chats.jsonl          (or .csv, .tsv, .json, .parquet, .xlsx; several files are joined)\n\n"
    '{"messages": [{"role": "user", "content": "What is a quince?"}, '
    '{"role": "assistant", "content": "A yellow fruit."}]}\n\n'
    "or columns such as instruction, input and output; prompt and completion; question and answer.",
    options=(
        *TABLE.options,
        SourceOption("join_turns", "join messages of one role that follow each other: true or false."),
    ),
)
"""Tables of conversations."""
