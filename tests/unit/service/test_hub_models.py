"""Whether the Hub answers, and what is downloaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from autotrain_gradio.service.hub_models import HubModels
from tests.hub import serve


def test_the_hub_is_reachable_if_it_answers_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve() as hub:
        models = HubModels(hub.url)
        models.check()
        assert models.reachable()
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        models.check()
        assert not models.reachable()
    monkeypatch.delenv("HF_HUB_OFFLINE")
    for address in ("http://127.0.0.1:9", "no address"):
        models = HubModels(address)
        models.check()
        assert not models.reachable()


def test_a_model_is_downloaded_if_its_weights_are_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    models, snapshot = HubModels("http://127.0.0.1:9"), tmp_path / "models--user--name" / "snapshots" / "0a1b"
    assert not models.downloaded("user/name")
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    assert not models.downloaded("user/name"), "a probe downloads no weights"
    (snapshot / "model.safetensors").write_bytes(b"")
    assert models.downloaded("user/name") and not models.downloaded("user/other")
    assert not models.downloaded("a\0b") and not models.downloaded("x" * 5000)
