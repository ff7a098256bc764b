"""The generators of ApplicationSets on both clusters, those that ask somebody else beside a forge and a plugin of ours; and a rollout.

Each generator makes one Application or two, which deploy a folder that they are given the name of.
"""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

import pytest

from e2e.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
TOKEN = "the-token"


class Outside(ThreadingHTTPServer):
    """A forge (Gitea's API, as published) with a repository and an open pull request, and a generator plugin."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.tokens: set[str] = set()

    def answer(self, path: str) -> Any:
        root = "/api/v1/repos/acme/repository"
        pull = {
            "number": 4,
            "title": "T",
            "head": {"ref": "topic", "sha": "abcdef0"},
            "base": {"ref": "main"},
            "user": {"login": "ann"},
            "labels": [],
        }
        return {
            "/api/v1/orgs/acme/repos": [
                {
                    "name": "repository",
                    "default_branch": "main",
                    "html_url": f"{self.url}/r",
                    "ssh_url": "git@r",
                    "id": 1,
                }
            ],
            f"{root}/labels": [],
            f"{root}/branches/main": {"commit": {"id": "abcdef0"}},
            f"{root}/pulls": [pull],
            "/api/v1/getparams.execute": {"output": {"parameters": [{"name": "plugged"}]}},
        }[path]


class _Handler(BaseHTTPRequestHandler):
    server: Outside

    def log_message(self, *args: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.tokens.add(self.headers.get("Authorization", ""))
        body = json.dumps(self.server.answer(self.path.partition("?")[0])).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()


@pytest.fixture
def outside() -> Iterator[Outside]:
    with Outside() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def config_map(name: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})


def space(stage: Stage) -> str:
    return f"{stage.space}-x"[-60:].lstrip("-")


def a_set(
    stage: Stage, name: str, generator: dict[str, Any], app: str = "{{ .name }}", path: str = "", **spec: Any
) -> None:
    """A set whose Applications are called `NAME-APP` and deploy a folder, `path`, else that of their own name."""
    destination = {"server": "https://kubernetes.default.svc", "namespace": space(stage)}
    body = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": name, "namespace": stage.space},
        "spec": {
            "goTemplate": True,
            "goTemplateOptions": ["missingkey=error"],
            "generators": [generator],
            "template": {
                "metadata": {"name": f"{name}-{app}", "labels": {"stage": app}},
                "spec": {
                    "project": "default",
                    "source": {"repoURL": stage.url, "targetRevision": "main", "path": path or app},
                    "destination": destination,
                    "syncPolicy": {"automated": {}, "syncOptions": ["CreateNamespace=true"]},
                },
            },
            **spec,
        },
    }
    stage.kubectl("apply", "-f", "-", stdin=json.dumps(body))


def applications(stage: Stage) -> dict[str, dict[str, Any]]:
    found = json.loads(stage.kubectl("get", "applications", "-n", stage.space, "-o", "json"))["items"]
    return {app["metadata"]["name"]: app for app in found}


def well(stage: Stage) -> set[str]:
    """The Applications that are Synced, Healthy and have done it by a sync that succeeded."""
    return {
        name
        for name, app in applications(stage).items()
        for status in [app.get("status") or {}]
        if (status.get("sync") or {}).get("status") == "Synced"
        and (status.get("health") or {}).get("status") == "Healthy"
        and (status.get("operationState") or {}).get("phase") == "Succeeded"
    }


def prepare(stage: Stage, *folders: str, **files: str) -> None:
    made = {f"{name}/a.json": config_map(name) for name in folders}
    stage.create_repository({**made, **{f"files/{name}.json": text for name, text in files.items()}})
    stage.start()


def tell_of(stage: Stage, outside: Outside) -> None:
    """The token of the forge and of the plugin, and where the plugin is."""
    data = {"token": base64.b64encode(TOKEN.encode()).decode()}
    labels = {"app.kubernetes.io/part-of": "argocd"}
    where = {"baseUrl": outside.url, "token": "$forge:token"}
    for body in (
        {"kind": "Secret", "metadata": {"name": "forge", "labels": labels}, "data": data},
        {"kind": "ConfigMap", "metadata": {"name": "plugin"}, "data": where},
    ):
        stage.kubectl("apply", "-n", stage.space, "-f", "-", stdin=json.dumps({"apiVersion": "v1", **body}))


def decide(stage: Stage) -> None:
    """A kind of somebody's own, and one object of it whose status names a cluster; and how sets are to read it."""
    names = {"kind": "Decision", "plural": "decisions"}
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    group = f"{stage.space}.example"  # one for each test on a cluster that they share
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"decisions.{group}"},
        "spec": {"group": group, "names": names, "scope": "Namespaced", "versions": [version]},
    }
    stage.kubectl("apply", "-f", "-", stdin=json.dumps(definition))
    stage.kubectl("wait", "--for=condition=Established", f"crd/decisions.{group}", "--timeout=30s")
    meta = {"name": "chosen", "namespace": stage.space}
    status = {"decisions": [{"clusterName": "in-cluster"}, {"clusterName": "nowhere"}]}
    made = {"apiVersion": f"{group}/v1", "kind": "Decision", "metadata": meta, "status": status}
    stage.until(lambda: stage.kubectl("create", "-f", "-", stdin=json.dumps(made), codes=(0, 1)), "the kind is served")
    read = {"apiVersion": f"{group}/v1", "kind": "decisions", "statusListKey": "decisions", "matchKey": "clusterName"}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**meta, "name": "decisions"}, "data": read}
    stage.kubectl("apply", "-f", "-", stdin=json.dumps(body))


def elements(*found: dict[str, Any]) -> dict[str, Any]:
    return {"list": {"elements": list(found)}}


def test_every_generator_makes_applications(stage: Stage, outside: Outside) -> None:
    prepare(
        stage, "one", "in-cluster", "file", "test-red", "test-blue", "merged", "repository", "pull", "plugged", "decided",
        file='{"name": "file"}',
    )  # fmt: skip
    tell_of(stage, outside)
    decide(stage)
    gitea = {"owner": "acme", "api": outside.url, "tokenRef": {"secretName": "forge", "key": "token"}}
    a_set(stage, "list", elements({"name": "one"}))
    a_set(stage, "clusters", {"clusters": {}})
    a_set(stage, "git", {"git": {"repoURL": stage.url, "revision": "main", "files": [{"path": "files/*.json"}]}})
    stages = elements({"stage": "test"}), elements({"name": "{{ .stage }}-red"}, {"name": "{{ .stage }}-blue"})
    a_set(stage, "matrix", {"matrix": {"generators": list(stages)}})
    sides = elements({"key": "1", "name": "lower"}), elements({"key": "1", "name": "merged"})
    a_set(stage, "merge", {"merge": {"mergeKeys": ["key"], "generators": list(sides)}})
    a_set(stage, "scm", {"scmProvider": {"gitea": gitea}}, "{{ .repository }}")
    a_set(stage, "pull", {"pullRequest": {"gitea": {**gitea, "repo": "repository"}}}, "{{ .number }}", path="pull")
    a_set(stage, "plugin", {"plugin": {"configMapRef": {"name": "plugin"}}})
    chosen = {"configMapRef": "decisions", "name": "chosen"}
    a_set(stage, "decided", {"clusterDecisionResource": chosen}, "{{ .clusterName }}", path="decided")
    wanted = {
        "list-one", "clusters-in-cluster", "git-file", "matrix-test-red", "matrix-test-blue", "merge-merged",
        "scm-repository", "pull-4", "plugin-plugged", "decided-in-cluster",
    }  # fmt: skip
    stage.until(lambda: well(stage) == wanted, "an Application of each, and all are well")
    assert outside.tokens == {f"token {TOKEN}", f"Bearer {TOKEN}"}


def test_a_patched_template_is_rolled_out_step_by_step_and_keeps_what_it_is_told_to(stage: Stage) -> None:
    prepare(stage, "first", "second")
    steps = [
        {"matchExpressions": [{"key": "stage", "operator": "In", "values": [name]}]} for name in ("first", "second")
    ]
    a_set(
        stage,
        "roll",
        elements({"name": "second"}, {"name": "first"}),
        strategy={"type": "RollingSync", "rollingSync": {"steps": steps}},
        templatePatch='metadata: {annotations: {patched: "{{ .name }}", }}',
        preservedFields={"annotations": ["kept"]},
    )
    stage.until(lambda: well(stage) == {"roll-first", "roll-second"}, "both are well")
    apps = applications(stage)
    first, second = (apps[f"roll-{name}"]["status"]["operationState"] for name in ("first", "second"))
    assert first["finishedAt"] <= second["startedAt"]
    assert second["operation"]["initiatedBy"]["username"] == "applicationset-controller"
    assert apps["roll-first"]["metadata"]["annotations"]["patched"] == "first"
    stage.kubectl("annotate", "application", "roll-first", "-n", stage.space, "kept=yes", "gone=yes")
    stage.until(lambda: "gone" not in applications(stage)["roll-first"]["metadata"]["annotations"], "it is put back")
    assert applications(stage)["roll-first"]["metadata"]["annotations"] == {"patched": "first", "kept": "yes"}


def test_what_a_set_may_not_touch_and_what_it_may_not_ask(stage: Stage) -> None:
    prepare(stage, "one", "two")
    ignored = [{"jsonPointers": ["/spec/source/targetRevision"]}]
    a_set(stage, "left", elements({"name": "one"}), ignoreApplicationDifferences=ignored)
    kept = {"applicationsSync": "create-only", "preserveResourcesOnDeletion": True}
    a_set(stage, "kept", elements({"name": "two"}), syncPolicy=kept)
    a_set(stage, "asks", elements({"name": "one"}), app='{{ env "HOME" }}')
    a_set(
        stage, "eats", elements({"name": "one"}), app='{{ $x := "x" }}{{ range until 60 }}{{ $x = cat $x $x }}{{ end }}'
    )
    stage.until(lambda: well(stage) == {"left-one", "kept-two"}, "those that can be are well")
    assert 'function "env" not defined' in error(stage, "asks")
    assert "a template makes too much" in error(stage, "eats")

    head = stage.git("rev-parse", "HEAD").strip()
    for name in ("left-one", "kept-two"):
        change = {"metadata": {"labels": {"stage": "by-hand"}}, "spec": {"source": {"targetRevision": head}}}
        stage.kubectl("patch", "application", name, "-n", stage.space, "--type=merge", "-p", json.dumps(change))
    stage.until(lambda: labels(stage, "left-one") == {"stage": "one"}, "what is not ignored is put back")
    assert applications(stage)["left-one"]["spec"]["source"]["targetRevision"] == head
    assert labels(stage, "kept-two") == {"stage": "by-hand"}
    stage.kubectl("delete", "applicationset", "kept", "-n", stage.space)
    stage.until(lambda: "kept-two" not in applications(stage), "its Application is gone")
    assert stage.get("-n", space(stage), "configmap", "two") is not None


def labels(stage: Stage, name: str) -> dict[str, str]:
    return dict(applications(stage)[name]["metadata"].get("labels") or {})


def error(stage: Stage, name: str) -> str:
    found = (stage.get("-n", stage.space, "applicationset", name) or {}).get("status") or {}
    return next((one["message"] for one in found.get("conditions", ()) if one["type"] == "ErrorOccurred"), "")


def test_a_step_goes_by_as_many_as_it_may_and_a_deletion_goes_back(stage: Stage) -> None:
    names = ("a", "b", "c", "last")
    prepare(stage, *names)
    steps = [
        {"matchExpressions": [{"key": "stage", "operator": "NotIn", "values": ["last"]}], "maxUpdate": 1},
        {"matchExpressions": [{"key": "stage", "operator": "In", "values": ["last"]}]},
    ]
    rolling = {"type": "RollingSync", "rollingSync": {"steps": steps}, "deletionOrder": "Reverse"}
    a_set(stage, "roll", elements(*({"name": name} for name in names)), strategy=rolling)
    stage.until(lambda: well(stage) == {f"roll-{name}" for name in names}, "all are well")
    states = {name: applications(stage)[f"roll-{name}"]["status"]["operationState"] for name in names}
    turns = sorted((states[name]["startedAt"], states[name]["finishedAt"]) for name in "abc")
    assert [before <= after for (_, before), (after, _) in pairwise(turns)] == [True, True]
    assert turns[-1][1] <= states["last"]["startedAt"]
    there: list[frozenset[str]] = []
    stage.kubectl("delete", "applicationset", "roll", "-n", stage.space, "--wait=false")

    def all_gone() -> bool:
        there.append(frozenset(applications(stage)))
        return not there[-1]

    stage.until(all_gone, "all are gone")
    assert [left for left in there if "roll-last" in left and len(left) < 4] == []
