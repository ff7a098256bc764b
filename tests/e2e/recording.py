"""A proxy in front of an API server that notes every request: what a program asked for, whatever the server itself would log."""

import http.client
import signal
import ssl
import subprocess
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from e2e.stage import BIN, Stage

_HOP = {"host", "connection", "transfer-encoding", "keep-alive"}


@dataclass(slots=True)
class Recorder:
    """What was asked for so far. `kubeconfig` leads through the proxy, without credentials: it has the administrator's."""

    kubeconfig: Path
    requests: list[tuple[str, str]] = field(default_factory=list)

    @property
    def writes(self) -> list[tuple[str, str]]:
        """All but reads, dry runs and questions about one's own rights."""
        return [
            (verb, path)
            for verb, path in self.requests
            if verb != "GET" and "dryRun=All" not in path and "selfsubject" not in path
        ]

    @property
    def deletes(self) -> list[tuple[str, str]]:
        """What was to be deleted."""
        return [one for one in self.requests if one[0] == "DELETE"]

    def kill(self, stage: Stage, *words: str, after: int) -> None:
        """Calls `kilde` through the proxy, and ends it by SIGKILL once it has asked for so many writes."""
        known = len(self.writes)
        command = [str(BIN / "kilde"), *words, "--namespace", stage.space, "--kubeconfig", str(self.kubeconfig)]
        with subprocess.Popen(command, env=stage.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            stage.until(lambda: len(self.writes) >= known + after or process.poll() is not None, f"write {after}")
            process.send_signal(signal.SIGKILL)


@contextmanager
def recorded(kubeconfig: Path, folder: Path) -> Iterator[Recorder]:
    """The proxy runs for as long as this lasts."""
    config = yaml.safe_load(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    tls = _tls(cluster, user, folder)
    token = user.get("token", "")
    upstream = urlsplit(cluster["server"])
    made = Recorder(folder / "recorded.conf")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            made.requests.append((self.command, self.path))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {key: value for key, value in self.headers.items() if key.lower() not in _HOP}
            if token:
                headers["Authorization"] = f"Bearer {token}"
            https = http.client.HTTPSConnection(upstream.hostname or "", upstream.port, context=tls, timeout=600)
            try:
                https.request(self.command, self.path, body, headers)
                self._answer(https.getresponse())
            except (OSError, http.client.HTTPException):
                self.close_connection = True
            finally:
                https.close()

        def _answer(self, answer: http.client.HTTPResponse) -> None:
            self.send_response(answer.status)
            for key, value in answer.getheaders():
                if key.lower() not in (*_HOP, "content-length"):
                    self.send_header(key, value)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            while chunk := answer.read1(65536):
                self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass_on  # noqa: N815 - the names that http.server looks for

        def log_message(self, *words: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.kubeconfig.write_text(_config(f"http://127.0.0.1:{server.server_address[1]}"))
    thread = threading.Thread(target=server.serve_forever, name="recorder", daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


def _tls(cluster: dict[str, str], user: dict[str, str], folder: Path) -> ssl.SSLContext:
    def text(entry: dict[str, str], key: str) -> str:
        return b64decode(entry[f"{key}-data"]).decode() if f"{key}-data" in entry else Path(entry[key]).read_text()

    tls = ssl.create_default_context(cadata=text(cluster, "certificate-authority"))
    if "client-certificate" in user or "client-certificate-data" in user:
        pair = folder / "client.pem"
        pair.write_text(text(user, "client-certificate") + text(user, "client-key"))
        tls.load_cert_chain(pair)
    return tls


def _config(server: str) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "users": [{"name": "u", "user": {}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
    )
