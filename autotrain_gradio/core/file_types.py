"""File extensions of the types that several layers know."""

from __future__ import annotations

TEXT_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".txt")
EXCEL_SUFFIXES = (".xlsx", ".xlsm", ".xls", ".ods")
ARROW_SUFFIXES = (".parquet", ".arrow")
TABLE_SUFFIXES = (*TEXT_SUFFIXES, *EXCEL_SUFFIXES, *ARROW_SUFFIXES)
"""Tables that `data.tables` reads."""
_PCM_SUFFIXES = (".wav", ".flac", ".aif", ".aiff")
_CODEC_SUFFIXES = (".mp3", ".ogg", ".oga", ".opus", ".m4a", ".mp4", ".aac", ".wma", ".webm")
AUDIO_SUFFIXES = (*_PCM_SUFFIXES, *_CODEC_SUFFIXES)
"""Audio that can be trained on; a browser plays most of it."""
TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
ARCHIVE_SUFFIXES = (".zip", *TAR_SUFFIXES)
"""Archives that are extracted."""
REFUSED_ARCHIVE_SUFFIXES = (".rar", ".7z", ".gz", ".bz2", ".xz", ".zst")
"""Archives, and compressed files, that are not; check for `ARCHIVE_SUFFIXES` first."""
