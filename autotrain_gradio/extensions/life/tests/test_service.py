"""LiFE through the service and the command line: secrets, owners, flags."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.backends import process
from autotrain_gradio.cli.main import task_parser
from autotrain_gradio.core.errors import Forbidden, SpecError, UserError, WorkerError
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.extensions.life import LIFE
from autotrain_gradio.extensions.life.tests.fake_life import PASSWORD, USER, FakeLife
from autotrain_gradio.extensions.life.tests.life_data import (
    PEOPLE,
    boundary,
    document,
    files,
    grid,
    holds_a_name,
    zipped,
)
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.options import spec_from_options
from autotrain_gradio.tasks.registry import registry
from autotrain_gradio.tasks.views import arguments, command_view

ASR = "automatic-speech-recognition"
LOGIN = {"username": USER, "password": PASSWORD}


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Service]:
    """A service behind a page that visitors can reach."""
    found = Service(Settings(home=tmp_path / "shared", shared=True, uploads=tmp_path / "uploads"), dispatch=False)
    yield found
    found.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Service]:
    """A service of the person at the machine."""
    found = Service(Settings(home=tmp_path / "home"), dispatch=False)
    yield found
    found.close()


def spec_of(place: str, **options: Any) -> dict[str, Any]:
    """Return the spec of a place."""
    return {"task": ASR, "data": {"source": "life", "path": place, "options": options}}


def export(folder: Path, name: str, text: str) -> Path:
    """Write an export whose only text is this one."""
    return zipped(folder / name, files(document(1, project=name, textGrid=grid(boundary(0, 2, Latin=text)))))


def test_concurrent_visitors_see_only_their_own_exports(shared: Service, tmp_path: Path) -> None:
    people = ["visitor:" + c * 20 for c in "ab"]
    drafts = {p: shared.draft(ASR, p) for p in people}
    place = "LiFE export x.zip"  # the same name, as people's exports have
    steps = threading.Barrier(len(people), timeout=60)

    def pick(person: str) -> tuple[Any, Any, Any]:
        draft, mine = drafts[person], "mine-" + person[-1]
        # Where the page has received it: visitors use their uploads only.
        folder = tmp_path / "uploads" / (person[-1] * 64)
        folder.mkdir(parents=True)
        file = export(folder, f"{mine}.zip", mine)
        steps.wait()
        opened = shared.browse(draft, spec_of(place), {"action": "open"}, person, files=[file])
        steps.wait()
        selection = {"projects": [f"{mine}.zip"], "script": "Latin", "dataset": "latest"}
        shown = shared.browse(draft, spec_of(place), {"action": "preview", **selection}, person)
        steps.wait()
        return opened, shown, shared.check(draft, spec_of(place, **selection), person)

    with ThreadPoolExecutor(len(people)) as pool:
        answers = dict(zip(people, pool.map(pick, people), strict=True))
    for person, other in zip(people, reversed(people), strict=True):
        mine, theirs = "mine-" + person[-1], "mine-" + other[-1]
        assert mine in str(answers[person]) and theirs not in str(answers[person])
        folder = shared.store.get(drafts[person]).directory
        assert not [p for p in folder.rglob("*") if p.is_file() and theirs.encode() in p.read_bytes()]
        assert holds_a_name(folder) == []
        assert not any(name in str(answers[person]) for name in PEOPLE)
        with pytest.raises(Forbidden):
            shared.browse(drafts[other], spec_of(place), {"action": "open"}, person)


def test_credentials_are_in_no_file_of_the_home(own: Service, tmp_path: Path) -> None:
    fake = FakeLife({"Bhojpuri": {"documents": [document(1)]}})
    with fake.serve() as address:
        draft = own.draft(ASR)
        listed = own.browse(draft, spec_of(address), {"action": "projects"}, secrets=LOGIN)
        ids = [p["id"] for p in listed["projects"]]
        own.browse(draft, spec_of(address), {"action": "open", "projects": ids}, secrets=LOGIN)
        selection = {"projects": ids, "script": "Devanagari", "dataset": "latest"}
        own.browse(draft, spec_of(address), {"action": "download", **selection}, secrets=LOGIN)
    result = own.check(draft, spec_of(address, **selection))
    assert not [f for f in result["findings"] if f["level"] == "error"], result["findings"]
    assert not [p for p in own.settings.home.rglob("*") if p.is_file() and PASSWORD.encode() in p.read_bytes()]
    assert holds_a_name(own.settings.home) == []
    # A run that is begun again has what was picked, without the server.
    again = own.clone(own.start(draft, {**spec_of(address, **selection), "model": "tiny"}))
    result = own.check(again, spec_of(address, **selection))
    assert result["splits"]["train"], result["findings"]


def test_a_cancelled_question_restores_the_active_project(own: Service) -> None:
    fake = FakeLife({"Bhojpuri": {"documents": [document(1)]}, "Magahi": {}})
    fake.silent_seconds = 3.0  # in the middle of the download
    with fake.serve() as address, ThreadPoolExecutor(1) as pool:
        draft = own.draft(ASR)
        question = {"action": "open", "projects": ["Bhojpuri"]}
        asked = pool.submit(own.browse, draft, spec_of(address), question, secrets=LOGIN)
        end = time.monotonic() + 60
        while not any("/download/" in path for _, path, _ in fake.requests) and time.monotonic() < end:
            time.sleep(0.02)
        assert fake.active == "Bhojpuri"
        own.cancel_check(draft)
        with pytest.raises(WorkerError) as caught:
            asked.result()
        assert caught.value.code == "cancelled" and fake.active == fake.first == "Magahi"


def test_a_url_with_credentials_is_refused_before_it_is_stored(own: Service) -> None:
    draft = own.draft(ASR)
    spec = spec_of(f"https://{USER}:{PASSWORD}@life.example.org")
    for work in (own.check, partial(own.browse, question={"action": "projects"})):
        with pytest.raises(SpecError) as caught:
            work(draft, spec)
        assert PASSWORD not in str(caught.value)
    assert not [p for p in own.settings.home.rglob("*") if p.is_file() and PASSWORD.encode() in p.read_bytes()]


def test_a_shared_page_reads_no_files_of_the_server(shared: Service, tmp_path: Path) -> None:
    person = "visitor:" + "a" * 20
    draft = shared.draft(ASR, person)
    for place in (str(export(tmp_path, "x.zip", "ka")), "~/x.zip", "../x.zip", "..\\x.zip"):
        with pytest.raises(Forbidden):
            shared.check(draft, spec_of(place), person)
    with pytest.raises(UserError) as caught:
        shared.browse(draft, spec_of("http://127.0.0.1:9"), {"action": "projects"}, person, secrets=LOGIN)
    assert caught.value.code == "life-inner-address"


def test_files_of_a_failed_question_are_removed(own: Service, tmp_path: Path) -> None:
    draft = own.draft(ASR)
    bad = zipped(tmp_path / "bad.zip", {f"{PEOPLE[0]}.json": "{"})
    with pytest.raises(UserError):
        own.browse(draft, spec_of("LiFE export bad.zip"), {"action": "open"}, files=[bad])
    data = own.store.get(draft).directory / "data"
    assert not (data / "picked").exists() and not (data / "picking").exists()
    assert holds_a_name(own.settings.home) == []


def test_options_of_the_source_are_flags_and_restored_from_a_spec() -> None:
    task = registry().get(ASR)
    parser = task_parser(task, "x", train=False)
    words = ["--data-path", "x.zip", "--projects", "A", "B b", "--script", "IPA", "--dataset", "annotator-1"]
    spec = spec_from_options(task, {k: v for k, v in vars(parser.parse_args(words)).items() if k != "json"})
    assert spec["data"]["options"] == {"projects": ["A", "B b"], "script": "IPA", "dataset": "annotator-1"}
    whole = RunSpec.model_validate({**spec, "data": {**spec["data"], "source": "life"}})
    found = arguments(whole)
    assert (found["source"], found["projects"], found["script"]) == ("life", ["A", "B b"], "IPA")
    assert "--projects A 'B b'" in command_view(whole) and "options" not in found
    mixed = spec_from_options(task, {"script": "IPA", "options": {"layout": "table-with-files"}})
    assert mixed["data"]["options"] == {"script": "IPA", "layout": "table-with-files"}
    assert spec_from_options(task, dict(reversed(list({"script": "IPA", "options": {"a": 1}}.items()))))["data"][
        "options"
    ] == {"a": 1, "script": "IPA"}


def test_flags_and_urls_select_the_source(own: Service, tmp_path: Path) -> None:
    draft = own.draft(ASR)
    place = str(export(tmp_path, "x.zip", "ka"))
    result = own.check(draft, {"task": ASR, "data": {"path": place, "options": {"script": "Latin"}}})
    assert result["source"]["name"] == "life" and result["rows"] == 1
    result = own.check(draft, {"task": ASR, "data": {"path": "https://life.invalid"}})
    assert [f["code"] for f in result["findings"]] == ["life-login"]


def test_only_speech_recognition_has_the_source() -> None:
    having = [t.name for t in registry() if any(s.name == "life" for s in t.sources)]
    assert having == [ASR]


def test_the_server_s_login_is_not_given_to_visitors(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LIFE.secrets:
        monkeypatch.setenv(name, "of the operator")
    assert set(LIFE.secrets) <= set(process.environment({}))
    assert not set(LIFE.secrets) & set(process.environment({}, visitor=True))
