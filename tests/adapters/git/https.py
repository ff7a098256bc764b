"""`git http-backend` behind a small TLS server: who may read, where it redirects, and what it was asked are a test's to choose."""

import contextlib
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

from real.certificates import Authority, Pair

_S = TypeVar("_S", bound=ThreadingHTTPServer)
_BACKEND = "/usr/lib/git-core/git-http-backend"
AVAILABLE = Path(_BACKEND).exists()


class GitServer(ThreadingHTTPServer):
    """Serves the repositories below `root`. `wanted`: the Authorization header that opens it; `redirects`: path → URL."""

    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root, self.wanted, self.status = root, "", 0
        self.redirects: dict[str, str] = {}
        self.asked: list[tuple[str, str]] = []  # (request line, Authorization)
        self.scheme = "http"

    def url(self, name: str = "up.git") -> str:
        return f"{self.scheme}://localhost:{self.server_port}/{name}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that breaks off its handshake is what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: GitServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        given = self.headers.get("Authorization", "")
        self.server.asked.append((self.requestline, given))
        path, _, query = self.path.partition("?")
        for start, target in self.server.redirects.items():
            if path.startswith(start):
                return self._answer(301, [("Location", target + self.path[len(start) :])])
        if self.server.status:
            return self._answer(self.server.status, [])
        if self.server.wanted and given != self.server.wanted:
            return self._answer(401, [("WWW-Authenticate", 'Basic realm="git"')])
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REMOTE_USER": "tester",
        }
        done = subprocess.run([_BACKEND], input=body, env=environment, capture_output=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n") if ": " in line]
        status = next((int(value[:3]) for name, value in fields if name == "Status"), 200)
        return self._answer(status, [(name, value) for name, value in fields if name != "Status"], content)

    def _answer(self, status: int, fields: list[tuple[str, str]], content: bytes = b"") -> None:
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextlib.contextmanager
def serve(root: Path, *, pair: Pair | None = None, clients: Authority | None = None) -> Iterator[GitServer]:
    """Serves until the block ends; over TLS with `pair`, asking for a certificate of `clients` if that is given."""
    with running(GitServer(root), pair, clients) as server:
        server.scheme = "https" if pair is not None else "http"
        yield server


@contextlib.contextmanager
def running(server: _S, pair: Pair | None, clients: Authority | None = None) -> Iterator[_S]:
    """Has a server answer until the block ends; over TLS with `pair`."""
    if pair is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        if clients is not None:
            context.load_verify_locations(clients.pair.certificate)
            context.verify_mode = ssl.CERT_REQUIRED
        # the handshake is done by the request's own thread, so that one who breaks it off stops nobody
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
