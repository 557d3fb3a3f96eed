"""Client of an unmodified LiFE server (unrealtecellp/life): form login, and routes that act on the active project.

The user's *active project* is state of the server. It is saved, on disk too, before it is changed, and restored at the
end, also after an error; after a kill, by the next process of the same user on this computer. All downloads of a server
use one folder there, which each download clears: a file lock, shared by all processes here, serializes them.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from filelock import FileLock, Timeout

from autotrain_gradio.core.settings import Limits
from autotrain_gradio.data.files.json_files import read_json, write_json
from autotrain_gradio.data.rows import Progress
from autotrain_gradio.extensions.life.catalog import Project
from autotrain_gradio.extensions.life.client import Connection, LifeError, Login, SessionExpired, reject_non_audio
from autotrain_gradio.extensions.life.documents import is_document
from autotrain_gradio.extensions.life.formats import unpack

LOCK_SECONDS = 900.0
CSRF = re.compile(r"<input[^>]*name=[\"']csrf_token[\"'][^>]*>", re.IGNORECASE)
VALUE = re.compile(r"value=[\"']([^\"']*)[\"']", re.IGNORECASE)


class SessionClient:
    """A session on a LiFE server. One at a time for each server: entering waits for the lock.

    lock: lock file of the server.
    """

    def __init__(self, connection: Connection, login: Login, limits: Limits, lock: Path) -> None:
        self._connection, self._login, self._limits = connection, login, limits
        lock.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(lock, timeout=LOCK_SECONDS)
        # The file name is a digest: no user name is written to disk.
        digest = hashlib.sha256(f"{connection.address}\n{login.username}".encode()).hexdigest()[:16]
        self._state_file = lock.with_name(f"{digest}.active.json")
        self._active: str | None = None
        self._opened: list[str] = []

    def __enter__(self) -> SessionClient:
        try:
            self._lock.acquire()
        except Timeout:
            self._connection.close()
            raise LifeError(
                f"Another download from this LiFE server has not finished after {LOCK_SECONDS / 60:.0f} minutes.",
                "Try again later.",
                code="life-busy",
            ) from None
        try:
            self._sign_in()
            try:
                self._active = self._project_type()[2]
            except LifeError as error:
                if error.code not in {"life-server-error", "life-no-data"}:
                    raise
                self._active = None  # the response of LiFE where the user has never opened a project
            self._restore_state()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        try:
            if self._opened and self._active is not None:
                self._activate(self._active)
                self._state_file.unlink(missing_ok=True)
        except LifeError:
            if error[0] is None:  # else the error that is on its way says more
                raise LifeError(
                    f"Your active project in LiFE could not be restored to '{self._active}'.",
                    "Open it in LiFE yourself.",
                    "data.path",
                    "life-not-restored",
                ) from None
        finally:
            self._close()

    def _close(self) -> None:
        self._connection.close()
        self._lock.release()

    def _restore_state(self) -> None:
        """Load the state of a process that was killed, unless the user has opened another project since."""
        left = read_json(self._state_file) or {}
        active, opened = left.get("active"), left.get("opened")
        if isinstance(active, str) and isinstance(opened, list) and self._active in opened:
            self._active, self._opened = active, [str(name) for name in opened]
        elif self._active is not None:
            self._state_file.unlink(missing_ok=True)

    def projects(self) -> list[Project]:
        """List the projects with their types; each one is activated temporarily."""
        answer = self._request_json("GET", "/lifedata/getprojectslist")
        names = answer.get("projectslist") if isinstance(answer, dict) else None
        if not isinstance(names, list):
            raise LifeError("The server's list of projects has an unknown format.", code="life-no-data")
        found = []
        for name in map(str, names):
            self._activate(name)
            kind, languages, _ = self._project_type()
            found.append(Project(name, name, kind, languages))
        return found

    def documents(self, project: Project, scratch: Path, progress: Progress) -> list[Mapping[str, Any]]:
        """Download the JSON of a project, without its audio."""
        self._activate(project.id)
        archive, folder = scratch / "download.zip", scratch / "download"
        wanted = json.dumps({"downloadFormat": "lifejson", "audioIds": []})
        kind, head = self._retry_after_login(
            lambda: self._connection.download(
                "POST", "/download/downloadtranscriptions", archive, progress, data={"formDataLifeJSON": wanted}
            )
        )
        if not head.startswith(b"PK"):
            archive.unlink()
            if head.strip() in {b"0", b'"0"'}:
                return []
            seen = "HTML" if head.lstrip().startswith(b"<") or "html" in kind else "something else"
            raise LifeError(
                f"The server sent {seen} instead of a zip of '{project.name}'.",
                "Export the project in LiFE and upload the file.",
                "data.path",
                "life-no-zip",
            )
        try:
            unpack(archive, folder, self._limits, progress)
        finally:
            archive.unlink()
        found = []
        try:
            for file in sorted(folder.rglob("*.json")):
                value = json.loads(file.read_bytes().decode("utf-8-sig"))
                found += [d for d in (value if isinstance(value, list) else [value]) if is_document(d)]
        except (ValueError, RecursionError):
            raise LifeError(
                f"A file of '{project.name}' that the server sent is not valid JSON.",
                "Try again; if it fails again, export the project in LiFE and upload the file.",
                "data.path",
                "life-no-data",
            ) from None
        finally:
            shutil.rmtree(folder)
        return found

    def audio(self, project: Project, document: Mapping[str, Any], target: Path) -> None:
        """Download a recording's audio."""
        name = quote(str(document["audioFilename"]), safe="")
        kind, head = self._retry_after_login(
            lambda: self._connection.download("GET", f"/lifedata/transcription/retrieve/{name}", target)
        )
        reject_non_audio(kind, head, target)

    # -- inner

    def _sign_in(self) -> None:
        connection = self._connection
        page = connection.send("GET", "/login")
        if page.is_redirect:
            target = urljoin(str(page.url), page.headers.get("location", ""))
            if urlsplit(target).netloc == urlsplit(connection.address).netloc:
                return  # signed in already
        connection.raise_for_status(page)
        field = CSRF.search(page.text)
        value = VALUE.search(field[0]) if field else None
        if value is None:
            raise LifeError(
                f"There is no LiFE login page at {connection.address}.",
                "Check the URL: it is the one that you open in the browser.",
                "data.path",
                "life-no-login",
            )
        form = {
            "csrf_token": html.unescape(value[1]),
            "username": self._login.username,
            "password": self._login.password,
            "submit": "Login",
        }
        answer = connection.send("POST", "/login", data=form)
        wrong = LifeError("LiFE does not accept this user name and password.", "Check both.", "data.path", "life-login")
        if answer.status_code == 200:
            raise wrong  # the form again
        if not answer.is_redirect:
            connection.raise_for_status(answer)
        try:
            connection.raise_for_status(answer)
        except SessionExpired:
            raise wrong from None
        except LifeError as error:
            if error.code != "life-not-allowed":  # a redirect to the home page: that is a success
                raise

    def _retry_after_login(self, work: Any) -> Any:
        """Call `work`; if the session has expired, log in again and call it once more."""
        try:
            return work()
        except SessionExpired:
            self._connection.client.cookies.clear()
            self._sign_in()
            return work()

    def _request_json(self, method: str, path: str, **more: Any) -> Any:
        return self._retry_after_login(lambda: self._connection.request_json(method, path, **more))

    def _project_type(self) -> tuple[str, tuple[str, ...], str | None]:
        """Return type, languages and name of the active project."""
        answer = self._request_json("GET", "/projecttype")
        answer = answer if isinstance(answer, dict) else {}
        form = answer.get("activeprojectform")
        form = form if isinstance(form, dict) else {}
        given = form.get("Audio Language")
        listed = given[1] if isinstance(given, list) and len(given) > 1 and isinstance(given[1], list) else []
        name = form.get("projectname")
        return str(answer.get("projectType") or ""), tuple(map(str, listed)), str(name) if name else None

    def _activate(self, name: str) -> None:
        def work() -> None:
            response = self._connection.send("GET", "/activeprojectname", params={"a": name})
            self._connection.raise_for_status(response)
            if response.content.strip() != b"OK":
                raise LifeError(
                    f"LiFE could not open the project '{name}'.",
                    "Open it in LiFE once.",
                    "data.path",
                    "life-no-project",
                )

        if self._active is not None and name not in self._opened:
            self._opened.append(name)
            write_json(self._state_file, {"active": self._active, "opened": self._opened})
        self._retry_after_login(work)
