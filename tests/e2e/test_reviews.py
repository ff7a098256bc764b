"""A forge is asked who approved a commit once that is deployed; while it is away nothing waits, and a restart asks again."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from e2e.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
TOKEN = "canary-of-the-forge"
ANN = "Ann Approver (ann)"


class Forge(ThreadingHTTPServer):
    """GitLab's API as far as it is asked: whatever commit is asked for came in by merge request 7, which Ann approved."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.away = False
        self.asked: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Forge

    def log_message(self, *args: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("PRIVATE-TOKEN", "")))
        approvals = {"approved_by": [{"user": {"name": "Ann Approver", "username": "ann"}}]}
        merged = [{"iid": 7, "state": "merged", "web_url": f"{self.server.url}/shop/merge_requests/7"}]
        body = json.dumps(approvals if self.path.endswith("/approvals") else merged).encode()
        self.send_response(503 if self.server.away else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def forge() -> Iterator[Forge]:
    with Forge() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def repository_secret(stage: Stage, forge: Forge) -> str:
    def encoded(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    meta = {
        "name": "shop",
        "namespace": stage.space,
        "labels": {"argocd.argoproj.io/secret-type": "repository"},
        "annotations": {"kilde.dev/forge": "gitlab", "kilde.dev/forge-api": forge.url},
    }
    data = {"url": encoded(stage.url), "forgeToken": encoded(TOKEN)}
    return json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data})


def config_map(value: str) -> dict[str, str]:
    return {"app/a.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{value: '{value}'}}\n"}


def reviewers(stage: Stage) -> dict[str, list[str]]:
    """By commit, as `kilde ledger show` tells them of the ConfigMap."""
    events = json.loads(stage.kilde("ledger", "show", "--object", "ConfigMap a", "-o", "json"))
    return {event["commit"]: event["reviewers"] for event in events if event["commit"]}


def test_who_approved_a_commit_is_on_record(stage: Stage, forge: Forge) -> None:
    space = f"{stage.space}-shop"[:60].rstrip("-")
    first = stage.create_repository(config_map("1"))
    stage.start()
    stage.kubectl("apply", "-f", "-", stdin=repository_secret(stage, forge))
    stage.application("shop", "app", space)
    stage.until(lambda: reviewers(stage).get(first) == [ANN], "the review of the first commit")
    told = stage.kilde("ledger", "show", "--object", "ConfigMap a", "--html", str(stage.folder / "report.html"))
    assert "1 change" in told
    assert ANN in (stage.folder / "report.html").read_text()

    forge.away = True
    second = stage.commit(config_map("2"))
    stage.push()
    stage.until(lambda: stage.get("configmap", "a", "-n", space)["data"] == {"value": "2"}, "the second commit")  # type: ignore[index]
    stage.until(lambda: any(second in path for path, _ in forge.asked), "the question about it")
    assert reviewers(stage)[second] == []
    forge.away = False
    stage.stop()
    stage.start()
    stage.until(lambda: reviewers(stage).get(second) == [ANN], "the review of the second commit")
    assert reviewers(stage)[first] == [ANN]

    assert {token for _, token in forge.asked} == {TOKEN}
    assert "Merge request" in stage.kilde("ledger", "show", operation_of(stage, second))
    assert "intact" in stage.kilde("ledger", "verify")
    for path in stage.folder.rglob("*"):
        kept = (
            path.is_file()
            and path.suffix in (".log", ".sqlite", ".html", ".sqlite-wal")
            and "cluster" not in path.parts
        )
        assert not kept or TOKEN.encode() not in path.read_bytes(), path
    erased = stage.kilde("ledger", "erase", "--person", ANN, "--reason", "asked for")
    assert erased
    assert reviewers(stage)[first] == ["(erased)"]


def operation_of(stage: Stage, sha: str) -> str:
    events = json.loads(stage.kilde("ledger", "show", "--commit", sha, "-o", "json"))
    return str(events[0]["operation"])
