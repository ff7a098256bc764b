"""ApplicationSets on both clusters, with a real Git repository: folders become Applications, and go with their objects."""

import json
import signal

import pytest

from e2e.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def config_map(name: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"k": "v"}})


def space(stage: Stage) -> str:
    return f"{stage.space}-teams"[-60:].lstrip("-")


def a_set(stage: Stage) -> str:
    source = {"repoURL": stage.url, "targetRevision": "main", "path": "{{ .path.path }}"}
    policy = {"automated": {"prune": True}, "syncOptions": ["CreateNamespace=true"]}
    git = {"repoURL": stage.url, "revision": "main", "directories": [{"path": "teams/*"}]}
    destination = {"server": "https://kubernetes.default.svc", "namespace": space(stage)}
    body = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": "teams", "namespace": stage.space},
        "spec": {
            "goTemplate": True,
            "goTemplateOptions": ["missingkey=error"],
            "generators": [{"git": git}],
            "template": {
                "metadata": {"name": "{{ .path.basename }}"},
                "spec": {"project": "default", "source": source, "destination": destination, "syncPolicy": policy},
            },
        },
    }
    return json.dumps(body)


def applications(stage: Stage) -> list[str]:
    found = json.loads(stage.kubectl("get", "applications", "-n", stage.space, "-o", "json"))
    return sorted(app["metadata"]["name"] for app in found["items"])


def has(stage: Stage, name: str) -> bool:
    return stage.get("-n", space(stage), "configmap", name) is not None


def health(stage: Stage) -> str:
    found = stage.get("-n", stage.space, "applicationset", "teams") or {}
    return str(((found.get("status") or {}).get("health") or {}).get("status", ""))


def test_folders_come_and_go(stage: Stage) -> None:
    stage.create_repository({"teams/red/a.json": config_map("red"), "teams/blue/a.json": config_map("blue")})
    stage.start()
    stage.kubectl("apply", "-f", "-", stdin=a_set(stage))
    stage.until(lambda: stage.is_well("red") and stage.is_well("blue"), "both teams Synced and Healthy")
    stage.until(lambda: health(stage) == "Healthy", "the set is Healthy")
    assert (has(stage, "red"), has(stage, "blue")) == (True, True)
    stage.commit({"teams/green/a.json": config_map("green"), "teams/blue/a.json": None})
    stage.push()
    stage.until(lambda: applications(stage) == ["green", "red"], "the folders of the commit")
    stage.until(lambda: stage.is_well("green") and not has(stage, "blue"), "what was blue is gone")
    row = ["teams", "Healthy", "2", "git", "sync"]
    stage.until(lambda: stage.kilde("appset", "list").splitlines()[1].split()[:5] == row, "its status says so")
    stage.commit({"teams/green/a.json": None, "teams/red/a.json": None, "README": "no team is left"})
    stage.push()
    stage.until(lambda: health(stage) == "Degraded", "nothing is deleted when nothing is left")
    assert applications(stage) == ["green", "red"]
    assert 'kilde.dev/allow-empty: "true"' in stage.kilde("appset", "get", "teams")
    stage.kubectl("annotate", "applicationset", "teams", "-n", stage.space, "kilde.dev/allow-empty=true")
    stage.until(lambda: applications(stage) == [] and health(stage) == "Healthy", "until a person says so")


def test_a_deleted_set_takes_its_applications_along_and_a_killed_controller_goes_on(stage: Stage) -> None:
    stage.create_repository({f"teams/t{n}/a.json": config_map(f"t{n}") for n in range(12)})
    stage.start()
    stage.kubectl("apply", "-f", "-", stdin=a_set(stage))
    stage.until(lambda: len(applications(stage)) > 2, "some of them")
    stage.stop(how=signal.SIGKILL)
    stage.start()
    wanted = sorted(f"t{n}" for n in range(12))
    stage.until(lambda: applications(stage) == wanted and health(stage) == "Healthy", "all of them, once")
    stage.kubectl("delete", "applicationset", "teams", "-n", stage.space)
    stage.until(
        lambda: applications(stage) == [] and not has(stage, "t0"), "the Applications and their objects are gone"
    )
