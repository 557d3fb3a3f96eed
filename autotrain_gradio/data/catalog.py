"""The sources, layouts, kinds and checks that come with the app. Light: a task imports from here."""

from __future__ import annotations

from dataclasses import replace

from autotrain_gradio.core.file_types import AUDIO_SUFFIXES
from autotrain_gradio.data.declarations import Check, Kind, Layout, Source, SourceOption

_SOURCES = "autotrain_gradio.data.sources."
_LAYOUTS = "autotrain_gradio.data.layouts."
_KINDS = "autotrain_gradio.data.kinds."
_CHECKS = "autotrain_gradio.data.checks."


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


UPLOAD = Source(
    "upload",
    "Upload files",
    _SOURCES + "upload",
    "A zip, or the files themselves.",
    matches=lambda data: float(data.uploaded),
    in_draft=True,
)
PATH = Source(
    "path",
    "Folder on this computer",
    _SOURCES + "path",
    "Files are read where they are.",
    local_path="always",
    matches=lambda data: 0.8 if data.exists or data.path.startswith(("/", "./", "../", "~")) else 0.05,
    placeholder="/home/me/data",
)
HUB = Source(
    "hub",
    "Hugging Face dataset",
    _SOURCES + "hub",
    "A dataset id such as user/name.",
    matches=lambda data: 0.1,
    placeholder="user/dataset",
    uses_hub=True,
)
SAMPLE = Source(
    "sample",
    "Sample data",
    _SOURCES + "sample",
    "A small data set that comes with the app.",
    matches=lambda data: 0.7 if data.path in data.samples else 0.0,
    explicit=True,
)

IMAGE = Kind(
    "image",
    "image",
    _KINDS + "image",
    suffixes=_words(".jpg .jpeg .png .webp .bmp .gif .tiff .tif"),
    relatives=_words(".heic .heif .avif .jfif .svg .psd .jp2 .ico .dng .cr2 .nef .arw .pdf"),
    feature="Image",
)
AUDIO = Kind(
    "audio",
    "audio",
    _KINDS + "audio",
    suffixes=AUDIO_SUFFIXES,
    relatives=_words(".amr .ape .wv .mka .3gp .caf .au .mov .mkv .avi .mpg .sph .nist"),
    feature="Audio",
    noun="recording",
)
"""Audio files; those that libsndfile does not read (M4A, AAC, WMA, WebM) need the program ffmpeg."""
LABEL = Kind("label", "label", _KINDS + "label", feature="ClassLabel", classes=True)
"""One class per row."""
LABELS = Kind("labels", "labels", _KINDS + "labels", feature="ClassLabel", classes=True, includes=("label",))
"""One class per row, or several; detected from the data."""
TEXT = Kind("text", "text", _KINDS + "text", texts=True)
NUMBER = Kind("number", "number", _KINDS + "number")
SENTENCE = replace(TEXT, module=_KINDS + "sentence")
"""One of several texts of a row; columns without a usual name are recognized by their order."""
SIMILARITY = replace(NUMBER, module=_KINDS + "similarity")
"""A number that is rescaled to 0 to 1; recognized by the name of its column only."""
SECONDS = Kind("seconds", "time in seconds", _KINDS + "seconds")
"""A number that may be missing."""
GROUP = Kind("group", "group", _KINDS + "group")
"""A name that rows share which belong together; it may be missing."""
VALUE = Kind("value", "value", _KINDS + "value")
"""Any cell, as text; it may be missing."""
CONVERSATION = Kind("conversation", "conversation", _KINDS + "conversation")
"""Messages of a system, a user, an assistant and tools, stored as JSON."""
PROMPT_TURN = Kind("prompt-turn", "prompt", _KINDS + "turn")
"""With an answer, and perhaps a context and a system prompt, the check CONVERSATIONS makes a conversation of it."""
ANSWER_TURN = replace(PROMPT_TURN, name="answer-turn", title="answer")
CONTEXT_TURN = replace(PROMPT_TURN, name="context-turn", title="context of a prompt")
SYSTEM_TURN = replace(PROMPT_TURN, name="system-turn", title="system prompt")
PREFERENCE_PROMPT = Kind("preference-prompt", "prompt", _KINDS + "preference_turn")
"""With a preferred and a rejected answer, the check PREFERENCES makes lists of messages of them, stored as JSON."""
PREFERRED_ANSWER = replace(PREFERENCE_PROMPT, name="preferred-answer", title="preferred answer")
REJECTED_ANSWER = replace(PREFERENCE_PROMPT, name="rejected-answer", title="rejected answer")
JUDGED_ANSWER = Kind("judged-answer", "judged answer", _KINDS + "judged_answer")
"""With a judgement and perhaps a prompt, the check JUDGEMENTS makes lists of messages of them, stored as JSON."""
JUDGEMENT = Kind("judgement", "judgement", _KINDS + "judgement")
"""Whether an answer is good: true or false, a word, a thumb, or a rating."""
TOOLS = Kind("tools", "tools", _KINDS + "tools")
"""JSON schemas of the functions that a conversation may call; they may be missing."""
RENDERED_TEXT = Kind("rendered-text", "text", _KINDS + "rendered_text", texts=True)
"""A text to train on as it is."""
FEATURE = Kind("feature", "column of a table", _KINDS + "feature")
"""Number, category, date, text, id, or to be ignored."""

_TABLES = SourceOption(
    "tables", "the tables to use, as paths in the folder; empty: all that have the columns of the largest.", many=True
)
CLASS_FOLDERS = Layout(
    "class-folders",
    "A folder for each class",
    _LAYOUTS + "class_folders",
    "photos.zip\n├── train/            (optional; also valid, validation, val, dev, test)\n"
    "│   ├── cat/\n│   │   ├── 1.jpg\n│   │   └── 2.png\n│   └── dog/\n│       └── 3.webp\n└── valid/ …",
)
TABLE_WITH_FILES = Layout(
    "table-with-files",
    "A table that names the files",
    _LAYOUTS + "table_with_files",
    "photos.zip\n├── metadata.csv      (any .csv, .tsv or .jsonl)\n└── images/ "
    "…\n\nfile_name,label\nimages/1.jpg,cat\nimages/2.jpg,dog",
    options=(_TABLES,),
)
EMBEDDED = Layout(
    "embedded",
    "Parquet or Arrow with the files inside",
    _LAYOUTS + "embedded",
    "train-00000-of-00001.parquet\n\nimage: {bytes, path}    label: string or ClassLabel",
)
SAVED_DATASET = Layout(
    "saved-dataset",
    "A dataset saved with save_to_disk",
    _LAYOUTS + "saved_dataset",
    "my_dataset/\n├── dataset_dict.json\n├── train/ …\n└── validation/ …",
)
AUDIO_TABLE = replace(
    TABLE_WITH_FILES,
    example="recordings.zip\n├── metadata.csv      (any .csv, .tsv or .jsonl)\n└── clips/ …\n\n"
    "file_name,transcription,speaker\nclips/1.wav,good morning,anna\nclips/2.mp3,good evening,ben\n\n"
    "With the columns start and end (seconds) rows are parts of long files.",
)
"""The same layout, with an example of audio. Audiofolder and Common Voice are of this kind."""
AUDIO_EMBEDDED = replace(
    EMBEDDED, example="train-00000-of-00001.parquet\n\naudio: {bytes, path}    text: string    speaker: string"
)
AUDIO_FOLDERS = replace(
    CLASS_FOLDERS,
    example="sounds.zip\n├── train/            (optional; also valid, validation, val, dev, test)\n"
    "│   ├── bell/\n│   │   ├── 1.wav\n│   │   └── 2.mp3\n│   └── bird/\n│       └── 3.flac\n└── valid/ …",
)
LABELLED_AUDIO_TABLE = replace(
    TABLE_WITH_FILES,
    example="sounds.zip\n├── metadata.csv      (any .csv, .tsv or .jsonl)\n└── clips/ …\n\n"
    "file_name,label,speaker\nclips/1.wav,bell,anna\nclips/2.mp3,bird,ben\n\n"
    "With the columns start and end (seconds) rows are parts of long files.",
)
LABELLED_AUDIO_EMBEDDED = replace(
    EMBEDDED, example="train-00000-of-00001.parquet\n\naudio: {bytes, path}    label: string or ClassLabel"
)
LIBRISPEECH = Layout(
    "librispeech",
    "LibriSpeech",
    _LAYOUTS + "librispeech",
    "train-clean-100/84/121123/\n├── 84-121123.trans.txt\n├── 84-121123-0000.flac\n└── …\n\n"
    "84-121123-0000 GO DO YOU HEAR",
    files=(".trans.txt",),
)
KALDI = Layout(
    "kaldi",
    "Kaldi",
    _LAYOUTS + "kaldi",
    "train/\n├── wav.scp           talk1 audio/talk1.wav\n├── text              talk1-01 good morning\n"
    "├── segments          talk1-01 talk1 0.5 2.1    (optional)\n└── utt2spk           talk1-01 anna    (optional)",
    files=("wav.scp", "/text", "/segments", "/utt2spk"),
)
_TIER = SourceOption("tier", "the tier with the transcripts, or several; empty: the one with the most text.", many=True)
TEXTGRID = Layout(
    "textgrid",
    "Praat TextGrids beside their audio",
    _LAYOUTS + "textgrid",
    "recordings.zip\n├── talk1.wav\n├── talk1.TextGrid    (same name; its intervals are the rows)\n├── talk2.wav\n"
    "└── talk2.TextGrid",
    files=(".textgrid",),
    options=(_TIER,),
)
ELAN = Layout(
    "elan",
    "ELAN files (.eaf) beside their audio",
    _LAYOUTS + "elan",
    "recordings.zip\n├── talk1.wav\n├── talk1.eaf         (its annotations are the rows)\n├── talk2.wav\n└── talk2.eaf",
    files=(".eaf",),
    options=(_TIER,),
)
ELAN_EXPORT = Layout(
    "elan-export",
    "Tab-delimited exports of ELAN beside their audio",
    _LAYOUTS + "elan_export",
    "recordings.zip\n├── talk1.wav\n└── talk1.txt         (same name)\n\n"
    "transcript⇥Anna⇥00:00:01.500⇥00:00:03.000⇥00:00:01.500⇥good morning",
    options=(_TIER,),
)
PRAAT_TABLE = Layout(
    "praat-table",
    "Tables of Praat beside their audio",
    _LAYOUTS + "praat_table",
    "recordings.zip\n├── talk1.wav\n└── talk1.txt         (same name)\n\n"
    "tmin⇥tier⇥text⇥tmax\n1.5⇥words⇥good morning⇥3.0",
    files=(".table",),
    options=(_TIER,),
)
SUBTITLES = Layout(
    "subtitles",
    "Subtitles (.srt, .vtt) beside their audio",
    _LAYOUTS + "subtitles",
    "films.zip\n├── film1.mp3\n├── film1.srt         (same name; each subtitle is a row)\n├── film2.mp3\n"
    "└── film2.en.vtt",
    files=(".srt", ".vtt"),
)
AUDACITY = Layout(
    "audacity",
    "Label tracks of Audacity beside their audio",
    _LAYOUTS + "audacity",
    "recordings.zip\n├── talk1.wav\n└── talk1.txt         (same name)\n\n1.500000⇥3.000000⇥good morning",
)
NEMO = Layout(
    "nemo",
    "Manifests of NeMo",
    _LAYOUTS + "nemo",
    "train_manifest.json\n\n"
    '{"audio_filepath": "clips/1.wav", "duration": 2.5, "text": "good morning"}\n\n'
    "With offset (seconds) rows are parts of long files.",
    files=(".manifest",),
)
TEXT_BESIDE_AUDIO = Layout(
    "text-beside-audio",
    "A text file beside each audio file",
    _LAYOUTS + "text_beside_audio",
    "recordings.zip\n├── talk1.wav\n├── talk1.txt         (or talk1.lab; same name, also in another folder)\n"
    "├── talk2.wav\n└── talk2.txt",
    files=(".txt", ".lab"),
)
TABLE = Layout(
    "table",
    "A table",
    _LAYOUTS + "table",
    "reviews.csv          (or .tsv, .jsonl, .json, .parquet, .xlsx; several files are joined)\n\n"
    "text,label\nA wonderful film,good\nI left after an hour,bad",
    options=(_TABLES,),
)
TEXT_PAIRS_TABLE = replace(
    TABLE,
    module=_LAYOUTS + "text_lists",
    example="questions.csv          (or .tsv, .jsonl, .json, .parquet, .xlsx; several files are joined)\n\n"
    "query,answer\nHow do I reset it?,Hold the button for ten seconds.\nWhere is the fuse?,Behind the front panel.\n\n"
    "Several negatives of a row: columns negative_1, negative_2 …, or a list.",
)
SAVED_TEXT_PAIRS = replace(SAVED_DATASET, module=_LAYOUTS + "saved_text_lists")
BEIR = Layout(
    "beir",
    "Retrieval benchmark (BEIR)",
    _LAYOUTS + "beir",
    'benchmark.zip\n├── corpus.jsonl      {"_id": "p1", "title": "Reset", "text": "Hold the button …"}\n'
    '├── queries.jsonl     {"_id": "q1", "text": "How do I reset it?"}\n'
    "└── qrels/\n    ├── train.tsv     query-id⇥corpus-id⇥score\n    └── test.tsv      (also dev.tsv)",
)
DOCUMENTS = Layout(
    "documents",
    "Text files, PDF and Word documents",
    _LAYOUTS + "documents",
    "books.zip\n├── train/            (optional; also valid, validation, val, dev, test)\n"
    "│   ├── tea.txt\n│   ├── coffee.md\n│   └── herbs.pdf     (with a text; scanned pages have none)\n└── notes.docx",
    files=(".txt", ".md", ".markdown", ".pdf", ".docx"),
    options=(
        SourceOption(
            "passages", "divide documents into passages, a row each: true or false; by default only a few ones."
        ),
    ),
)
"""A row for each document, or for each passage of a few."""
TEXT_FOLDERS = Layout(
    "text-folders",
    "A folder of texts for each class",
    _LAYOUTS + "text_folders",
    "reviews.zip\n├── train/            (optional; also valid, validation, val, dev, test)\n"
    "│   ├── good/\n│   │   ├── 1.txt\n│   │   └── 2.md\n│   └── bad/\n│       └── 3.txt\n└── valid/ …",
)

DUPLICATES = Check("duplicates", "Duplicate rows", _CHECKS + "duplicates")
CONVERSATIONS = Check("conversations", "Turns of conversations", _CHECKS + "conversations")
"""Makes conversations of prompts and answers; comes before checks that look at conversations."""
PREFERENCES = Check("preferences", "Prompts and answers of preferences", _CHECKS + "preferences")
"""Makes messages of prompts and compared answers; comes before checks that look at them."""
JUDGEMENTS = Check("judgements", "Prompts and answers that were judged", _CHECKS + "judgements")
"""As PREFERENCES, for single answers with a judgement."""
CLASS_BALANCE = Check("class-balance", "Rows in each class", _CHECKS + "class_balance")
LABEL_SPELLING = Check("label-spelling", "Names of labels", _CHECKS + "label_spelling")
TEXT_LENGTH = Check("text-length", "Very short and very long texts", _CHECKS + "text_length")
TEXT_LANGUAGE = Check("text-language", "Texts that are not English", _CHECKS + "text_language")
NUMBER_TARGETS = Check(
    "number-targets", "Constant numeric targets, and outliers", _CHECKS + "number_targets", after_split=True
)
TEXT_PAIRS = Check("text-pairs", "Equal texts, duplicates, and texts in both splits", _CHECKS + "text_pairs")
"""For two or three columns of texts: a query, its positive and its negative, or two texts to compare."""
TEXT_LANGUAGES = Check("text-languages", "Texts in several languages", _CHECKS + "text_languages")
TABLE_COLUMNS = Check("table-columns", "Constant and mixed columns", _CHECKS + "table_columns")
TABLE_TARGET = Check("table-target", "Targets that are not classes", _CHECKS + "table_target")
TABLE_ROWS = Check(
    "table-rows", "Too few rows, or too many labels, to compare models", _CHECKS + "table_rows", after_split=True
)
TABLE_LEAKAGE = Check("table-leakage", "Target leakage", _CHECKS + "table_leakage")

AUDIO_PARTS = Check("audio-parts", "Invalid start and end times", _CHECKS + "audio_parts")
"""Looks at the roles `start` and `end` of kind SECONDS. Comes before the other two: they look at parts."""
AUDIO_CONTENT = Check("audio-content", "Silent, clipped and damaged audio", _CHECKS + "audio_content")
AUDIO_TRANSCRIPTS = Check(
    "audio-transcripts", "Transcripts that do not match their audio", _CHECKS + "audio_transcripts"
)
