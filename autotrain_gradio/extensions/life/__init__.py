"""The LiFE App (Linguistic Field data management and analysis Environment) as a source of transcribed speech.

What is read is the app's model: a *project* holds recordings; a recording has transcripts in several *scripts*
(writing systems), and those once for each annotator and once as they stand at present (`latest`).

`choices` is light and knows what can be chosen. `source` fetches and answers the picker, in a worker. In between:
`documents` reads recordings and replaces all names of people, `formats` and `tiers` read exports, `client` and
`server` talk to a LiFE, `store` keeps in the draft what was read.
"""

from __future__ import annotations

from autotrain_gradio.data.declarations import NamedData, Source, SourceOption
from autotrain_gradio.tasks.extension import Extension, SourceFor, TaskFilter


def _matches(data: NamedData) -> float:
    """Recognize the address of a server, or an option that only this source has."""
    return 0.9 if "://" in data.path or any(o.name in data.options for o in LIFE.options) else 0.0


LIFE = Source(
    "life",
    "LiFE App",
    "autotrain_gradio.extensions.life.source",
    "Transcribed speech of the LiFE App: an export of its transcriptions, or a server.",
    picker="autotrain_gradio.extensions.life.picker",
    local_path="sometimes",
    matches=_matches,
    options=(
        SourceOption("projects", "names of the projects to use; all if not given.", many=True),
        SourceOption("script", "writing system of the transcripts; the one with the most segments if not given."),
        SourceOption("dataset", "`latest`, or the layer of one annotator (`annotator-1`); `latest` if not given."),
        SourceOption("silence_tag", "text of segments in which nothing is said; they are left out.", default="0"),
        SourceOption("min_segment", "shorter segments are left out, in seconds.", "number", default=0.1),
        SourceOption("max_segment", "longer segments are left out, in seconds.", "number", default=300.0),
    ),
    sample="autotrain_gradio.extensions.life:sample",
    takes_over=True,
    docs="autotrain_gradio/extensions/life/README.md",
)
EXTENSION = Extension("life", sources=(SourceFor(LIFE, TaskFilter(inputs=("audio",), targets=("text",))),))
