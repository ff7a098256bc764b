"""Applications outside of the controller's namespace, as people have them, on both clusters: by `namespace/name` on the command line."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from e2e.stage import Stage
from kilde.wiring.watched import watched

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def config_map(value: str) -> dict[str, str]:
    return {"app/a.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{k: '{value}'}}\n"}


def _planned(stage: Stage, *more: str, code: int) -> list[str]:
    """The names of the applications that a plan of all is about."""
    return [
        app["name"]
        for app in json.loads(stage.kilde("plan", "--all", "-o", "json", *more, codes=(code,)))["applications"]
    ]


def test_a_team_keeps_its_applications_in_its_own_namespace(stage: Stage) -> None:
    team = f"team-{stage.space}"[:50].rstrip("-")
    stage.options = ("--application-namespaces", "team-*")
    stage.create_repository(config_map("1"))
    stage.start()
    stage.kubectl("create", "namespace", team)
    project = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "teams", "namespace": stage.space},
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"server": "*", "namespace": team}],
            "sourceNamespaces": ["team-*"],
        },
    }
    app = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": team, "finalizers": ["resources-finalizer.argocd.argoproj.io"]},
        "spec": {
            "project": "teams",
            "source": {"repoURL": stage.url, "path": "app", "targetRevision": "main"},
            "destination": {"name": "in-cluster", "namespace": team},
        },
    }
    for body in (project, app):
        stage.kubectl("apply", "-f", "-", stdin=json.dumps(body))
    name = f"{team}/shop"
    stage.until(lambda: "OutOfSync" in stage.kilde("app", "get", name), "is looked at")
    assert stage.kilde("app", "diff", name, codes=(1,)).strip()
    told = ("--application-namespaces", "team-*")
    assert _planned(stage, *told, code=1) == [f"{team}_shop"]
    assert _planned(stage, code=0) == []
    stage.kilde("app", "sync", name)
    made = stage.get("-n", team, "configmap", "a")
    assert made is not None
    assert made["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"] == f"{team}_shop:/ConfigMap:{team}/a"
    rows = [line.split()[:4] for line in stage.kilde("app", "list", "-A").splitlines()]
    assert [name, "teams", "Synced", "Healthy"] in rows
    assert name not in stage.kilde("app", "list")
    stage.kilde("app", "wait", name)
    waits = {"name": "front", "namespace": stage.space, "annotations": {"kilde.dev/depends-on": f"app/{name}"}}
    stage.kubectl("apply", "-f", "-", stdin=json.dumps({**app, "metadata": waits}))
    drawn = stage.kilde("app", "deps", "front", *told).splitlines()
    assert [line.split("  ")[0] for line in drawn] == ["front", f"└─ {name}"]
    assert drawn[1].endswith("Synced, Healthy")
    stage.kubectl("delete", "application", "front", "-n", stage.space)
    records = stage.kilde("ledger", "log", "-o", "json")
    assert name in records
    soon = f"{datetime.now(UTC) + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
    (ran,) = json.loads(stage.kilde("ledger", "show", "--running-at", soon, "-o", "json"))
    assert (ran["application"], ran["objects"], ran["exact"], ran["problem"]) == (name, 1, True, "")
    looked = watched(stage.kubeconfig, context="", namespace=stage.space, data_dir=stage.data)
    assert f"{stage.url} at main" in asyncio.run(looked).branches
    stage.kilde("app", "delete", name, "--yes")
    stage.until(lambda: stage.get("-n", team, "application", "shop") is None, "deleted")
    assert stage.get("-n", team, "configmap", "a") is None


def test_a_team_keeps_its_sets_there_and_excluded_kinds_are_left_alone(stage: Stage) -> None:
    team = f"team-{stage.space}"[:50].rstrip("-")
    stage.options = ("--application-namespaces", "team-*", "--applicationset-namespaces", "team-*")
    account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: runner}\n"
    stage.create_repository({**config_map("1"), "app/b.yaml": account})
    stage.start()
    stage.kubectl("create", "namespace", team)
    rule = "resource.exclusions=- {apiGroups: [''], kinds: [ConfigMap]}"
    stage.kubectl("create", "configmap", "argocd-cm", "-n", stage.space, "--from-literal", rule)
    project = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "teams", "namespace": stage.space},
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"server": "*", "namespace": team}],
            "sourceNamespaces": ["team-*"],
        },
    }
    spec = {
        "project": "teams",
        "source": {"repoURL": stage.url, "path": "app", "targetRevision": "main"},
        "destination": {"name": "in-cluster", "namespace": team},
        "syncPolicy": {"automated": {}},
    }
    one = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": "all", "namespace": team},
        "spec": {
            "generators": [{"list": {"elements": [{"name": "made"}]}}],
            "template": {"metadata": {"name": "{{name}}"}, "spec": spec},
        },
    }
    for body in (project, one):
        stage.kubectl("apply", "-f", "-", stdin=json.dumps(body))
    stage.until(
        lambda: stage.get("-n", team, "serviceaccount", "runner") is not None, "deployed by the set's application"
    )
    told = "Resource /ConfigMap a is excluded in the settings"
    stage.until(lambda: told in stage.kilde("app", "get", f"{team}/made"), "says what is left out")
    assert stage.get("-n", team, "configmap", "a") is None
    assert stage.kilde("app", "diff", f"{team}/made") == ""
    assert "made" in stage.kilde("appset", "get", f"{team}/all")
    assert f"{team}/all" in [line.split()[0] for line in stage.kilde("appset", "list", "-A").splitlines()]
    assert "all" not in stage.kilde("appset", "list", codes=(0,))
    stage.kubectl("delete", "applicationset", "all", "-n", team)
    stage.until(lambda: stage.get("-n", team, "application", "made") is None, "gone with its set")
    assert stage.get("-n", team, "serviceaccount", "runner") is None
