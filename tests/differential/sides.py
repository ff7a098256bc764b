"""Two API servers that are asked the same: the real one and ours."""

import base64
import contextlib
import http.client
import json
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from real.control_plane import ControlPlane
from warm.program import warm_kilde

PATIENCE = 30.0
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `body` is sent as JSON, text and bytes as they are; `user` is whom it is made as, the administrator unless said."""

    method: str
    path: str
    body: Any = None
    media: str = "application/json"
    accept: str = "application/json"
    user: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.media if self.method == 'PATCH' else ''}".rstrip()


class Side:
    """One server, asked over one connection by the user of a kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        server = urlsplit(cluster["server"])
        assert server.hostname is not None
        self._host, self._port, self._token = server.hostname, server.port, user.get("token")
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._context = ssl.create_default_context(cadata=authority)
        if "client-certificate-data" in user:
            with tempfile.NamedTemporaryFile() as pair:
                pair.write(base64.b64decode(user["client-certificate-data"]))
                pair.write(base64.b64decode(user["client-key-data"]))
                pair.flush()
                self._context.load_cert_chain(pair.name)
        self._connection: http.client.HTTPSConnection | None = None

    def ask(self, ask: Ask) -> Answer:
        """{code, body, warn}; the body is decoded if it is JSON."""
        answer, data = self._asked(ask)
        try:
            body = json.loads(data)
        except ValueError:
            body = data.decode(errors="replace")
        return _answer(answer, body)

    def watch(self, path: str, accept: str, quiet: float) -> Answer:
        """The events of a watch until its initial ones have ended, or none has come for so many seconds; a refusal as it is."""
        connection = self._connected()
        try:
            connection.request("GET", path, headers=self._headers(Ask("GET", path, accept=accept)))
            answer = connection.getresponse()
            if answer.status != HTTPStatus.OK:
                return _answer(answer, json.loads(answer.read()))
            connection.sock.settimeout(quiet)
            events: list[Any] = []
            with contextlib.suppress(TimeoutError):
                for line in answer:
                    events.append(json.loads(line))
                    if events[-1]["type"] == "BOOKMARK":
                        break
            return _answer(answer, {"kind": "Events", "events": events})
        finally:
            connection.close()

    def raw(self, ask: Ask) -> tuple[int, str, bytes]:
        """The code, the media type and the bytes of an answer."""
        answer, data = self._asked(ask)
        return answer.status, answer.getheader("Content-Type", ""), data

    def _headers(self, ask: Ask) -> dict[str, str]:
        headers = {"Accept": ask.accept, "User-Agent": "differential/1"}
        if ask.user:
            headers["Impersonate-User"] = ask.user
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if ask.body is not None:
            headers["Content-Type"] = ask.media
        return headers

    def _asked(self, ask: Ask) -> tuple[http.client.HTTPResponse, bytes]:
        # as short as it can be: of what has no schema a real server keeps the very text, of which spaces count as a change
        as_it_is = ask.body is None or isinstance(ask.body, str | bytes)
        raw = ask.body if as_it_is else json.dumps(ask.body, separators=(",", ":"))
        for last in (False, True):
            if self._connection is None:
                self._connection = self._connected()
            try:
                self._connection.request(ask.method, ask.path, raw, self._headers(ask))
                answer = self._connection.getresponse()
                return answer, answer.read()
            except (
                http.client.RemoteDisconnected,
                ConnectionError,
                ssl.SSLEOFError,
            ):  # an idle one, closed by the server
                self.close()
                if last:
                    raise
            except (OSError, http.client.HTTPException):
                self.close()  # else the next test meets a connection in the middle of an answer
                raise
        raise AssertionError("unreachable")

    def _connected(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self._host, self._port, context=self._context, timeout=60)

    def close(self) -> None:
        """Ends the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _answer(answer: http.client.HTTPResponse, body: Any) -> Answer:
    return {"code": answer.status, "body": body, "warn": list(answer.headers.get_all("Warning") or ())}


@dataclass(frozen=True, slots=True)
class Pair:
    """The real server and ours."""

    real: Side
    ours: Side

    def ask(self, ask: Ask) -> tuple[Answer, Answer]:
        """Both answers, the real one first."""
        return self.real.ask(ask), self.ours.ask(ask)

    def await_served(self, path: str) -> None:
        """Until both serve a list at this path."""
        self.await_answer(Ask("GET", path), 200)

    def await_answer(self, ask: Ask, code: int) -> None:
        """Until both answer with this code."""
        until = time.monotonic() + PATIENCE
        while any(answer["code"] != code for answer in self.ask(ask)):
            assert time.monotonic() < until, f"{ask} is not answered with {code}"
            time.sleep(0.05)

    def await_established(self, definition: str) -> None:
        """Until both have told that this CRD is established, which is later than they begin to serve it."""
        until = time.monotonic() + PATIENCE
        while not all(_is_established(answer) for answer in self.ask(Ask("GET", definition))):
            assert time.monotonic() < until, f"{definition} is not established"
            time.sleep(0.05)

    def set_up(self, *asks: Ask) -> None:
        """Requests that must succeed on both."""
        for one in asks:
            for answer in self.ask(one):
                assert answer["code"] < 300, (str(one), answer)


def _is_established(answer: Answer) -> bool:
    told = (answer["body"].get("status") or {}).get("conditions") or ()
    return any((one["type"], one["status"]) == ("Established", "True") for one in told)


@contextmanager
def ours_beside(plane: ControlPlane, folder: Path, *words: str) -> Iterator[Pair]:
    """A real server, and ours, called with these words."""
    with embedded(folder, *words) as config:
        both = Pair(Side(plane.kubeconfig), Side(config))
        yield both
        both.real.close()
        both.ours.close()


@contextmanager
def embedded(folder: Path, *words: str) -> Iterator[Path]:
    """Our server in a process of its own, called with these words: its kubeconfig. What it says stands in `folder/log`."""
    folder.mkdir(parents=True, exist_ok=True)
    config, log = folder / "kubeconfig", folder / "log"
    command = [str(warm_kilde()), "cluster", "--ephemeral", *words, "--kubeconfig-out", str(config)]
    with log.open("wb") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", log.read_text()
        yield config
    finally:
        process.terminate()
        process.wait(20)
        if process.stdout is not None:
            process.stdout.close()
