"""The data formats of vision-language models: questions and answers about images, captions, and conversations."""

from __future__ import annotations

from dataclasses import replace

from autotrain_gradio.data.catalog import CONVERSATION, EMBEDDED, IMAGE, TABLE_WITH_FILES, TEXT
from autotrain_gradio.data.declarations import Check, Column, Format

QUESTION, CAPTION = "question-answer", "caption"
"""Names of the formats."""
_IMAGE = Column(
    "image",
    "Image",
    IMAGE,
    "The image, or the name of its file.",
    purpose="input",
    names=("image", "img", "file_name", "filename", "file", "image_path", "path", "picture", "photo", "images"),
)
_PROMPT = Column(
    "prompt",
    "Question",
    TEXT,
    "The question or instruction about the image.",
    purpose="input",
    names=("prompt", "question", "instruction", "query", "prefix", "prompt_text", "user", "input"),
)
_ANSWER = Column(
    "answer",
    "Answer",
    TEXT,
    "What the model is to answer.",
    purpose="target",
    names=(
        *("answer", "response", "completion", "multiple_choice_answer", "suffix", "output", "target", "label"),
        *("text", "assistant"),
    ),
)
_CAPTION = replace(
    _ANSWER,
    title="Caption",
    help="The text that describes the image.",
    names=("caption", "text", "description", "answer", "captions", "sentence", "target", "label", "suffix"),
)
QUESTION_ANSWER = Format(
    QUESTION,
    "Images with questions and answers",
    (_IMAGE, _PROMPT, _ANSWER),
    "An image, a question or instruction, and the answer in each row.",
    "image,question,answer\nphotos/1.jpg,What colour is the car?,red\nphotos/2.jpg,How many people are there?,3",
)
CAPTIONS = Format(
    CAPTION,
    "Images with captions",
    (_IMAGE, _CAPTION),
    "An image and its caption in each row; the instruction is the same for all rows, the parameter prompt.",
    "image,caption\nphotos/1.jpg,A red car in front of a garage\nphotos/2.jpg,Three people at a table",
)
_CONVERSATION = Column(
    "conversation",
    "Conversation",
    replace(CONVERSATION, module="autotrain_gradio.tasks.vlm.image_conversation"),
    "The list of messages, with an image part or the placeholder <image> where the image belongs.",
    purpose="input",
    names=("messages", "conversations", "conversation", "chat", "dialog", "dialogue", "turns"),
)
MESSAGES = Format(
    "messages",
    "Conversations about images",
    (_CONVERSATION, _IMAGE),
    "A list of messages (OpenAI, TRL, LLaVA) and its image in each row: a column, a list of one, or named in a part.",
    '{"images": ["photos/1.jpg"], "messages": [{"role": "user", "content": [{"type": "image"}, '
    '{"type": "text", "text": "What is it?"}]}, {"role": "assistant", "content": "A quince."}]}',
    CONVERSATION.module,
)
COLUMN_ALIASES = {"text": "answer", "prompt_text": "prompt", "caption": "answer", "question": "prompt"}
"""AutoTrain's names of columns, and usual ones → role."""
IMAGE_QUESTIONS = Check("image-questions", "Images in both splits", "autotrain_gradio.tasks.vlm.image_questions")
"""Keeps the rows of an image in one split; stores the sizes of the images with the rows."""
IMAGES_WITH_TABLE = replace(
    TABLE_WITH_FILES,
    module="autotrain_gradio.tasks.vlm.table_layout",
    example="photos.zip\n├── metadata.csv      (any .csv, .tsv or .jsonl)\n└── images/ …\n\n"
    "file_name,question,answer\nimages/1.jpg,What colour is the car?,red\nimages/2.jpg,How many people are there?,3\n\n"
    "or file_name,caption; or .jsonl with images and messages.",
)
IMAGES_EMBEDDED = replace(
    EMBEDDED,
    module="autotrain_gradio.tasks.vlm.embedded_layout",
    example="train-00000-of-00001.parquet\n\nimage: {bytes, path}    question: string    answer: string\n\n"
    "or images: [{bytes, path}]    messages: [{role, content}]",
)
