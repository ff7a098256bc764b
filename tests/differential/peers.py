"""The two servers that are compared: a real kube-apiserver and ours, each started empty, reached by one plain HTTPS connection."""

import base64
import contextlib
import http.client
import json
import ssl
import tempfile
import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import yaml

from differential.kinds import DEFINITIONS
from differential.sides import embedded
from real.control_plane import control_plane


class Answer(NamedTuple):
    """What a server said: the code, the JSON (or text), the warnings."""

    status: int
    body: Any
    warnings: tuple[str, ...]


class Peer:
    """One server's administrator."""

    def __init__(self, kubeconfig: Path, folder: Path, log: Path | None = None) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.log = log
        self._address = urlsplit(cluster["server"])
        self._headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._tls = ssl.create_default_context(cadata=authority)
        if "client-certificate-data" in user:
            folder.mkdir(exist_ok=True)
            pair = folder / "admin.crt", folder / "admin.key"
            for path, name in zip(pair, ("client-certificate-data", "client-key-data"), strict=True):
                path.touch(mode=0o600)
                path.write_bytes(base64.b64decode(user[name]))
            self._tls.load_cert_chain(*pair)
        self._connection: http.client.HTTPSConnection | None = None

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        media: str = "application/json",
        accept: str = "application/json",
    ) -> Answer:
        """One request; one more attempt on a new connection if the server has closed the old one.

        JSON is sent as short as it can be: of what has no schema a real server keeps the very text, of which spaces count as a change.
        """
        data = body if isinstance(body, bytes) or body is None else json.dumps(body, separators=(",", ":")).encode()
        headers = {"Content-Type": media, "Accept": accept, "User-Agent": "fuzzer/1", **self._headers}
        for attempt in (1, 2):
            if self._connection is None:
                self._connection = http.client.HTTPSConnection(
                    self._address.hostname or "", self._address.port, context=self._tls, timeout=60
                )
            try:
                self._connection.request(method, path, data, headers)
                answer = self._connection.getresponse()
                text = answer.read()
                break
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.close()
                if attempt == 2:
                    return Answer(0, "no answer", ())
            except (OSError, http.client.HTTPException):
                self.close()  # else the next request meets a connection in the middle of an answer
                raise
        warnings = tuple(answer.headers.get_all("Warning") or ())
        try:
            return Answer(answer.status, json.loads(text), warnings)
        except ValueError:
            return Answer(answer.status, text.decode(errors="replace"), warnings)

    def watch(self, path: str, accept: str, quiet: float) -> Answer:
        """The events of a watch until its initial ones have ended, or none has come for so many seconds; a refusal as it is."""
        connection = http.client.HTTPSConnection(
            self._address.hostname or "", self._address.port, context=self._tls, timeout=30
        )
        try:
            connection.request("GET", path, headers={"Accept": accept, "User-Agent": "fuzzer/1", **self._headers})
            answer = connection.getresponse()
            warnings = tuple(answer.headers.get_all("Warning") or ())
            if answer.status != HTTPStatus.OK:
                return Answer(answer.status, json.loads(answer.read()), warnings)
            connection.sock.settimeout(quiet)
            events: list[Any] = []
            with contextlib.suppress(TimeoutError):
                for line in answer:
                    events.append(json.loads(line))
                    if events[-1]["type"] == "BOOKMARK":
                        break
            return Answer(answer.status, {"kind": "Events", "events": events}, warnings)
        finally:
            connection.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@contextlib.contextmanager
def both(folder: Path | None = None, definitions: Sequence[Any] = DEFINITIONS) -> Iterator[tuple[Peer, Peer]]:
    """(the real one, ours), with these CRDs served by both."""
    with contextlib.ExitStack() as stack:
        root = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kilde-fuzz-")))
        plane = stack.enter_context(control_plane(root / "plane", controllers=False))
        real = Peer(plane.kubeconfig, root / "real")
        folder = root / "ours"
        config = stack.enter_context(embedded(folder, "--controllers", "off"))
        ours = Peer(config, folder, folder / "log")
        stack.callback(real.close)
        stack.callback(ours.close)
        for peer in (real, ours):
            for definition in definitions:
                made = peer.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
                assert made.status == 201, made
        for peer in (real, ours):
            _await_definitions(peer, definitions)
        yield real, ours


def _await_definitions(peer: Peer, definitions: Sequence[Any]) -> None:
    until = time.monotonic() + 30
    for definition in definitions:
        for version in definition["spec"]["versions"]:
            path = f"/apis/fuzz.test/{version['name']}/{definition['spec']['names']['plural']}"
            while peer.ask("GET", path).status != 200:
                assert time.monotonic() < until, f"{path} is not served"
                time.sleep(0.1)


def open_namespace(peer: Peer, name: str) -> str:
    """A namespace with its default ServiceAccount, which no controller makes here; the resourceVersion after that."""
    made = peer.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    assert made.status == 201, made
    made = peer.ask("POST", f"/api/v1/namespaces/{name}/serviceaccounts", {"metadata": {"name": "default"}})
    assert made.status == 201, made
    return str(made.body["metadata"]["resourceVersion"])
