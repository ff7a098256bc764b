"""Files over http: bounded, and redirected to nothing but http(s)."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from kilde.adapters.web_files import WebFiles
from kilde.core.basics.errors import LimitExceeded, SourceUnavailable
from kilde.core.render.outside import NotServed


class Site(BaseHTTPRequestHandler):
    """Answers by the path; notes who asked."""

    asked: list[tuple[str, str]]

    def log_message(self, *args: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Authorization", "")))
        where = {"/moved": "/file", "/local": "file:///etc/passwd", "/ftp": "ftp://localhost/x", "/round": "/round"}
        if self.path in where:
            self.send_response(302)
            self.send_header("Location", where[self.path])
            self.end_headers()
        elif self.path == "/gone":
            self.send_error(404)
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"x" * (5000 if self.path == "/large" else 4))


@pytest.fixture
def site() -> Iterator[str]:
    Site.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_file_is_asked_for_once_and_redirects_are_followed(site: str) -> None:
    files = WebFiles()
    assert [files.file(f"http://{site}/moved") for _ in range(2)] == [b"xxxx"] * 2
    assert [path for path, _ in Site.asked] == ["/moved", "/file"]


def test_user_and_password_go_into_the_header(site: str) -> None:
    assert WebFiles().file(f"http://ada:s%40cret@{site}/a file") == b"xxxx"
    assert Site.asked == [("/a%20file", "Basic YWRhOnNAY3JldA==")]


@pytest.mark.parametrize("path", ["local", "ftp"])
def test_a_redirect_leads_to_no_other_protocol(site: str, path: str) -> None:
    with pytest.raises(SourceUnavailable, match=r"which is not http|is not allowed"):
        WebFiles().file(f"http://{site}/{path}")


def test_what_is_refused_is_told_without_the_password(site: str) -> None:
    with pytest.raises(NotServed, match="the server answers 404") as gone:
        WebFiles().file(f"http://ada:canary@{site}/gone")
    with pytest.raises(SourceUnavailable, match="redirect") as circle:
        WebFiles().file(f"http://ada:canary@{site}/round")
    with pytest.raises(LimitExceeded, match="is more than 4999 bytes") as large:
        WebFiles(largest=4999).file(f"http://ada:canary@{site}/large")
    with pytest.raises(SourceUnavailable, match="cannot be reached") as closed:
        WebFiles().file("http://ada:canary@127.0.0.1:1/x")
    assert not [error for error in (gone, circle, large, closed) if "canary" in str(error.value)]


def test_only_what_is_asked_for_is_read(site: str, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable):
        WebFiles().file(f"http://{site}:bad/x")
