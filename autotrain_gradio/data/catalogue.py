"""The sources, layouts, kinds and checks that come with the app. Light: a task imports from here."""

from __future__ import annotations

from autotrain_gradio.data.declare import Check, Kind, Layout, Source

_SOURCES = "autotrain_gradio.data.sources."
_LAYOUTS = "autotrain_gradio.data.layouts."
_KINDS = "autotrain_gradio.data.kinds."
_CHECKS = "autotrain_gradio.data.checks."

UPLOAD = Source("upload", "Upload files", _SOURCES + "upload", "A zip, or the files themselves.")
PATH = Source("path", "Folder on this computer", _SOURCES + "path", "Files are read where they are.", local_only=True)
HUB = Source("hub", "Hugging Face dataset", _SOURCES + "hub", "A dataset id such as user/name.")
SAMPLE = Source("sample", "Sample data", _SOURCES + "sample", "A small data set that comes with the app.")

IMAGE = Kind(
    "image",
    "image",
    _KINDS + "image",
    suffixes=(".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tiff", ".tif"),
    relatives=(
        ".heic",
        ".heif",
        ".avif",
        ".jfif",
        ".svg",
        ".psd",
        ".jp2",
        ".ico",
        ".dng",
        ".cr2",
        ".nef",
        ".arw",
        ".pdf",
    ),
    feature="Image",
)
LABEL = Kind("label", "label", _KINDS + "label", feature="ClassLabel", classes=True)

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

DUPLICATES = Check("duplicates", "The same content twice", _CHECKS + "duplicates")
CLASS_BALANCE = Check("class-balance", "Rows in each class", _CHECKS + "class_balance")
LABEL_SPELLING = Check("label-spelling", "Labels that differ only in spelling", _CHECKS + "label_spelling")
