"""The codes of the findings of question answering are an interface: none may change by accident."""

from __future__ import annotations

from pathlib import Path

from autotrain_gradio.tasks import extractive_question_answering as task
from tests.finding_codes import literal_codes, string_literals

PACKAGE = Path(task.__file__).parent
CODES = {
    *("answer-empty", "answer-moved", "answer-not-in-context", "answer-offset-invalid"),
    *(
        "answer-offset-units",
        "answer-refusal",
        "answer-respelled",
        "answer-several-places",
        "answers-partly-outside",
        "answers-unreadable",
    ),
    *("context-in-both-splits", "contexts-apart", "invalid-setting", "json-damaged", "model-wrong-task", "no-answers"),
    *("no-text", "question-malformed", "same-question-other-answer", "table-empty"),
}


def test_the_codes_are_those_of_this_list() -> None:
    assert literal_codes(PACKAGE) <= CODES
    named = string_literals(PACKAGE) | {f"answer-{name}" for name in string_literals(PACKAGE)}
    assert named >= CODES
