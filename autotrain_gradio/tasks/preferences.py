"""The data formats that tasks of preferences share: a prompt with a preferred and a rejected answer."""

from __future__ import annotations

from dataclasses import replace

from autotrain_gradio.data.catalog import (
    JUDGED_ANSWER,
    JUDGEMENT,
    PREFERENCE_PROMPT,
    PREFERRED_ANSWER,
    REJECTED_ANSWER,
    TABLE,
)
from autotrain_gradio.data.declarations import Column, Format
from autotrain_gradio.tasks.base import Sample
from autotrain_gradio.tasks.conversations import SYSTEM, TOOL_SCHEMAS

PROMPT = Column(
    "prompt",
    "Prompt",
    PREFERENCE_PROMPT,
    "The question of the user, or the messages before the answers.",
    purpose="input",
    names=("prompt", "instruction", "question", "query", "input"),
)
CHOSEN = Column(
    "chosen",
    "Preferred answer",
    PREFERRED_ANSWER,
    "The better answer: a text, or messages, which may begin with the prompt.",
    purpose="input",
    names=("chosen", "preferred", "accepted", "chosen_response", "response_chosen", "better", "positive"),
)
REJECTED = Column(
    "rejected",
    "Rejected answer",
    REJECTED_ANSWER,
    "The worse answer: a text, or messages, which may begin with the prompt.",
    purpose="input",
    names=("rejected", "dispreferred", "rejected_response", "response_rejected", "worse", "negative"),
)
PROMPT_PAIRS = Format(
    "prompt-pairs",
    "Prompt and two answers",
    (PROMPT, CHOSEN, REJECTED, SYSTEM, TOOL_SCHEMAS),
    "A prompt, a preferred and a rejected answer in each row, as texts or as lists of messages.",
    '{"prompt": "What is a quince?", "chosen": "A yellow fruit.", "rejected": "No idea."}',
)
PAIRS = Format(
    "pairs",
    "Two conversations",
    (CHOSEN, REJECTED, SYSTEM, TOOL_SCHEMAS),
    "A preferred and a rejected conversation in each row; the prompt is what both begin with.",
    '{"chosen": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}], '
    '"rejected": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Go away"}]}',
)
FORMATS = (PROMPT_PAIRS, PAIRS)
COLUMN_ALIASES = {"prompt_text": "prompt", "rejected_text": "rejected", "text": "chosen"}
"""AutoTrain's names of columns → role."""
PREFERENCE_TABLE = replace(
    TABLE,
    example="pairs.jsonl          (or .csv, .tsv, .json, .parquet, .xlsx; several files are joined)\n\n"
    '{"prompt": "What is a quince?", "chosen": "A yellow fruit.", "rejected": "No idea."}\n\n'
    "or chosen and rejected as lists of messages, which may begin with the prompt.",
)
"""Tables of preferences."""
SAMPLE_PAIRS = Sample("polite-replies", "Polite replies", "preferences/polite_replies", "240 replies, polite and rude.")
COMPLETION = Column(
    "completion",
    "Answer",
    JUDGED_ANSWER,
    "The answer that was judged: a text, or messages, which may begin with the prompt.",
    purpose="input",
    names=("completion", "response", "answer", "output", "reply", "generation", "messages", "conversation"),
)
JUDGED = Column(
    "label",
    "Judgement",
    JUDGEMENT,
    "Whether the answer is good: true or false, yes or no, a thumb, or a rating.",
    purpose="target",
    names=("label", "judgement", "judgment", "desirable", "feedback", "rating", "score", "thumbs", "liked", "good"),
)
PROMPT_JUDGED = Format(
    "prompt-judged",
    "Prompt and judged answer",
    (PROMPT, COMPLETION, JUDGED, SYSTEM, TOOL_SCHEMAS),
    "A prompt, an answer and whether it is good in each row.",
    '{"prompt": "What is a quince?", "completion": "A yellow fruit.", "label": true}',
)
CONVERSATION_JUDGED = Format(
    "judged",
    "Judged conversation",
    (COMPLETION, JUDGED, SYSTEM, TOOL_SCHEMAS),
    "A conversation whose last answer was judged in each row.",
    '{"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}], "label": true}',
)
JUDGED_FORMATS = (PROMPT_JUDGED, CONVERSATION_JUDGED)
JUDGED_ALIASES = {"prompt_text": "prompt", "text": "completion", "target": "label"}
"""Names of columns in the style of AutoTrain, which has no such task → role."""
JUDGED_TABLE = replace(
    TABLE,
    example="judged.jsonl          (or .csv, .tsv, .json, .parquet, .xlsx; several files are joined)\n\n"
    '{"prompt": "What is a quince?", "completion": "A yellow fruit.", "label": true}\n'
    '{"prompt": "What is a medlar?", "completion": "No idea.", "label": false}\n\n'
    "or thumbs, or ratings: those above the middle of the scale are good.",
)
"""Tables of judged answers."""
SAMPLE_JUDGED = Sample("judged-replies", "Judged replies", "preferences/judged_replies", "240 replies, good or bad.")
