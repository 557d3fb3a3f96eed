"""Datasets of the Hub, served by a small Hub on this machine."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest

from autotrain_gradio import data
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.data.sources import hub as hub_source
from autotrain_gradio.tasks.registry import resolve
from tests.unit.data.conftest import classes, errors, finding, names, picture, plant, resolved
from tests.unit.data.fake_hub import SHA, TOKEN, FakeHub
from tests.unit.data.test_embedded import all_rows, dataset, expected

datasets.disable_progress_bars()
Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(hub: FakeHub, draft: Path) -> Ask:
    """Return a function that checks a dataset of the Hub."""

    def run(
        name: str, *, token: str | None = None, url: str | None = None, limits: Limits | None = None, **given: Any
    ) -> dict[str, Any]:
        environ = {"HF_ENDPOINT": url or hub.url} | ({"HF_TOKEN": token} if token else {})
        spec = resolved(source="hub", path=name, **given)
        result: dict[str, Any] = {**data.check(draft, data.Request.of(spec, environ=environ, limits=limits))}
        assert TOKEN not in "".join(p.read_text(errors="ignore") for p in draft.rglob("*.json"))
        return result

    return run


def parquet(hub: FakeHub, name: str, **parts: datasets.Dataset) -> Path:
    for file, part in parts.items():
        path = hub.root / name / "data" / f"{file}-00000-of-00001.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        part.to_parquet(str(path))
    return hub.root / name


def test_parquet_with_class_labels(hub: FakeHub, ask: Ask, draft: Path) -> None:
    parquet(hub, "ann/pets", train=dataset(9), test=dataset(6, start=40))
    result = ask("ann/pets")
    assert result["layout"]["name"] == "embedded" and names(result) == ["cat", "dog", "cow"]
    assert result["source"]["revision"] == SHA and not errors(result)
    assert all_rows(draft) == expected(9)
    assert ask("ann/pets", valid_split="test")["splits"] == {"train": 9, "validation": 6}


@pytest.mark.parametrize("path", ["ann/pets", "datasets/ann/pets", "https://huggingface.co/datasets/ann/pets"])
def test_string_labels_and_spellings_of_the_dataset_id(hub: FakeHub, ask: Ask, path: str) -> None:
    parquet(hub, "ann/pets", train=dataset(12, label=lambda i: ["x", "y"][i % 2]))
    assert names(ask(path)) == ["x", "y"]


def test_a_repository_with_a_script_is_downloaded_whole(hub: FakeHub, draft: Path) -> None:
    project_files = ("script.py", "lib/model.py", "data.zip", "README.md", ".gitattributes", "points.csv")
    plant(hub.root / "ann/project", dict.fromkeys(project_files, ""))
    spec = resolve({"task": "custom-script", "data": {"source": "hub", "path": "ann/project"}})
    result = data.check(draft, data.Request.of(spec, environ={"HF_ENDPOINT": hub.url}))
    assert not errors({**result}) and result["splits"] == {"train": 5}
    files = {row["project_file"] for row in data.load(draft)["train"]}
    assert files == {"script.py", "lib/model.py", "data.zip", "README.md", "points.csv"}


def test_second_check_sends_no_request(hub: FakeHub, ask: Ask) -> None:
    parquet(hub, "ann/pets", train=dataset(9))
    ask("ann/pets")
    hub.requests.clear()
    assert ask("ann/pets", valid_fraction=0)["splits"] == {"train": 9}
    assert hub.requests == []


def test_runs_share_downloaded_files(hub: FakeHub, ask: Ask, draft: Path) -> None:
    parquet(hub, "ann/pets", train=dataset(9))
    ask("ann/pets")
    hub.requests.clear()
    other = draft.parent / "other"
    spec = resolved(source="hub", path="ann/pets")
    assert data.check(other, data.Request.of(spec, environ={"HF_ENDPOINT": hub.url}))["rows"] == 9
    assert not [r for r in hub.requests if r.startswith("GET /datasets")]


def test_folders_of_images(hub: FakeHub, ask: Ask) -> None:
    plant(
        hub.root / "ann/photos",
        {**classes("cat", "dog", prefix="train/"), **classes("cat", "dog", count=2, prefix="validation/")},
    )
    result = ask("ann/photos")
    assert result["layout"]["name"] == "class-folders" and result["splits"] == {"train": 12, "validation": 4}


def test_a_zip_of_images(hub: FakeHub, ask: Ask, draft: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, seed in classes("cat", "dog").items():
            file.writestr(name, picture(seed))
    plant(hub.root / "ann/zipped", {"photos.zip": buffer.getvalue(), "README.md": "hello"})
    assert names(ask("ann/zipped")) == ["cat", "dog"]
    assert ask("ann/zipped", valid_fraction=0)["splits"] == {"train": 12}


CARD = """---
configs:
- config_name: small
  data_files:
  - split: train
    path: small/a-*.parquet
  - split: validation
    path: small/b-*.parquet
- config_name: large
  data_files: large/*.parquet
---
"""


def configs(hub: FakeHub) -> None:
    root = hub.root / "ann/many"
    plant(root, {"README.md": CARD})
    for file, part in {
        "small/a-0": dataset(6),
        "small/b-0": dataset(3, start=20),
        "large/x": dataset(12, start=40),
    }.items():
        (root / file).parent.mkdir(exist_ok=True)
        part.to_parquet(str(root / f"{file}.parquet"))


def test_configurations_of_the_card(hub: FakeHub, ask: Ask) -> None:
    configs(hub)
    found = finding(ask("ann/many"), "hub-config")
    assert "small, large" in found["message"] and found["fix"]["change"] == {"options": {"config": "small"}}
    assert ask("ann/many", options={"config": "small"})["splits"] == {"train": 6, "validation": 3}
    assert ask("ann/many", train_split="small:train")["splits"] == {"train": 6, "validation": 3}
    assert ask("ann/many", options={"config": "large"}, valid_fraction=0)["splits"] == {"train": 12}
    assert "'small'" in finding(ask("ann/many", options={"config": "smal"}), "hub-config")["hint"]


def test_splits_of_the_card_for_folders_of_images(hub: FakeHub, ask: Ask) -> None:
    parts = "".join(f"  - split: {s}\n    path: {p}/**\n" for s, p in (("train", "part_a"), ("test", "part_b")))
    card = f"---\nconfigs:\n- config_name: default\n  data_files:\n{parts}---\n"
    files = {**classes("cat", "dog", prefix="part_a/"), **classes("cat", "dog", count=2, prefix="part_b/")}
    plant(hub.root / "ann/parts", {"README.md": card, **files})
    result = ask("ann/parts", valid_split="test")
    assert result["splits"] == {"train": 12, "validation": 4} and names(result) == ["cat", "dog"]


def test_configurations_by_folder(hub: FakeHub, ask: Ask) -> None:
    for config in ("one", "two"):
        path = hub.root / "ann/dirs" / config / "train-00000-of-00001.parquet"
        path.parent.mkdir(parents=True)
        dataset(6).to_parquet(str(path))
    assert "one, two" in finding(ask("ann/dirs"), "hub-config")["message"]
    assert ask("ann/dirs", options={"config": "two"}, valid_fraction=0)["splits"] == {"train": 6}


def test_missing_dataset_is_an_error(hub: FakeHub, ask: Ask) -> None:
    found = finding(ask("ann/nothing"), "dataset-not-found")
    assert "'ann/nothing'" in found["message"] and "spelling" in found["hint"]


@pytest.mark.parametrize("name", ["a b", "x/y/z", "..", ""])
def test_invalid_dataset_id_is_an_error(ask: Ask, name: str) -> None:
    assert errors(ask(name))[0] in {"hub-bad-id", "no-dataset"}


def test_a_private_dataset_opens_with_a_token(hub: FakeHub, ask: Ask) -> None:
    parquet(hub, "ann/secret", train=dataset(9))
    hub.private.add("ann/secret")
    assert "token" in finding(ask("ann/secret"), "dataset-not-found")["hint"]
    assert ask("ann/secret", token=TOKEN)["rows"] == 9


def test_gated_dataset_names_the_page_with_its_terms(hub: FakeHub, ask: Ask) -> None:
    parquet(hub, "ann/gated", train=dataset(9))
    hub.gated.add("ann/gated")
    found = finding(ask("ann/gated"), "dataset-gated")
    assert f"{hub.url}/datasets/ann/gated" in found["hint"]
    assert ask("ann/gated", token=TOKEN)["rows"] == 9


def test_no_network(ask: Ask) -> None:
    found = finding(ask("ann/pets", url="http://127.0.0.1:9"), "hub-unreachable")
    assert "http://127.0.0.1:9" in found["message"] and "folder or an upload" in found["hint"]


def test_an_unknown_revision(hub: FakeHub, ask: Ask) -> None:
    parquet(hub, "ann/pets", train=dataset(9))
    assert errors(ask("ann/pets", options={"revision": "v9"})) == ["hub-revision"]


def test_loading_script_is_not_executed(hub: FakeHub, ask: Ask) -> None:
    plant(hub.root / "ann/script", {"script.py": "raise SystemExit", "README.md": "x"})
    assert "script.py" in finding(ask("ann/script"), "hub-needs-code")["message"]


def test_no_data_files(hub: FakeHub, ask: Ask) -> None:
    plant(hub.root / "ann/empty", {"README.md": "x", "paper.pdf": b"x"})
    assert "paper.pdf" in finding(ask("ann/empty"), "hub-no-data")["message"]


def test_size_limit_is_checked_before_the_download(hub: FakeHub, ask: Ask) -> None:
    parquet(hub, "ann/pets", train=dataset(9))
    assert errors(ask("ann/pets", limits=Limits(archive_bytes=100))) == ["hub-too-large"]
    assert not [r for r in hub.requests if "resolve" in r]


def test_server_errors_are_reported(hub: FakeHub, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet(hub, "ann/pets", train=dataset(9))
    hub.broken.add("ann/pets")
    monkeypatch.setattr("time.sleep", lambda s: None)
    assert "500" in finding(ask("ann/pets"), "hub-error")["message"]


def test_endpoint_of_the_request_is_used_instead_of_the_library_constant(hub: FakeHub, ask: Ask) -> None:
    # HF_ENDPOINT of the tests' environment answers nothing: whatever works here went to the request's endpoint.
    parquet(hub, "ann/pets", train=dataset(9))
    assert ask("ann/pets")["rows"] == 9 and hub.requests and hub_source.DOWNLOADS > 1
