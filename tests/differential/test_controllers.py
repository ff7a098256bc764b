"""What the real controllers make of a scenario, ours make of it, too: objects, statuses and Events of whole namespaces."""

import json
import re
import secrets
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from differential.manifests import collection
from differential.normal import differences, normal
from differential.sides import Ask, Pair, Side

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(180)]

FILE = Path(__file__).with_name("controllers.yaml")
SCENARIOS: list[dict[str, Any]] = yaml.safe_load(FILE.read_text())
KINDS = (
    "api/v1 pods", "api/v1 events", "api/v1 endpoints", "api/v1 persistentvolumeclaims", "api/v1 replicationcontrollers",
    "apis/apps/v1 deployments", "apis/apps/v1 replicasets", "apis/apps/v1 statefulsets", "apis/apps/v1 controllerrevisions",
    "apis/batch/v1 jobs", "apis/batch/v1 cronjobs", "apis/policy/v1 poddisruptionbudgets",
    "apis/autoscaling/v2 horizontalpodautoscalers", "apis/discovery.k8s.io/v1 endpointslices", "api/v1 resourcequotas",
)  # fmt: skip
PATIENCE = 30.0
MANY = {
    "replicas": 40,
    "selector": {"matchLabels": {"app": "a"}},
    "template": {
        "metadata": {"labels": {"app": "a"}},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [{"name": "c", "image": "a:1"}]},
    },
}
_SAFE = "bcdfghjklmnpqrstvwxz2456789"
_HASH = re.compile(rf"(?:(?<=-)|(?<=pod-template-hash\": \"))[{_SAFE}]{{8,10}}(?=[-\\\" .]|$)")
_SUFFIX = re.compile(rf"(?<=[a-z0-9>]-)[{_SAFE}]{{5}}(?=[\", \\]|$)")
_HASHED = ("pod-template-hash",)
_OWN = ("managedFields", "creationTimestamp", "resourceVersion", "uid", "generation")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[one["name"] for one in SCENARIOS])
def test_the_controllers_come_to_the_same_end(controlled: Pair, scenario: dict[str, Any]) -> None:
    namespace = f"c{secrets.token_hex(3)}"
    controlled.set_up(Ask("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}}))
    controlled.await_answer(Ask("GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/default"), 200)
    for step in scenario["steps"]:
        for side in (controlled.real, controlled.ours):
            _take(side, namespace, step)
    until, found = time.monotonic() + PATIENCE, ["never compared"]
    while found and time.monotonic() < until:
        time.sleep(0.25)
        found = differences(*(_state(side, namespace) for side in (controlled.real, controlled.ours)))

    assert not found, "\n".join(found)


def _take(side: Side, namespace: str, step: dict[str, Any]) -> None:
    """One step: `make` an object, `change` one by a merge patch, wait until one `says` that a condition is true, or set the
    `status` of so many pods once they are there.
    """
    if "make" in step:
        body = {**step["make"], "metadata": {**step["make"]["metadata"], "namespace": namespace}}
        answer = side.ask(Ask("POST", collection(body, namespace), body))
    elif "change" in step:
        path = f"/{step['in']}/namespaces/{namespace}/{step['change']}"
        answer = side.ask(Ask("PATCH", path, step["by"], "application/merge-patch+json"))
    elif "says" in step:
        answer = _told(side, f"/{step['in']}/namespaces/{namespace}/{step['says']}", step["true"])
    else:
        for name in _pods(side, namespace, step):
            path = f"/api/v1/namespaces/{namespace}/pods/{name}/status"
            answer = side.ask(Ask("PATCH", path, {"status": step["status"]}, "application/merge-patch+json"))
    assert answer["code"] < 300, (step, answer["body"])


def _told(side: Side, path: str, kind: str) -> dict[str, Any]:
    until = time.monotonic() + PATIENCE
    while True:
        answer = side.ask(Ask("GET", path))
        conditions = answer["body"].get("status", {}).get("conditions") or ()
        if any((one["type"], one["status"]) == (kind, "True") for one in conditions):
            return answer
        assert time.monotonic() < until, (path, kind, conditions)
        time.sleep(0.05)


def _pods(side: Side, namespace: str, step: dict[str, Any]) -> list[str]:
    """The first so many pods with these labels whose status nobody has set, by name."""
    until = time.monotonic() + PATIENCE
    path = f"/api/v1/namespaces/{namespace}/pods?labelSelector={step['pods']}"
    while True:
        items = side.ask(Ask("GET", path))["body"]["items"]
        free = sorted(
            one["metadata"]["name"]
            for one in items
            if one["status"]["phase"] == "Pending" and not one["metadata"].get("deletionTimestamp")
        )
        if len(free) >= step["count"]:
            return free[: step["count"]]
        assert time.monotonic() < until, (
            f"{len(free)} of {step['count']} pods {step['pods']} on {side._host}:{side._port}"
        )
        time.sleep(0.1)


def _state(side: Side, namespace: str) -> Any:
    found = {}
    for kind in KINDS:
        root, plural = kind.split()
        items = side.ask(Ask("GET", f"/{root}/namespaces/{namespace}/{plural}"))["body"]["items"]
        if plural == "events":  # that a controller met a write of another one is chance
            items = [one for one in items if "the object has been modified" not in one["message"]]
        shown = [_event(one) if plural == "events" else _object(one) for one in items]
        masked = [
            _SUFFIX.sub("<suffix>", _HASH.sub("<hash>", json.dumps(normal(one), sort_keys=True))) for one in shown
        ]
        found[plural] = [json.loads(one) for one in sorted(set(masked) if plural == "events" else masked)]
    return found


def _event(event: dict[str, Any]) -> dict[str, Any]:
    """What an Event says of what; not how often, which goes by how often a controller looks."""
    about = event["involvedObject"]
    name = event["message"].replace(about.get("namespace", ""), "<namespace>")
    return {
        "about": about["kind"],
        "name": about["name"],
        "type": event["type"],
        "reason": event["reason"],
        "text": name,
    }


def _object(body: dict[str, Any]) -> dict[str, Any]:
    meta = {key: value for key, value in body["metadata"].items() if key not in _OWN}
    labels = {key: "<hash>" if key in _HASHED else value for key, value in meta.get("labels", {}).items()}
    for field in {"ports", "endpoints"} & body.keys():  # those of a slice have no order: a hash and a map of Go give it
        body = {**body, field: sorted(body[field] or (), key=json.dumps)}
    return {**body, "metadata": {**meta, "labels": labels}}


def test_a_source_tells_no_more_than_25_events_about_an_object(controlled: Pair) -> None:
    namespace = f"c{secrets.token_hex(3)}"
    controlled.set_up(Ask("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}}))
    controlled.await_answer(Ask("GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/default"), 200)
    path = f"/apis/apps/v1/namespaces/{namespace}/replicasets"
    body = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "many"}, "spec": MANY}
    controlled.set_up(Ask("POST", path, body))
    for side in (controlled.real, controlled.ours):
        _counted(side, f"{path}/many", 40)
    none = Ask("PATCH", f"{path}/many/scale", {"spec": {"replicas": 0}}, "application/merge-patch+json")
    controlled.set_up(none)
    for side in (controlled.real, controlled.ours):
        _counted(side, f"{path}/many", 0)
    told = [_told_of(side, namespace) for side in (controlled.real, controlled.ours)]

    combined = "(combined from similar events): Created pod: many-<suffix>"
    assert told[0] == told[1] == sorted([("Created pod: many-<suffix>", 1)] * 9 + [(combined, 16)])


def _counted(side: Side, path: str, wanted: int) -> None:
    """Waits until a ReplicaSet tells that it has so many pods."""
    until = time.monotonic() + PATIENCE
    while side.ask(Ask("GET", path))["body"].get("status", {}).get("replicas", 0) != wanted:
        assert time.monotonic() < until, (path, wanted)
        time.sleep(0.05)


def _told_of(side: Side, namespace: str) -> list[tuple[str, int]]:
    """The Events of a namespace once none has come for a second: what they say, and how often."""
    seen: list[tuple[str, int]] = []
    until, calm = time.monotonic() + PATIENCE, time.monotonic()
    while time.monotonic() - calm < 1:
        items = side.ask(Ask("GET", f"/api/v1/namespaces/{namespace}/events"))["body"]["items"]
        found = sorted((_SUFFIX.sub("<suffix>", one["message"]), one["count"]) for one in items)
        if found != seen:
            seen, calm = found, time.monotonic()
        assert time.monotonic() < until, found
        time.sleep(0.1)
    return seen


def test_each_controller_has_its_account(controlled: Pair) -> None:
    path = "/api/v1/namespaces/kube-system/serviceaccounts"
    controlled.await_answer(Ask("GET", f"{path}/validatingadmissionpolicy-status-controller"), 200)
    until, found = time.monotonic() + PATIENCE, ["never compared"]
    while found and time.monotonic() < until:
        time.sleep(0.25)
        found = differences(
            *(normal(side.ask(Ask("GET", path))["body"]) for side in (controlled.real, controlled.ours))
        )

    assert not found, "\n".join(found)
