"""Talking to a LiFE: requests that say clearly why they failed, and downloads that are whole.

Credentials are in memory only. They go to the one host that was named: redirects are never followed.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urljoin, urlsplit

import httpx

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.data.rows import Progress
from autotrain_gradio.extensions.life import choices
from autotrain_gradio.extensions.life.choices import Project

CONNECT_SECONDS = 15.0
SILENT_SECONDS = 60.0
"""Longest time that a server may send nothing."""
ATTEMPTS = 3
ANSWER_BYTES = 1 << 28
"""Longest answer that is read into memory."""
API = "/api/v1"


class LifeError(DataError):
    """The server could not give what it was asked for; `code` begins with `life-`."""


@dataclass(repr=False)
class Login:
    """What a server is told about who asks. In memory only."""

    username: str = ""
    password: str = field(default="")
    token: str = field(default="")

    @classmethod
    def of(cls, secrets: Mapping[str, str], environ: Mapping[str, str]) -> Login:
        """Take what the picker was given, or else `LIFE_TOKEN`, or `LIFE_USERNAME` and `LIFE_PASSWORD`."""
        if any(secrets.get(k) for k in ("username", "password", "token")):
            return cls(secrets.get("username", ""), secrets.get("password", ""), secrets.get("token", ""))
        return cls(environ.get("LIFE_USERNAME", ""), environ.get("LIFE_PASSWORD", ""), environ.get("LIFE_TOKEN", ""))

    @property
    def key(self) -> bytes:
        """Key of the digests by which recordings are found again; it is never stored."""
        return (self.token or f"{self.username}\n{self.password}").encode()

    def __bool__(self) -> bool:
        return bool(self.token or (self.username and self.password))

    def __repr__(self) -> str:
        return "Login(***)"


class Life(Protocol):
    """A LiFE that one is signed in to; used as a context."""

    def __enter__(self) -> Life: ...

    def __exit__(self, *error: object) -> None: ...

    def projects(self) -> list[Project]:
        """List all projects that the user sees."""

    def documents(self, project: Project, scratch: Path, progress: Progress) -> list[Mapping[str, Any]]:
        """Return the documents of a project's recordings."""

    def audio(self, project: Project, document: Mapping[str, Any], target: Path) -> None:
        """Download a recording's audio."""


class Connection:
    """Requests to one address.

    public: refuse addresses that are not on the public internet (strangers may name them).
    largest: most bytes of one download.
    """

    def __init__(self, address: str, *, public: bool = False, largest: int = 1 << 40) -> None:
        self.address = choices.address(address)
        self.largest = largest
        if public:
            _refuse_inner(self.address)
        logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log addresses, with the names of files
        self.client = httpx.Client(
            timeout=httpx.Timeout(SILENT_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
            headers={"Accept-Encoding": "identity", "User-Agent": "autotrain-gradio"},
        )

    def close(self) -> None:
        """Forget the session."""
        self.client.close()

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request and read the whole answer, whatever its status.

        Raises:
            LifeError: the server cannot be reached, or stops answering.
        """
        try:
            with self.client.stream(method, self.address + path, **more) as response:
                body = bytearray()
                for chunk in response.iter_raw():
                    body += chunk
                    if len(body) > ANSWER_BYTES:
                        raise LifeError("The server's answer is too long.", code="life-too-long")
                return httpx.Response(
                    response.status_code, headers=response.headers, content=bytes(body), request=response.request
                )
        except httpx.HTTPError as error:
            raise self.unreachable(error) from None

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """Send a request whose answer is JSON.

        Raises:
            LifeError: the answer is a redirect, an error, HTML or anything else.
        """
        response = self.send(method, path, **more)
        self.refuse(response)
        text = response.content.strip()
        try:
            if text in {b"0", b"'0'", b'"0"'}:
                raise ValueError
            return json.loads(text)
        except ValueError:
            raise LifeError(
                f"The server did not answer with data at {path.partition('?')[0]}: {_seen(text)}.",
                "Check that the address is that of a LiFE, and that you can see the project there.",
                "data.path",
                "life-no-data",
            ) from None

    def refuse(self, response: httpx.Response) -> None:
        """Raise what the status of an answer means.

        Raises:
            SessionEnded: it leads to the login.
            LifeError: it is no success.
        """
        status = response.status_code
        if response.is_redirect or 300 <= status < 400:
            target = urljoin(str(response.url), response.headers.get("location", ""))
            here, there = urlsplit(self.address), urlsplit(target)
            # A LiFE behind another server may take itself for one without https; it is not followed in any case.
            same = here.hostname == there.hostname and (here.scheme != there.scheme or here.port == there.port)
            if not same:
                raise LifeError(
                    f"The server sends us on to {there.scheme}://{there.hostname}: your login is not sent there.",
                    "If that is your LiFE, give its address.",
                    "data.path",
                    "life-redirect",
                )
            if there.path.rstrip("/").endswith("/login"):
                raise SessionEnded()
            raise LifeError(
                "LiFE does not allow this for you.",
                "Ask the owner of the project to let you download it.",
                "data.path",
                "life-not-allowed",
            )
        if status in {401, 403}:
            raise LifeError("LiFE does not accept this login.", "Check it.", "data.path", "life-login")
        if status == 404:
            # What follows these parts may be the name of a file, and in it that of a person.
            path = urlsplit(str(response.url)).path.removeprefix(urlsplit(self.address).path)
            raise LifeError(
                f"The server does not find what it is asked for at {'/'.join(path.split('/')[:4])}.",
                "Check the address; a stock LiFE has no token access.",
                "data.path",
                "life-not-found",
            )
        if status >= 400:
            raise LifeError(
                f"The server failed (status {status}).", "Try again in a while.", "data.path", "life-server-error"
            )

    def download(
        self, method: str, path: str, target: Path, progress: Progress | None = None, **more: Any
    ) -> tuple[str, bytes]:
        """Write an answer to a file, whole; return its type and its first bytes.

        A download that breaks off is continued where it was, as long as the server says that the file is the same one
        (GET, and a validator for If-Range: RFC 9110, 13.1.5), or begun again.

        Raises:
            LifeError: it broke off each time, is too large, or the server refused.
        """
        problem = mark = ""
        for _ in range(ATTEMPTS):
            have = target.stat().st_size if method == "GET" and mark and target.exists() else 0
            headers = {"Range": f"bytes={have}-", "If-Range": mark} if have else {}
            try:
                with self.client.stream(method, self.address + path, headers=headers, **more) as response:
                    continued = response.status_code == 206
                    if response.status_code == 416 or (continued and not _continues(response, have)):
                        mark = ""  # what is there is not the beginning of what it has: it is another file now
                        continue
                    self.refuse(response)
                    mark = mark if continued else _validator(response)
                    self._write(response, target, progress, resumed=continued)
                with target.open("rb") as file:
                    return response.headers.get("content-type", ""), file.read(64)
            except httpx.HTTPError as error:
                done = target.stat().st_size if target.exists() else 0
                slow = isinstance(error, httpx.TimeoutException)
                if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                    raise self.unreachable(error) from None
                why = f"nothing came for {SILENT_SECONDS:.0f} s" if slow else "the connection was closed"
                problem = f"{why}, after {done / 1e6:.1f} MB"
        target.unlink(missing_ok=True)
        raise LifeError(
            f"The download broke off {ATTEMPTS} times: {problem}.",
            "Try again when the network is better, or export the project in LiFE and give the file.",
            "data.path",
            "life-download",
        )

    def _write(self, response: httpx.Response, target: Path, progress: Progress | None, *, resumed: bool) -> None:
        done = target.stat().st_size if resumed else 0
        total = done + int(response.headers.get("content-length") or 0)
        with target.open("ab" if resumed else "wb") as file:
            for chunk in response.iter_raw():
                done += len(chunk)
                if done > self.largest:
                    raise LifeError(
                        f"The download is larger than {self.largest / 2**30:.1f} GiB.",
                        "Choose fewer projects.",
                        "data.path",
                        "life-too-large",
                    )
                file.write(chunk)
                if progress is not None:
                    progress("Downloading", min(1.0, done / total) if total else 0.0)

    def unreachable(self, error: httpx.HTTPError) -> LifeError:
        """Return the error of a server that does not answer."""
        slow = isinstance(error, httpx.TimeoutException)
        why = "it does not answer" if slow else type(error).__name__
        if "CERTIFICATE" in str(error):
            why = "its certificate is not valid"
        return LifeError(
            f"The server {self.address} cannot be reached: {why}.",
            "Check the address and the network.",
            "data.path",
            "life-unreachable",
        )


def _validator(response: httpx.Response) -> str:
    """Return what tells this file from a later one at the same place, for If-Range; "" where nothing does for sure.

    Weak tags do not, nor times that are less than a second before the answer (RFC 9110, 8.8.2.2 and 13.1.5).
    """
    tag = response.headers.get("etag", "")
    if tag.startswith('"'):
        return str(tag)
    changed, now = (_time(response.headers.get(name)) for name in ("last-modified", "date"))
    if changed is not None and now is not None and now - changed >= 1.0:
        return str(response.headers["last-modified"])
    return ""


def _time(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except ValueError:
        return None


def _continues(response: httpx.Response, have: int) -> bool:
    return bool(response.headers.get("content-range", "").startswith(f"bytes {have}-"))


class SessionEnded(LifeError):
    """The server wants a login (again)."""

    def __init__(self) -> None:
        super().__init__("LiFE has ended the session.", "Open the projects again.", "data.path", "life-session")


class TokenLife:
    """A LiFE with an interface for programs: `Authorization: Bearer`, pages of documents, audio by id."""

    def __init__(self, connection: Connection, login: Login) -> None:
        self._connection = connection
        connection.client.headers["Authorization"] = f"Bearer {login.token}"

    def __enter__(self) -> TokenLife:
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.close()

    def projects(self) -> list[Project]:
        """List the projects."""
        answer = self._connection.ask("GET", f"{API}/projects")
        items = answer.get("items", answer.get("projects")) if isinstance(answer, dict) else answer
        if not isinstance(items, list) or not all(isinstance(i, dict) and i.get("id") for i in items):
            raise LifeError("The server's list of projects is not in the form that is known.", code="life-no-data")
        return [
            Project(
                str(i["id"]),
                str(i.get("name") or i["id"]),
                str(i.get("type") or i.get("projectType") or "transcriptions"),
                tuple(str(x) for x in i.get("languages") or ()),
            )
            for i in items
        ]

    def documents(self, project: Project, scratch: Path, progress: Progress) -> list[Mapping[str, Any]]:
        """Read the documents, page by page."""
        found: list[Mapping[str, Any]] = []
        seen: set[str] = set()
        cursor = ""
        while True:
            path = f"{API}/projects/{quote(project.id, safe='')}/transcriptions"
            answer = self._connection.ask("GET", path, params={"by": "latest", "cursor": cursor})
            items = answer.get("items") if isinstance(answer, dict) else None
            if not isinstance(items, list):
                raise LifeError(
                    "The server's list of transcripts is not in the form that is known.", code="life-no-data"
                )
            found += [i for i in items if isinstance(i, dict)]
            cursor = str(answer.get("next") or "")
            if not cursor:
                return found
            if cursor in seen:
                raise LifeError("The server's list of transcripts has no end.", code="life-no-data")
            seen.add(cursor)
            progress(f"Reading the transcripts of {project.name} ({len(found):,} so far)", 0.0)

    def audio(self, project: Project, document: Mapping[str, Any], target: Path) -> None:
        """Download a recording's audio."""
        name = quote(str(document.get("audioId") or ""), safe="")
        kind, head = self._connection.download(
            "GET", f"{API}/projects/{quote(project.id, safe='')}/audio/{name}", target
        )
        refuse_text(kind, head, target)


def refuse_text(kind: str, head: bytes, target: Path) -> None:
    """Refuse a page or a bare '0' in place of audio; it is removed.

    Raises:
        LifeError: that is what came.
    """
    text = head.strip()
    if not text or text == b"0" or text.startswith(b"<") or "text/html" in kind:
        target.unlink()
        raise LifeError(f"The server did not send audio: {_seen(text)}.", code="life-no-audio")


def _seen(text: bytes) -> str:
    if not text:
        return "the answer is empty"
    if text in {b"0", b'"0"'}:
        return "it says 0, which means that there is nothing to download"
    return "it is a web page" if text.lstrip().startswith(b"<") else "it is no JSON"


def _refuse_inner(address: str) -> None:
    host = urlsplit(address).hostname or ""
    try:
        found = {str(item[4][0]) for item in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        raise LifeError(
            f"There is no server '{host}'.", "Check the address.", "data.path", "life-unreachable"
        ) from None
    if not all(ipaddress.ip_address(a.partition("%")[0]).is_global for a in found):
        raise LifeError(
            f"'{host}' is not on the public internet: a shared page asks no other servers.",
            "Export the project in LiFE and give the file, or run the app yourself.",
            "data.path",
            "life-inner-address",
        )
