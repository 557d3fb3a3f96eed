"""Pretrained models before their weights are loaded, and the errors of the Hub."""

from __future__ import annotations

import importlib.metadata
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from autotrain_gradio.core.errors import MissingExtra, UserError
from autotrain_gradio.training import pretrained


class Hub(BaseHTTPRequestHandler):
    """A Hub with one repository. files: their contents. asked: names of the requested files. commit: the latest one."""

    files: ClassVar[dict[str, bytes]] = {}
    asked: ClassVar[list[str]] = []
    commit = "a" * 40

    def do_HEAD(self) -> None:
        name = self.path.rpartition("/")[2]
        content = self.files.get(name)
        if self.command == "HEAD":
            self.asked.append(name)
        self.send_response(404 if content is None else 200)
        self.send_header("X-Repo-Commit", self.commit)
        if content is None:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.send_header("ETag", f'"{name}-{self.commit}"')
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(self.files.get(self.path.rpartition("/")[2], b""))

    def log_message(self, *values: Any) -> None:
        """Print nothing."""


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    """Return the handler of a Hub that huggingface_hub asks, with an empty cache."""
    from huggingface_hub import constants

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    yield Hub
    server.shutdown()
    server.server_close()
    thread.join()


def response(status: int) -> Any:
    return SimpleNamespace(status_code=status, headers={}, request=None)


def wrapped(error: Exception) -> OSError:
    """Return the error as transformers passes it on."""
    try:
        raise OSError("We couldn't connect, or it is not a valid model identifier") from error
    except OSError as outer:
        return outer


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GatedRepoError("gated", response=response(403)), "model-gated"),
        (RepositoryNotFoundError("none", response=response(404)), "model-not-found"),
        (LocalEntryNotFoundError("offline"), "hub-unreachable"),
        (OfflineModeIsEnabled("offline"), "hub-unreachable"),
        (pretrained.HTTPError("refused"), "hub-unreachable"),
        (HfHubHTTPError("500", response=response(500)), "hub-error"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_nested_errors_of_the_hub_are_reported(error: Exception, code: str) -> None:
    for seen in (error, wrapped(error)):
        with pytest.raises(UserError) as caught, pretrained.translated_errors("some/model"):
            raise seen
        found = caught.value.findings[0]
        assert found.code == code and "some/model" in found.message and found.hint and found.where == "model"


@pytest.mark.parametrize(
    ("text", "package"),
    [
        (
            "TimmWrapper requires timm, and it was not found. Install it with pip: `pip install timm`.",
            "timm",
        ),
        ("XLMTokenizer requires sentencepiece: see its page", "sentencepiece"),
    ],
)
def test_a_package_that_a_model_needs_is_named(text: str, package: str) -> None:
    with pytest.raises(MissingExtra) as caught, pretrained.translated_errors("some/model"):
        raise ImportError(text)
    assert caught.value.findings[0].hint == f"pip install {package}"


KNOWN = {"resnet": "ResNetForImageClassification", "timm_wrapper": "TimmWrapperForImageClassification"}


def config(folder: Path, **values: Any) -> str:
    """Write a config.json and return its folder."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(values))
    return str(folder)


def test_the_architecture_of_a_model_is_checked_by_its_config(tmp_path: Path) -> None:
    good = config(tmp_path / "good", model_type="resnet")
    pretrained.require_type(pretrained.fetch_config(good), good, KNOWN, "image classification")
    other = config(tmp_path / "bert", model_type="bert", architectures=["BertForMaskedLM"])
    with pytest.raises(pretrained.ModelError) as caught:
        pretrained.require_type(pretrained.fetch_config(other), other, KNOWN, "image classification")
    assert caught.value.code == "model-wrong-task" and "BertForMaskedLM" in caught.value.message


@pytest.mark.parametrize("values", [{"architecture": "resnet18", "num_classes": 10}, {"model_type": "timm_wrapper"}])
@pytest.mark.parametrize(
    ("installed", "missing"),
    [
        ([], "2 packages that are not installed: timm, torchvision"),
        (["timm"], "1 package that is not installed: torchvision"),
        (["timm", "torchvision"], ""),
    ],
)
def test_models_of_timm_need_its_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], installed: list[str], missing: str
) -> None:
    """As on the Hub, with timm's own config, or saved by transformers."""
    monkeypatch.setattr(pretrained.importlib.util, "find_spec", lambda name: name if name in installed else None)
    timm = config(tmp_path / "timm", **values)
    if not missing:
        return pretrained.require_type(pretrained.fetch_config(timm), timm, KNOWN, "images")
    with pytest.raises(MissingExtra, match=missing) as caught:
        pretrained.require_type(pretrained.fetch_config(timm), timm, KNOWN, "images")
    version = importlib.metadata.version("torch").partition("+")[0]
    assert caught.value.hint == f"pip install 'autotrain-gradio[timm]' 'torch=={version}' (then restart the app)."
    with pytest.raises(pretrained.ModelError, match="its type is 'timm_wrapper'"):
        pretrained.require_type(pretrained.fetch_config(timm), timm, {"bert": ""}, "texts")


def test_a_folder_without_a_model_and_an_unknown_name_are_refused(tmp_path: Path) -> None:
    for name, code in ((str(tmp_path), "model-broken"), ("no such folder/x/y", "model-not-found")):
        with pytest.raises(pretrained.ModelError) as caught:
            pretrained.fetch_config(name)
        assert caught.value.code == code
    (tmp_path / "config.json").write_text("{broken")
    with pytest.raises(pretrained.ModelError, match="damaged"):
        pretrained.fetch_config(str(tmp_path))


def test_an_unreachable_hub_gives_a_hint_for_a_model_id() -> None:
    with pytest.raises(pretrained.ModelError) as caught:
        pretrained.fetch_config("google/vit-base-patch16-224")
    assert caught.value.code == "hub-unreachable" and "tiny" in caught.value.hint


def test_published_settings_contain_no_local_path(tmp_path: Path) -> None:
    from autotrain_gradio.training.card import portable

    spec = {"model": str(tmp_path / "start"), "data": {"path": str(tmp_path / "photos")}}
    assert portable(spec) == {"model": "start", "data": {"path": "photos"}}
    hub = {"model": "google/vit", "data": {"path": "ana/cats"}}
    assert portable({**hub, "data": dict(hub["data"])}) == hub


def test_a_folder_with_a_model_and_an_adapter_is_refused(tmp_path: Path) -> None:
    both = config(tmp_path / "both", model_type="resnet")
    assert pretrained.fetch_config(both)
    (tmp_path / "both" / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "/srv/private"}))
    with pytest.raises(pretrained.ModelError) as caught:
        pretrained.fetch_config(both)
    assert caught.value.code == "model-adapter" and "adapter_config.json" in caught.value.message


@pytest.mark.parametrize("cached", [True, False])
def test_a_hub_repository_with_a_model_and_an_adapter_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cached: bool
) -> None:
    folder = Path(config(tmp_path / "both", model_type="resnet"))
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "/srv/private"}))

    def from_cache(_: str, name: str) -> str | None:
        return str(folder / name) if cached or name == "config.json" else None

    monkeypatch.setattr(pretrained, "try_to_load_from_cache", from_cache)
    monkeypatch.setattr(pretrained, "hf_hub_download", lambda _, name, **__: str(folder / name))
    with pytest.raises(pretrained.ModelError) as caught:
        pretrained.fetch_config("some/both")
    assert caught.value.code == "model-adapter"


def test_the_hub_is_asked_for_an_adapter_once_for_each_commit(hub: type[Hub]) -> None:
    hub.files = {"config.json": b'{"model_type": "resnet"}'}
    for _ in range(2):
        assert pretrained.fetch_config("some/model") == {"model_type": "resnet"}
    assert hub.asked.count("adapter_config.json") == 1
    hub.commit, hub.files["adapter_config.json"] = "b" * 40, b"{}"
    with pytest.raises(pretrained.ModelError) as caught:
        pretrained.fetch_config("some/model")
    assert caught.value.code == "model-adapter" and hub.asked.count("adapter_config.json") >= 2
