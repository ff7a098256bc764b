"""GitHub's API for Apps behind a small TLS server: it knows one app, and each token opens a Git server until the next one."""

import base64
import contextlib
import json
import time
from collections.abc import Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adapters.git.https import GitServer, running
from real.certificates import Pair

APP, INSTALLATION, TOKEN = "11", "22", "ghs_c4naryT0ken"


@cache
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def pem() -> str:
    """The app's key, as GitHub gives it to whoever makes an app."""
    return private_key().private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


class GitHub(ThreadingHTTPServer):
    """Below `/api/v3`. `lasts`: seconds of a token; `repository`: where the app is installed; `status`: answered instead, 0: none."""

    daemon_threads = True

    def __init__(self, git: GitServer | None, *, lasts: float, repository: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.git, self.lasts, self.repository, self.status = git, lasts, repository, 0
        self.asked: list[str] = []  # request lines, without the protocol

    @property
    def api(self) -> str:
        return f"https://localhost:{self.server_port}/api/v3"

    @property
    def given(self) -> int:
        """How many tokens were given."""
        return sum(line.endswith("/access_tokens") for line in self.asked)


class _Handler(BaseHTTPRequestHandler):
    server: GitHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        status, body = self._answer()
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _answer(self) -> tuple[int, object]:
        if self.server.status:
            return self.server.status, {}
        if not _introduced(self.headers.get("Authorization", "")):
            return 401, {"message": "A JSON web token could not be decoded"}
        if (self.command, self.path) == ("GET", f"/api/v3/repos/{self.server.repository}/installation"):
            return 200, {"id": int(INSTALLATION)}
        if (self.command, self.path) == ("POST", f"/api/v3/app/installations/{INSTALLATION}/access_tokens"):
            return 201, self._token()
        return 404, {"message": "Not Found"}

    def _token(self) -> object:
        token = f"{TOKEN}{self.server.given}"
        if self.server.git is not None:
            self.server.git.wanted = "Basic " + base64.b64encode(f"x-access-token:{token}".encode()).decode()
        ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + self.server.lasts))
        return {"token": token, "expires_at": ends}


def _introduced(header: str) -> bool:
    text, _, signature = header.removeprefix("Bearer ").rpartition(".")
    try:
        raw = base64.urlsafe_b64decode(signature + "==")
        private_key().public_key().verify(raw, text.encode(), padding.PKCS1v15(), SHA256())
        claims = json.loads(base64.urlsafe_b64decode(text.rpartition(".")[2] + "=="))
    except (ValueError, InvalidSignature):
        return False
    now = time.time()
    return bool(claims["iss"] == APP and claims["iat"] <= now < claims["exp"] <= now + 600)


@contextlib.contextmanager
def github(
    pair: Pair, git: GitServer | None = None, *, lasts: float = 3600.0, repository: str = "team/up"
) -> Iterator[GitHub]:
    """Serves until the block ends."""
    with running(GitHub(git, lasts=lasts, repository=repository), pair) as server:
        yield server
