"""Prediction: the embedding of a text, and a search among the rows with the base model and the fine-tuned one."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import DatasetDict
from sentence_transformers import SentenceTransformer

from autotrain_gradio import data
from autotrain_gradio.core import panels
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.core.text_format import truncate
from autotrain_gradio.data.files.json_files import read_json
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.sentence_transformers import models
from autotrain_gradio.tasks.sentence_transformers.formats import FIRST, SECOND, TARGET, THIRD
from autotrain_gradio.training.text_prediction import texts_of

FOLDER = "search"
"""Folder of the run with the embeddings of its texts; they are not part of the model."""
FINE_TUNED, BASE = "fine_tuned.npy", "base.npy"
MOST = 20_000
"""Maximum number of texts that are searched: the first ones."""
FOUND = 10
BATCH = 32
CHARACTERS = 300


def corpus_of(rows: DatasetDict) -> list[str]:
    """Return the distinct texts that are searched: what queries should find; of pairs with a target all texts."""
    train = rows["train"].features
    roles = (FIRST, SECOND) if TARGET in train else tuple(r for r in (SECOND, THIRD) if r in train)
    return list(dict.fromkeys(t for role in roles for part in rows.values() for t in part[role]))[:MOST]


def write_corpus(run: Reporter, model: SentenceTransformer, rows: DatasetDict) -> None:
    """Encode the texts with the trained model, for the search on the page of the run."""
    folder = run.directory / FOLDER
    folder.mkdir(exist_ok=True)
    np.save(folder / FINE_TUNED, _encode(model, corpus_of(rows), searched=TARGET not in rows["train"].features))
    (folder / BASE).unlink(missing_ok=True)


def _encode(model: SentenceTransformer, texts: Sequence[str], *, searched: bool) -> np.ndarray:
    """Return float16 embeddings (texts, dimensions). searched: texts that queries should find."""
    encode = model.encode_document if searched else model.encode_query
    found = encode(list(texts), batch_size=BATCH, convert_to_numpy=True, show_progress_bar=False)
    return np.asarray(found, dtype=np.float16)


class load:  # noqa: N801 - called as a function: `load(directory)(inputs)`
    """The embedding model that a run has trained.

    Inputs: `{"sentence1": str}`. Predictions: `{"embedding": [float], "matches": [{"text", "rank", "score",
    "base_rank", "base_score"}], "panels"}`: the closest texts of the run, with rank and score by the base model if that
    is available. `note`: the text was truncated.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._model = models.load_model(str(directory / "model"), local=True)
        if torch.cuda.is_available():
            self._model.to("cuda")
        self._rows: DatasetDict | None = None
        self._base: SentenceTransformer | None = None
        self._why_no_base = ""
        self._texts: list[str] | None = None
        self._vectors: dict[str, np.ndarray] = {}

    def __call__(self, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Encode texts, and search with each.

        Raises:
            UserError: a text is missing or empty.
        """
        asked = texts_of(inputs, FIRST)
        vectors = self._model.encode_query(asked, batch_size=BATCH, convert_to_numpy=True, show_progress_bar=False)
        self._prepare()
        base_vectors = None
        if self._base is not None:
            base_vectors = self._base.encode_query(
                asked, batch_size=BATCH, convert_to_numpy=True, show_progress_bar=False
            )
        found = []
        for i, text in enumerate(asked):
            matches = self._search(vectors[i], None if base_vectors is None else base_vectors[i])
            note = self._truncation(text)
            panel = self._panel(vectors[i], matches, note)
            found.append(
                {
                    "embedding": [float(v) for v in vectors[i]],
                    "matches": matches,
                    **({"note": note} if note else {}),
                    "panels": panel,
                }
            )
        return found

    def _truncation(self, text: str) -> str:
        limit = self._model.max_seq_length
        length = len(self._model.tokenizer(text, verbose=False)["input_ids"])
        if limit is None or length <= limit:
            return ""
        return f"The text has {length:,} tokens and was truncated to the first {limit:,}."

    def _prepare(self) -> None:
        """Load the texts and their embeddings, and the base model; once."""
        if self._texts is not None:
            return
        if not (self._directory / "data" / "dataset").is_dir():
            self._texts = []
            return
        rows = self._rows = data.load(self._directory)
        self._texts = corpus_of(rows)
        searched = TARGET not in rows["train"].features
        self._vectors["tuned"] = self._stored(FINE_TUNED, self._model, self._texts, searched)
        self._base = self._load_base(rows)
        if self._base is not None:
            self._vectors["base"] = self._stored(BASE, self._base, self._texts, searched)

    def _stored(self, name: str, model: SentenceTransformer, texts: list[str], searched: bool) -> np.ndarray:
        """Return embeddings from the folder of the run, or compute and store them."""
        path = self._directory / FOLDER / name
        if path.is_file():
            found = np.load(path, allow_pickle=False)
            if len(found) == len(texts):
                return np.asarray(found)
        path.parent.mkdir(exist_ok=True)
        found = _encode(model, texts, searched=searched)
        np.save(path, found)
        return found

    def _load_base(self, rows: DatasetDict) -> SentenceTransformer | None:
        """Return the base model, if it is on this computer."""
        settings = read_json(self._directory / "spec.json") or {}
        name = str(settings.get("model") or "")
        try:
            if name == TINY:
                texts = [
                    t for role in (FIRST, SECOND, THIRD) if role in rows["train"].features for t in rows["train"][role]
                ]
                with tempfile.TemporaryDirectory() as folder:
                    seed = int(settings.get("params", {}).get("seed", 42))
                    base = models.open_model(TINY, texts=texts, seed=seed, scratch=Path(folder))
            else:
                base = models.load_model(name, local=True)
        except UserError as error:
            self._why_no_base = f"The base model cannot be compared: {error.message}"
            return None
        base.max_seq_length = self._model.max_seq_length
        return base.to("cuda") if torch.cuda.is_available() else base

    def _search(self, vector: np.ndarray, base_vector: np.ndarray | None) -> list[dict[str, Any]]:
        """Return the closest texts, with rank and score by both models."""
        if not self._texts:
            return []
        scores = self._similarity(self._model, vector, self._vectors["tuned"])
        order = np.argsort(-scores, kind="stable")
        base_scores = base_ranks = None
        if self._base is not None and base_vector is not None:
            base_scores = self._similarity(self._base, base_vector, self._vectors["base"])
            base_ranks = np.empty(len(base_scores), dtype=np.int64)
            base_ranks[np.argsort(-base_scores, kind="stable")] = np.arange(1, len(base_scores) + 1)
        found = []
        for rank, i in enumerate(order[:FOUND].tolist(), 1):
            match = {"text": self._texts[i], "rank": rank, "score": round(float(scores[i]), 4)}
            if base_scores is not None and base_ranks is not None:
                match |= {"base_rank": int(base_ranks[i]), "base_score": round(float(base_scores[i]), 4)}
            found.append(match)
        return found

    def _similarity(self, model: SentenceTransformer, vector: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        found = model.similarity(vector[None].astype(np.float32), vectors.astype(np.float32))
        return np.asarray(found[0].cpu().numpy())

    def _panel(self, vector: np.ndarray, matches: list[dict[str, Any]], note: str) -> list[Panel]:
        facts = {"dimensions": len(vector), "length": round(float(np.linalg.norm(vector)), 4)}
        embedding = panels.numbers("Embedding", facts, note=note, id="embedding")
        if not matches:
            return [embedding]
        compared = "base_rank" in matches[0]
        columns = ["text", "rank", "score", *(["rank by the base model", "its score"] if compared else [])]
        rows = [
            [
                truncate(" ".join(m["text"].split()), CHARACTERS),
                m["rank"],
                m["score"],
                *([m["base_rank"], m["base_score"]] if compared else []),
            ]
            for m in matches
        ]
        assert self._texts is not None
        scope = f"The closest of {len(self._texts):,} texts of the data. {self._why_no_base}".strip()
        return [panels.table("Closest texts", columns, rows, note=scope, id="matches"), embedding]
