"""Extractive question answering: the part of a context that answers a question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from pydantic import model_validator

from autotrain_gradio.core.panels import PanelKind
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.data.catalog import (
    DUPLICATES,
    HUB,
    PATH,
    SAMPLE,
    SAVED_DATASET,
    TABLE,
    TEXT_LANGUAGE,
    UPLOAD,
    VALUE,
)
from autotrain_gradio.data.declarations import Check, Column, Kind, Layout, SourceOption
from autotrain_gradio.tasks.base import (
    PROGRESS_CHARTS,
    Chart,
    Input,
    Metric,
    Sample,
    SuggestedModel,
    Task,
    TrainerParams,
    param,
)
from autotrain_gradio.tasks.lora import LoraParams
from autotrain_gradio.tasks.requirements import TRAINER, from_extra
from autotrain_gradio.tasks.texts import DISTILBERT, DISTILBERT_MULTILINGUAL, XLM_ROBERTA

_HERE = "autotrain_gradio.tasks.extractive_question_answering."

CONTEXT = Kind("context", "context", _HERE + "context_column", texts=True)
QUESTION = Kind("question", "question", _HERE + "question_column", texts=True)
ANSWERS = Kind("answers", "answers", _HERE + "answers_column")
EMPTY_ANSWERS = SourceOption(
    "empty_answers",
    "what an empty answer means: `unanswerable` (the context has none, and the model learns to say so) or `skip`.",
    default="unanswerable",
)
SQUAD = Layout(
    "squad",
    "SQuAD: questions inside their contexts",
    _HERE + "nested_questions",
    'train-v2.0.json      (and dev-v2.0.json; DuReader and MRQA too)\n\n{"data": [{"title": "Rivers", "paragraphs": [\n'
    '  {"context": "The Nile flows north.", "qas": [\n    {"id": "1", "question": "Where does the Nile flow?",\n'
    '     "answers": [{"text": "north", "answer_start": 15}]},\n'
    '    {"id": "2", "question": "How long is it?", "is_impossible": true, "answers": []}]}]}]}',
    options=(EMPTY_ANSWERS,),
)
QUESTION_TABLE = replace(
    TABLE,
    example="questions.csv        (or .tsv, .jsonl, .json, .parquet, .xlsx; several files are joined)\n\n"
    "context,question,answer\nThe Nile flows north.,Where does the Nile flow?,north\n\n"
    'Or with offsets, as in the Hub\'s squad: answers = {"text": ["north"], "answer_start": [15]}',
)
ANSWER_POSITIONS = Check("answer-positions", "Answers in their contexts", _HERE + "answer_positions")
CONTEXT_SPLITS = Check(
    "context-splits", "Contexts in training and validation", _HERE + "context_splits", after_split=True
)


class QuestionAnsweringParams(LoraParams, TrainerParams):
    """Parameters of extractive question answering."""

    max_seq_length: int = param(384, "basic", ge=32, le=131_072, title="Maximum sequence length (tokens)")
    """Maximum length of a question with its context in tokens. A longer context is split into overlapping windows, so
    no part of it is lost. Longer windows need more memory, and the model sees more at once."""
    doc_stride: int = param(128, "training", ge=0, le=65_536, title="Overlap of windows (tokens)")
    """Number of tokens that two consecutive windows of a long context share (document stride), at most half a window.
    An answer of up to this length lies completely in one of them."""
    max_answer_length: int | None = param(None, "evaluation", ge=1, le=10_000, title="Maximum answer length (tokens)")
    """Maximum length of predicted answers in tokens. Empty: that of the longest training answer, and at least 30."""
    tune_null_threshold: bool = param(True, "evaluation", title="Tune the threshold of 'no answer'")
    """With unanswerable questions: tune the threshold of "no answer" for the best F1 on the validation split."""
    null_threshold: float = param(0.0, "evaluation", title="Threshold of 'no answer'")
    """With unanswerable questions, where it is not tuned: "no answer" is predicted if its score exceeds that of the
    best answer by more than this (null score difference)."""
    metric_for_best_model: Literal["loss", "qa_f1", "exact_match"] = param(
        "qa_f1", "evaluation", title="Metric for the best checkpoint"
    )
    """Validation metric by which the best checkpoint is selected, and which early stopping watches."""

    @model_validator(mode="before")
    @classmethod
    def _names_of_autotrain(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and "max_doc_stride" in values and "doc_stride" not in values:
            values = {**values, "doc_stride": values["max_doc_stride"]}
            del values["max_doc_stride"]
        return values


def defaults(model: str) -> dict[str, Any]:
    """Return a higher learning rate and more epochs for the model that is trained from scratch."""
    return {"lr": 2e-3, "epochs": 16, "batch_size": 16, "early_stopping_patience": 0} if model == TINY else {}


TASK = Task(
    name="extractive-question-answering",
    title="Question answering",
    modality="Text",
    summary="Find the part of a text that answers a question, or say that it has no answer: documents, manuals, FAQs.",
    module=_HERE + "train",
    requires=from_extra("text", *TRAINER),
    preview_module=_HERE + "preview",
    params=QuestionAnsweringParams,
    columns=(
        Column(
            "context",
            "Context",
            CONTEXT,
            "The text in which the answer is found. All questions about one context stay in one split.",
            purpose="input",
            names=("context", "passage", "paragraph", "document", "text", "article", "contents", "content", "body"),
        ),
        Column(
            "question",
            "Question",
            QUESTION,
            "The question.",
            purpose="input",
            names=("question", "questions", "query", "question_text"),
        ),
        Column(
            "answers",
            "Answers",
            ANSWERS,
            "The answer, copied from the context; several right answers as a list, and offsets as SQuAD has them "
            "(text, answer_start). Empty: the context has no answer.",
            purpose="target",
            names=("answers", "answer", "answer_text", "gold_answer", "target", "label"),
        ),
        Column(
            "answer_start",
            "Offset of the answer",
            VALUE,
            "Where the answer begins in the context, in characters from 0; without it the answer is searched for.",
            purpose="meta",
            required=False,
            names=("answer_start", "start", "start_index", "answer_offset"),
        ),
        Column(
            "is_impossible",
            "Unanswerable",
            VALUE,
            "Whether the context has no answer (true or false), as in SQuAD 2.0.",
            purpose="meta",
            required=False,
            names=("is_impossible", "impossible", "unanswerable"),
        ),
    ),
    column_aliases={"text": "context", "answer": "answers"},
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(SAVED_DATASET, SQUAD, QUESTION_TABLE),
    checks=(ANSWER_POSITIONS, DUPLICATES, TEXT_LANGUAGE, CONTEXT_SPLITS),
    metrics=(
        Metric(
            "qa_f1",
            "F1",
            percent=True,
            help="Overlap of the predicted and the true answer in words, as SQuAD defines it; 'no answer' counts 1 "
            "where there is none.",
        ),
        Metric("exact_match", "Exact match", percent=True, help="Share of answers that equal a true answer."),
        Metric("has_answer_f1", "F1 (with an answer)", percent=True, help="F1 of the questions that have an answer."),
        Metric(
            "has_answer_exact_match",
            "Exact match (with an answer)",
            percent=True,
            help="Exact match of the questions that have an answer.",
        ),
        Metric(
            "no_answer_accuracy",
            "Accuracy (without an answer)",
            percent=True,
            help="Share of the questions without an answer for which the model says so.",
        ),
        Metric("loss", "Loss", higher_is_better=False),
    ),
    headline="qa_f1",
    charts=(
        Chart("Loss", {"loss": "training", "eval_loss": "validation"}),
        Chart(
            "Validation metrics",
            {
                "eval_qa_f1": "F1",
                "eval_exact_match": "exact match",
                "eval_has_answer_f1": "F1 (with an answer)",
                "eval_no_answer_accuracy": "accuracy (without)",
            },
        ),
        *PROGRESS_CHARTS,
    ),
    inputs=(Input("question", "A question", "text"), Input("context", "The context", "text")),
    panel_kinds=(PanelKind("answers", _HERE + "answers_panel"),),
    loader_example="""\
import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(model)
network = AutoModelForQuestionAnswering.from_pretrained(model).eval()
settings = network.config.question_answering
question, context = value["question"].strip(), value["context"]

# A long context becomes several windows, which overlap.
room = tokenizer.model_max_length - tokenizer.num_special_tokens_to_add(pair=True) - len(tokenizer.tokenize(question))
windows = tokenizer(
    question,
    context,
    truncation="only_second",
    stride=min(settings["doc_stride"], room // 2),
    return_overflowing_tokens=True,
    return_offsets_mapping=True,
    padding=True,
    padding_side="right",
    return_tensors="pt",
)
offsets = windows.pop("offset_mapping").tolist()
windows.pop("overflow_to_sample_mapping")
with torch.no_grad():
    output = network(**windows)
answer, best, nothing = "", float("-inf"), float("inf")
for i, (start, end) in enumerate(zip(output.start_logits, output.end_logits)):
    ids = windows["input_ids"][i].tolist()
    null = ids.index(tokenizer.cls_token_id) if tokenizer.cls_token_id in ids else 0
    nothing = min(nothing, float(start[null] + end[null]))
    tokens = [t for t, part in enumerate(windows.sequence_ids(i)) if part == 1]
    for first in tokens:
        for last in range(first, min(first + settings["max_answer_length"], tokens[-1] + 1)):
            if (score := float(start[first] + end[last])) > best:
                best, answer = score, context[offsets[i][first][0] : offsets[i][last][1]].strip()
if settings["null_threshold"] is not None and nothing - best > settings["null_threshold"]:
    answer = ""  # the context does not answer the question
""",
    answer="answer",
    models=(
        DISTILBERT,
        SuggestedModel(
            "deepset/minilm-uncased-squad2",
            "English; small, and already trained on SQuAD 2.0: for a CPU, and few questions.",
            33,
        ),
        SuggestedModel(
            "deepset/roberta-base-squad2",
            "English; already trained on SQuAD 2.0, so that few questions are enough. Needs a GPU.",
            124,
            gpu=True,
        ),
        DISTILBERT_MULTILINGUAL,
        SuggestedModel(
            "answerdotai/ModernBERT-base", "English; long contexts, up to 8,192 tokens; a recent GPU.", 149, gpu=True
        ),
        XLM_ROBERTA,
    ),
    defaults=defaults,
    model_filter="question-answering",
    shown=("max_seq_length", "doc_stride"),
    samples=(
        Sample(
            "museum-guide",
            "Questions about places",
            "extractive_question_answering/places",
            "Short descriptions of museums, trains, shops and lakes, with questions; some have no answer.",
        ),
    ),
    position=30,
    aliases=(
        "extractive_question_answering",
        "extractive-qa",
        "text_extractive_question_answering",
        "question-answering",
    ),
    can=frozenset({"preview", "predict", "probe", "tiny_model", "checkpoints", "distributed"}),
)
