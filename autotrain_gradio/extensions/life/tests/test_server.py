"""A LiFE server: login, projects, transcripts, audio, and all that can go wrong."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.extensions.life import catalog, client, server_import, source
from autotrain_gradio.extensions.life.client import Login
from autotrain_gradio.extensions.life.tests.conftest import codes, limited, opened, quiet, refusal, request_of
from autotrain_gradio.extensions.life.tests.fake_life import PASSWORD, TOKEN, USER, FakeLife
from autotrain_gradio.extensions.life.tests.life_data import PEOPLE, boundary, document, grid, holds_a_name, wav, zipped

PERSON = {"username": USER, "password": PASSWORD}
PROGRAM = {"token": TOKEN}
CHOICE = {"projects": ["Bhojpuri"], "script": "Devanagari", "dataset": "latest"}
Browse = Callable[..., dict[str, Any]]


@pytest.fixture
def fake() -> FakeLife:
    """A server with two projects that can be trained on and two others; the active one is the last."""
    return FakeLife(
        {
            "Bhojpuri": {"documents": [document(1), document(2)]},
            "Magahi": {"documents": [document(3, project="Magahi", textGrid=grid(boundary(1, 2, Latin="ka")))]},
            "Words": {"type": "questionnaires"},
            "Recordings": {"type": "recordings"},
        }
    )


@pytest.fixture
def address(fake: FakeLife) -> Iterator[str]:
    """Where the server is."""
    with fake.serve() as found:
        yield found


@pytest.mark.parametrize("login", [PERSON, PROGRAM], ids=["stock", "token"])
def test_an_import_from_login_to_rows(
    login: dict[str, str], fake: FakeLife, address: str, browse: Browse, check: Browse, draft: Path
) -> None:
    listed = browse(address, "projects", login)
    assert [(p["name"], p["type"]) for p in listed["projects"]] == [
        ("Bhojpuri", "transcriptions"),
        ("Magahi", "transcriptions"),
    ]
    assert listed["projects"][0]["languages"] == ("Bhojpuri",)
    assert "2 projects of other types" in listed["findings"][0]["message"]
    ids = [p["id"] for p in listed["projects"]]
    answer = browse(address, "open", login, projects=ids)
    counted = {(i["project"], i["script"], i["layer"]): i["segments"] for i in answer["catalogue"]}
    assert counted[ids[0], "Devanagari", "latest"] == 4 and counted[ids[1], "Latin", "latest"] == 1
    assert not list((draft / "data/life/audio").iterdir())  # nothing is downloaded that nobody has picked

    chosen = {**CHOICE, "projects": ids[:1]}
    shown = browse(address, "preview", login, **chosen)
    assert len(shown["rows"]) == 4 and (draft / shown["rows"][0]["file"]).is_file()
    browse(address, "download", login, **chosen)
    assert len(list((draft / "data/life/audio").iterdir())) == 2

    # Checked without a login: all that is needed is there.
    before = len(fake.requests)
    result = check(address, **{**chosen, "projects": ["Bhojpuri"]})
    assert not [f for f in result["findings"] if f["level"] == "error"], result["findings"]
    assert result["rows"] == 4 and len(fake.requests) == before
    assert fake.active == fake.first
    assert holds_a_name(draft) == []
    for secret in (PASSWORD, TOKEN):
        assert not [p for p in draft.parents[1].rglob("*") if p.is_file() and secret.encode() in p.read_bytes()]
        assert not any(secret in path for _, path, _ in fake.requests)


@pytest.mark.parametrize("login", [PERSON, PROGRAM], ids=["stock", "token"])
def test_the_command_line_reads_credentials_from_the_environment(
    login: dict[str, str], address: str, fake: FakeLife, check: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = check(address)
    assert codes(result) == ["life-login"] and "LIFE_PASSWORD" in result["findings"][0]["hint"]
    for name, value in login.items():
        monkeypatch.setenv(f"LIFE_{name.upper()}", value)
    result = check(address, projects=["Bhojpuri"], script="IPA")
    assert result["rows"] == 2, result["findings"]
    # Another project than those that were read: it is fetched.
    assert check(address, projects=["Magahi"])["rows"] == 1
    assert fake.active == fake.first


def test_wrong_credentials_are_refused(address: str, browse: Browse, fake: FakeLife) -> None:
    for login in ({**PERSON, "password": "guess"}, {"token": "guess"}):
        error = refusal(lambda login=login: browse(address, "projects", login))
        assert error.code == "life-login" and "guess" not in str(error)
    assert fake.active == fake.first


def test_an_expired_session_is_renewed_and_the_active_project_restored(
    address: str, browse: Browse, fake: FakeLife
) -> None:
    for at in range(5, 14):
        fake.requests.clear()
        fake.active = fake.first
        fake.expire_at = at
        answer = browse(address, "open", PERSON, projects=["Bhojpuri", "Magahi"])
        assert len(answer["projects"]) == 2 and fake.active == fake.first, at


@pytest.mark.parametrize(
    ("path", "answer", "code"),
    [
        ("/download/", (200, {"content-type": "text/html"}, b"0"), ""),
        ("/download/", (200, {"content-type": "text/html"}, b"<html>Sorry</html>"), "life-no-zip"),
        ("/download/", (200, {"content-type": "application/zip"}, b"PK\x03\x04 cut"), "archive-damaged"),
        ("/download/", (500, {"content-type": "text/html"}, b"<html>Oh</html>"), "life-server-error"),
        ("/download/", (302, {"location": "/enternewsentences"}, b""), "life-not-allowed"),
        ("/download/", (302, {"location": "https://elsewhere.example/x"}, b""), "life-redirect"),
        ("/download/", (302, {"location": "http://127.0.0.1:1/download/"}, b""), "life-redirect"),
        ("/lifedata/getprojectslist", (200, {"content-type": "text/html"}, b"<html>Hi</html>"), "life-no-data"),
        ("/lifedata/getprojectslist", (200, {"content-type": "text/html"}, b"0"), "life-no-data"),
        ("/lifedata/getprojectslist", (200, {}, b"[1, 2]"), "life-no-data"),
        ("/lifedata/getprojectslist", (404, {}, b""), "life-not-found"),
        ("/activeprojectname", (200, {}, b"<html>no</html>"), "life-no-project"),
        ("/login", (200, {"content-type": "text/html"}, b"<html>Another app</html>"), "life-no-login"),
        ("/login", (301, {"location": "https://elsewhere.example/login"}, b""), "life-redirect"),
    ],
)
def test_an_invalid_response_is_an_error_and_the_active_project_is_restored(
    path: str, answer: Any, code: str, address: str, browse: Browse, fake: FakeLife, draft: Path
) -> None:
    fake.answer[path] = answer
    if not code:
        # "0" means that there is nothing to download; with nothing at all there is nothing to train on.
        assert refusal(lambda: browse(address, "open", PERSON, projects=["Bhojpuri"])).code == "life-empty"
    else:
        assert refusal(lambda: browse(address, "open", PERSON, projects=["Bhojpuri"])).code == code
    assert fake.active == fake.first
    assert not (draft / "data" / "picking").exists() and holds_a_name(draft) == []


def test_a_project_without_download_permission_is_an_error(address: str, browse: Browse, fake: FakeLife) -> None:
    fake.projects["Bhojpuri"]["downloadchecked"] = "false"
    error = refusal(lambda: browse(address, "open", PERSON, projects=["Bhojpuri"]))
    assert error.code == "life-not-allowed" and "owner" in error.hint
    assert fake.active == fake.first


def test_a_project_without_transcripts_is_skipped_with_a_finding(address: str, browse: Browse, fake: FakeLife) -> None:
    fake.projects["Magahi"]["documents"] = []
    answer = browse(address, "open", PERSON, projects=["Bhojpuri", "Magahi"])
    assert answer["findings"][0]["message"] == "No transcripts were found in Magahi."


@pytest.mark.parametrize("ranges", [True, False])
def test_interrupted_downloads_are_resumed_or_restarted(
    ranges: bool, address: str, browse: Browse, fake: FakeLife, draft: Path
) -> None:
    fake.ranges, fake.break_downloads = ranges, 2
    browse(address, "open", PERSON, projects=["Bhojpuri"])
    assert fake.break_downloads == 0
    fake.break_at, fake.break_downloads = "/lifedata/transcription/retrieve/", 2
    browse(address, "download", PERSON, **CHOICE)
    assert fake.break_downloads == 0
    resumed = [h for _, p, h in fake.requests if "/retrieve/" in p and any(k.lower() == "range" for k in h)]
    assert resumed
    assert all(a.read_bytes() == wav(10.0) for a in (draft / "data/life/audio").iterdir())


@pytest.mark.parametrize(
    ("marks", "asked_for_the_rest"), [("etag", True), ("last-modified", True), ("weak", False), (None, False)]
)
def test_a_file_that_changed_during_its_download_is_restarted(
    marks: str | None, asked_for_the_rest: bool, address: str, browse: Browse, fake: FakeLife, draft: Path
) -> None:
    fake.marks = marks
    browse(address, "open", PERSON, projects=["Bhojpuri"])
    fake.break_at, fake.break_downloads, fake.changed_seconds = "/lifedata/transcription/retrieve/", 1, 11.0
    browse(address, "download", PERSON, **CHOICE)
    rest = [h for _, p, h in fake.requests if "/retrieve/" in p and any(k.lower() == "range" for k in h)]
    assert bool(rest) == asked_for_the_rest and all(any(k.lower() == "if-range" for k in h) for h in rest)
    audio = list((draft / "data/life/audio").iterdir())
    assert len(audio) == 2 and all(a.read_bytes() == wav(11.0) for a in audio)


def test_the_active_project_is_restored_after_a_killed_process(
    address: str, browse: Browse, fake: FakeLife, draft: Path
) -> None:
    def killed() -> None:
        life = server_import.connect(address, Login.of(PERSON, {}), request_of(address), draft)
        life.__enter__()
        life.projects()
        life._close()  # type: ignore[attr-defined]

    memory = draft.parents[1] / "cache" / "life"
    killed()
    assert fake.active != fake.first and holds_a_name(memory) == []
    browse(address, "projects", PERSON)
    assert fake.active == fake.first and not list(memory.glob("*.active.json"))
    killed()
    killed()  # again, before anything was put back
    browse(address, "projects", PERSON)
    assert fake.active == fake.first
    killed()
    fake.projects["New"] = {"type": "transcriptions"}
    fake.active = "New"  # opened by the person since then: that is where they are at work
    browse(address, "projects", PERSON)
    assert fake.active == "New"


def test_repeated_interruptions_are_an_error_with_the_received_size(
    address: str, browse: Browse, fake: FakeLife
) -> None:
    browse(address, "open", PERSON, projects=["Bhojpuri"])
    fake.break_at, fake.break_downloads = "/lifedata/transcription/retrieve/", 99
    error = refusal(lambda: browse(address, "download", PERSON, **CHOICE))
    assert error.code == "life-download" and "the connection was closed, after 0.1 MB" in error.message
    assert fake.active == fake.first


def test_downloaded_files_are_kept_when_others_fail(
    address: str, browse: Browse, fake: FakeLife, draft: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browse(address, "open", PERSON, projects=["Bhojpuri"])
    second = document(2)["audioFilename"]
    fake.answer[f"/lifedata/transcription/retrieve/{second}"] = (500, {}, b"")
    assert refusal(lambda: browse(address, "download", PERSON, **CHOICE)).code == "life-server-error"
    assert [bool(r.file) for r in opened(draft).recordings()] == [True, False]
    fake.answer.clear()
    browse(address, "download", PERSON, **CHOICE)
    assert [bool(r.file) for r in opened(draft).recordings()] == [True, True]


def test_a_silent_server_is_a_timeout(
    address: str, browse: Browse, fake: FakeLife, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "SILENT_SECONDS", 0.2)
    fake.silent_seconds = 0.6
    error = refusal(lambda: browse(address, "open", PERSON, projects=["Bhojpuri"]))
    assert error.code == "life-download" and "no data for" in error.message
    time.sleep(0.7)  # the server's threads
    assert fake.active == fake.first


def test_invalid_audio_downloads_skip_their_segments(
    address: str, browse: Browse, check: Browse, fake: FakeLife
) -> None:
    browse(address, "open", PERSON, projects=["Bhojpuri"])
    second = document(2)["audioFilename"]
    fake.answer[f"/lifedata/transcription/retrieve/{second}"] = (200, {"content-type": "text/html"}, b"<html>no</html>")
    browse(address, "download", PERSON, **CHOICE)
    result = check(address, **CHOICE)
    assert result["rows"] == 2 and "2 without audio file" in str(result["findings"])


def test_recordings_deleted_during_the_import_are_counted(
    address: str, browse: Browse, check: Browse, fake: FakeLife
) -> None:
    browse(address, "open", PERSON, projects=["Bhojpuri"])
    del fake.projects["Bhojpuri"]["documents"][1]
    browse(address, "download", PERSON, **CHOICE)
    result = check(address, **CHOICE)  # which needs no login: nothing more is asked for
    assert result["rows"] == 2 and "2 without audio file" in str(result["findings"])


def test_audio_is_downloaded_for_the_filtered_segments_only(
    address: str, check: Browse, fake: FakeLife, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = document(3, textGrid=grid(boundary(0, 400, Devanagari="लंबा")), audioMetadata={"audioDuration": 400})
    fake.projects["Bhojpuri"]["documents"].append(long)
    fake.audio_seconds = 400
    monkeypatch.setenv("LIFE_TOKEN", TOKEN)
    assert check(address, **{**CHOICE, "projects": ["Bhojpuri"]}, max_segment=500)["rows"] == 5


def test_invalid_json_in_a_download_is_an_error(address: str, browse: Browse, fake: FakeLife, draft: Path) -> None:
    contents = zipped(draft / "made.zip", {f"{PEOPLE[0]}.json": "{"}).read_bytes()
    (draft / "made.zip").unlink()
    fake.answer["/download/"] = (200, {"content-type": "application/zip"}, contents)
    assert refusal(lambda: browse(address, "open", PERSON, projects=["Bhojpuri"])).code == "life-no-data"
    assert fake.active == fake.first and holds_a_name(draft) == []


def test_downloads_of_one_server_are_serialized(address: str, fake: FakeLife, tmp_path: Path) -> None:
    drafts = [tmp_path / "home" / "runs" / f"draft-{n}" for n in range(3)]
    answers: dict[Path, Any] = {}

    def work(draft: Path) -> None:
        draft.mkdir(parents=True)
        question = {"action": "open", "projects": ["Bhojpuri"]}
        answers[draft] = source.browse(question, request_of(address), draft, PERSON, quiet)

    threads = [threading.Thread(target=work, args=(d,)) for d in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 3 and fake.most_downloading == 1 and fake.active == fake.first


def test_a_download_over_the_limit_is_aborted(address: str, draft: Path) -> None:
    request = limited(request_of(address), archive_bytes=100)
    question = {"action": "open", "projects": ["Bhojpuri"]}
    assert refusal(lambda: source.browse(question, request, draft, PERSON, quiet)).code == "life-too-large"


def test_a_redirect_to_the_login_under_another_scheme_is_an_expired_session(
    address: str, browse: Browse, fake: FakeLife
) -> None:
    fake.answer["/lifedata/getprojectslist"] = (302, {"location": address.replace("http", "https") + "/login"}, b"")
    assert refusal(lambda: browse(address, "projects", PERSON)).code == "life-session"


def test_the_token_is_sent_to_its_host_only(address: str, browse: Browse, fake: FakeLife) -> None:
    with FakeLife({"Other": {}}).serve() as elsewhere:
        fake.answer["/api/v1/projects"] = (302, {"location": f"{elsewhere}/api/v1/projects"}, b"")
        assert refusal(lambda: browse(address, "projects", PROGRAM)).code == "life-redirect"


def test_endless_pagination_is_detected(address: str, browse: Browse, fake: FakeLife) -> None:
    page = json.dumps({"items": [document(1)], "next": "1"}).encode()
    fake.answer["/api/v1/projects/id-0/transcriptions"] = (200, {}, page)
    assert "repeat" in refusal(lambda: browse(address, "open", PROGRAM, projects=["id-0"])).message


def test_an_unreachable_server_is_an_error(browse: Browse) -> None:
    assert refusal(lambda: browse("http://127.0.0.1:9", "projects", PERSON)).code == "life-unreachable"


def test_server_urls_are_validated() -> None:
    assert catalog.parse_address(" life.example.org/ ") == "https://life.example.org"
    assert catalog.parse_address("http://localhost:5000/life/") == "http://localhost:5000/life"
    for text, code in {
        "http://life.example.org": "life-insecure",
        "https://me:secret@life.example.org": "life-address-login",
        "ftp://life.example.org": "life-address",
        "https://life.example.org/?a=1": "life-address",
        "https://[": "life-address",
        "https://": "life-address",
    }.items():
        error = refusal(lambda text=text: catalog.parse_address(text))
        assert error.code == code and "secret" not in str(error)


def test_a_shared_page_connects_to_no_private_address(
    address: str, browse: Browse, fake: FakeLife, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOTRAIN_GRADIO_SHARED", "1")
    assert refusal(lambda: browse(address, "projects", PERSON)).code == "life-inner-address"
    assert not fake.requests


def test_credentials_are_not_in_the_representation() -> None:
    assert PASSWORD not in repr(Login(USER, PASSWORD, TOKEN)) and TOKEN not in repr(Login(USER, PASSWORD, TOKEN))
    assert PEOPLE[0] not in repr(Login(PEOPLE[0], PASSWORD))
