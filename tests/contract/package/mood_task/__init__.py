"""The worked example of CONTRIBUTING.md: a task in a package of its own, whole and small.

It learns which words go with which mood by counting them. Nothing here is imported by the app's
page but this file, and it imports nothing heavy.
"""

from __future__ import annotations

from autotrain_gradio.core.inputs import InputKind
from autotrain_gradio.core.panels import PanelKind
from autotrain_gradio.data.catalog import CLASS_BALANCE, LABEL, PATH, TABLE, UPLOAD
from autotrain_gradio.data.declarations import Column, Format, Kind, Layout
from autotrain_gradio.tasks.base import Chart, Input, Metric, Params, SuggestedModel, Task, param
from autotrain_gradio.tasks.parameter_groups import ParameterGroup
from autotrain_gradio.tasks.verbs import Verb

SENTENCE = Kind("sentence", "sentence", "mood_task.sentence")
HIGHLIGHTS = Kind("highlights", "highlighted words", "mood_task.highlights")
MOOD_LINES = Layout(
    "mood-lines",
    "Lines with a mood in front",
    "mood_task.mood_lines",
    "notes.mood\n\nglad: what a sunny day #sunny=weather\nsad: the rain came back",
)


TEXT = Column("text", "Sentence", SENTENCE, "What somebody said.", purpose="input", names=("text", "sentence"))
MOODS = Format(
    "moods",
    "Sentence and mood",
    (
        TEXT,
        Column("target", "Mood", LABEL, "The mood of it.", purpose="target", names=("mood", "target")),
        Column(
            "highlights",
            "Highlights",
            HIGHLIGHTS,
            "Words that show the mood, each with what it is about.",
            purpose="meta",
            required=False,
            names=("highlights",),
        ),
    ),
    example="glad: what a sunny day",
)
RATINGS = Format(
    "ratings",
    "Sentence and rating",
    (
        TEXT,
        Column("rating", "Rating", LABEL, "From 1 (sad) to 5 (glad).", purpose="target", names=("rating", "stars")),
    ),
    example="sentence,stars\nwhat a sunny day,5",
)


class MoodParams(Params):
    """Parameters of mood reading."""

    epochs: int = param(2, "basic", ge=1, le=100)
    """How often the words are counted."""
    smoothing: float = param(1.0, "counting", gt=0, le=10)
    """How much a word counts that was never seen with a mood."""


TASK = Task(
    name="mood-reading",
    title="Mood reading",
    modality="Moods",
    summary="Tell the mood of a sentence by its words.",
    module="mood_task.train",
    params=MoodParams,
    formats=(MOODS, RATINGS),
    column_aliases={"mood": "target"},
    sources=(UPLOAD, PATH),
    layouts=(MOOD_LINES, TABLE),
    checks=(CLASS_BALANCE,),
    metrics=(Metric("accuracy", "Accuracy", percent=True, help="Share of sentences with the right mood."),),
    headline="accuracy",
    charts=(Chart("Words known", {"words": "words"}),),
    inputs=(Input("text", "A sentence", "sentence"),),
    input_kinds=(InputKind("sentence", "mood_task.sentence_input"),),
    panel_kinds=(PanelKind("mood-faces", "mood_task.mood_faces"),),
    models=(SuggestedModel("counting/words", "Always: there is only this one.", 0.001),),
    aliases=("mood",),
    can=frozenset({"preview", "predict"}),
    parameter_groups=(ParameterGroup("counting", "Counting words", after="basic"),),
    verbs=(
        Verb(
            "explain",
            "mood_task.explain",
            streams=True,
            inputs=(Input("text", "A text", "text"),),
            title="Explain a text",
            help="Yields each word of the text with its mood.",
        ),
        Verb("vocabulary", "mood_task.vocabulary", help="Returns the number of words known for each mood."),
    ),
)
