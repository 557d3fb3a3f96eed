"""The LiFE App (Linguistic Field data management and analysis Environment) as a source of transcribed speech.

The data model is LiFE's: a *project* has recordings; a recording has transcripts in several *scripts* (writing
systems), in one annotation layer per annotator and in the layer `latest`, the current state.

`catalog` lists what can be selected; it is light, and the page imports it too. `source` fetches the data and answers
the picker, in a worker. `documents` parses recordings and replaces names of people by pseudonyms, `formats` and
`tier_exports` parse exports, `client`, `session_client` and `server_import` talk to a LiFE server, `draft_store` keeps
what was imported in the draft.
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
        SourceOption("projects", "names of the projects to use; default: all.", many=True, names_data=True),
        SourceOption("script", "writing system of the transcripts; default: the one with the most segments."),
        SourceOption(
            "dataset", "annotation layer: `latest`, or that of one annotator (`annotator-1`); default: `latest`."
        ),
        SourceOption("silence_tag", "text that marks silent segments; they are skipped.", default="0"),
        SourceOption(
            "min_segment", "minimum length of a segment in seconds; shorter ones are skipped.", "number", default=0.1
        ),
        SourceOption(
            "max_segment", "maximum length of a segment in seconds; longer ones are skipped.", "number", default=300.0
        ),
    ),
    sample="autotrain_gradio.extensions.life:sample",
    takes_over=True,
    secrets=("LIFE_USERNAME", "LIFE_PASSWORD", "LIFE_TOKEN"),
    docs="autotrain_gradio/extensions/life/README.md",
)
EXTENSION = Extension("life", sources=(SourceFor(LIFE, TaskFilter(inputs=("audio",), targets=("text",))),))
