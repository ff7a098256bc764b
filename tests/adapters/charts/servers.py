"""Servers that charts are fetched from: a folder of answers in a thread, and a real registry; and charts made by the real helm."""

import contextlib
import io
import json
import shutil
import socket
import ssl
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from build_real import where

from real.certificates import Pair

REGISTRY = shutil.which("docker-registry")


class Answers(ThreadingHTTPServer):
    """`pages`: path → body. `wanted`: the Authorization header that opens it. `redirects`: path → address."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, bytes] = {}
        self.headers: dict[str, dict[str, str]] = {}  # of the answer for a path
        self.statuses: dict[str, int] = {}
        self.redirects: dict[str, str] = {}
        self.wanted = ""
        self.asked: list[tuple[str, str]] = []  # (path, Authorization)
        self.scheme = "http"

    def url(self, path: str = "", host: str = "localhost") -> str:
        return f"{self.scheme}://{host}:{self.server_port}{path}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that breaks off is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: Answers
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        given = self.headers.get("Authorization", "")
        path = self.path
        self.server.asked.append((path, given))
        if path in self.server.redirects:
            return self._answer(302, b"", {"Location": self.server.redirects[path]})
        if self.server.wanted and given != self.server.wanted:
            return self._answer(
                401, b"", {"WWW-Authenticate": 'Basic realm="charts"', **self.server.headers.get(path, {})}
            )
        body = self.server.pages.get(path)
        if body is None:
            return self._answer(404, b"", {})
        tag = f'"{hash(body)}"'
        if self.headers.get("If-None-Match") == tag:
            return self._answer(304, b"", {})
        return self._answer(
            self.server.statuses.get(path, 200), body, {"ETag": tag, **self.server.headers.get(path, {})}
        )

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)


@contextlib.contextmanager
def answering(pair: Pair | None = None, *, client_ca: Path | None = None) -> Iterator[Answers]:
    server = Answers()
    if pair is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        if client_ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_ca)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.scheme = "https"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def archive(files: Mapping[str, bytes], *, links: Mapping[str, str] | None = None) -> bytes:
    """A gzipped tar with exactly these names."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    return made.getvalue()


TEMPLATE = """apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Chart.Name }}}
data: {version: {{ .Chart.Version | quote }}, k: {{ .Values.k | quote }}}
"""


def chart(folder: Path, name: str, version: str, *, more: str = "", template: str = TEMPLATE) -> Path:
    """A chart packaged by the real helm; gives the archive."""
    source = folder / f"{name}-{version}-source" / name
    (source / "templates").mkdir(parents=True)
    (source / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: {version}\n{more}")
    (source / "values.yaml").write_text("k: chart\n")
    (source / "templates" / "cm.yaml").write_text(template)
    helm("package", "--destination", str(folder), str(source), home=folder)
    return folder / f"{name}-{version}.tgz"


def helm(*arguments: str, home: Path, program: str = "helm4", stdin: str = "") -> str:
    """What a real helm prints."""
    done = subprocess.run(
        [where(program), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def index(server: Answers, folder: Path, base: str = "/charts") -> None:
    """Serves all archives of the folder, and the index that the real helm writes of them."""
    helm("repo", "index", str(folder), home=folder)
    server.pages[f"{base}/index.yaml"] = (folder / "index.yaml").read_bytes()
    for file in folder.glob("*.tgz"):
        server.pages[f"{base}/{file.name}"] = file.read_bytes()


@contextlib.contextmanager
def registry(folder: Path, pair: Pair | None, *, passwords: str = "") -> Iterator[str]:
    """A real registry; gives `localhost:PORT`. `passwords`: lines of an htpasswd file."""
    assert REGISTRY is not None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    http: dict[str, Any] = {"addr": f"127.0.0.1:{port}"}
    if pair is not None:
        http["tls"] = {"certificate": str(pair.certificate), "key": str(pair.key)}
    config: dict[str, Any] = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "blobs")}},
        "http": http,
    }
    if passwords:
        (folder / "htpasswd").write_text(passwords)
        config["auth"] = {"htpasswd": {"realm": "tests", "path": str(folder / "htpasswd")}}
    (folder / "config.json").write_text(json.dumps(config))
    process = subprocess.Popen(
        [REGISTRY, "serve", str(folder / "config.json")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _await_port(port, process)
        yield f"localhost:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _await_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 30
    while True:
        assert process.poll() is None, "the registry did not start"
        assert time.monotonic() < end, "the registry does not answer"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)


__all__ = ["Answers", "answering", "archive", "chart", "helm", "index", "registry"]
