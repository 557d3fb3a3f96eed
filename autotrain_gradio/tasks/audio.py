"""Columns that the tasks of audio share."""

from __future__ import annotations

from autotrain_gradio.data.catalog import AUDIO, GROUP, SECONDS
from autotrain_gradio.data.declarations import Column

AUDIO_COLUMN = Column(
    "audio",
    "Audio",
    AUDIO,
    "The recording, or the name of its file.",
    purpose="input",
    names=("audio", "audio_path", "audio_file", "file_name", "filename", "file", "path", "wav", "wav_path", "clip"),
)
SPEAKER = Column(
    "speaker",
    "Speaker",
    GROUP,
    "Speaker id. An automatic split puts whole speakers into validation, if there are enough.",
    purpose="group",
    required=False,
    names=("speaker", "speaker_id", "client_id", "spk", "spk_id", "speakerid", "speaker_name", "narrator"),
)
RECORDING = Column(
    "recording",
    "Recording",
    GROUP,
    "Id of the source recording, which an automatic split does not divide if there are no speakers.",
    purpose="group",
    required=False,
    names=("recording", "recording_id", "session", "session_id", "chapter_id", "source_id"),
)


def part_columns(noun: str) -> tuple[Column, Column]:
    """Return the columns of start and end, for rows that are parts of files. noun: of a row, in the singular."""
    start = Column(
        "start",
        "Start",
        SECONDS,
        f"Start of the {noun} in the recording, in seconds.",
        purpose="input",
        required=False,
        names=("start", "start_time", "begin", "begin_time", "onset", "start_seconds", "tmin", "xmin"),
    )
    end = Column(
        "end",
        "End",
        SECONDS,
        f"End of the {noun} in the recording, in seconds.",
        purpose="input",
        required=False,
        names=("end", "end_time", "stop", "offset", "end_seconds", "tmax", "xmax"),
    )
    return start, end
