"""Watches, many at once: in every mode of resourceVersion, by selectors that objects move into and out of, and in every form.

Both servers tell the same events. Each watch lasts as long as it asks for; what is written meanwhile is written once for all of them.
"""

import http.client
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import pytest

from differential.normal import differences
from differential.sides import Ask, Pair, Side

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(180)]

MERGE = "application/merge-patch+json"
JSON = "application/json"
TABLE, PART = (f"{JSON};as={kind};v=v1;g=meta.k8s.io" for kind in ("Table", "PartialObjectMetadata"))
MAPS, PODS = "/api/v1/namespaces/NAMESPACE/configmaps", "/api/v1/namespaces/NAMESPACE/pods"
SECONDS, OPENED = 4, 1.5  # how long each watch lasts, and when all of them are open
VERSIONS = (
    *("", "resourceVersion=0", "resourceVersion=1", "resourceVersion=BEGIN", "resourceVersion=FUTURE", "resourceVersion=x"),
    *("resourceVersion=-1", "resourceVersion=99999999999999999999"),
)  # fmt: skip
INITIAL = (
    "",
    "allowWatchBookmarks=x",
    "resourceVersionMatch=Exact",
    "sendInitialEvents=true",
    "sendInitialEvents=false&resourceVersionMatch=NotOlderThan",
    "sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
)
_MARKED = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
_LABELS = ("app%3Da", "app!%3Da", "!app", "app%20in%20(a,c)", "app%20notin%20(a)")
_FIELDS = (
    *("metadata.name%3Dp1", "metadata.name!%3Dp1", "spec.nodeName%3Dn1", "spec.nodeName%3D", "status.phase%3DRunning"),
    *(
        "status.phase%3DPending,spec.nodeName!%3Dn1",
        "status.podIP%3D10.0.0.9",
        "spec.nope%3D1",
        "metadata.namespace%3Dx",
    ),
)
CHOSEN = (
    "",
    *(f"labelSelector={labels}" for labels in _LABELS),
    *(f"fieldSelector={fields}" for fields in _FIELDS),
    "includeObject=X",
)


def _pod(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}


def _labelled(path: str, name: str, **labels: str | None) -> Ask:
    return Ask("PATCH", f"{path}/{name}", {"metadata": {"labels": labels}}, MERGE)


SET_UP = [
    *(Ask("POST", MAPS, {"metadata": {"name": name}}) for name in "ab"),
    Ask("POST", PODS, _pod("p1", app="a")),
    Ask("POST", PODS, _pod("p2", app="b")),
]
CHANGES = [
    Ask("PATCH", f"{MAPS}/a", {"data": {"k": "v"}}, MERGE),
    Ask("PATCH", f"{MAPS}/a", {}, MERGE),
    Ask("POST", MAPS, {"metadata": {"name": "c"}}),
    Ask("DELETE", f"{MAPS}/b"),
    _labelled(PODS, "p1", app="b"),
    _labelled(PODS, "p2", app=None),
    Ask("POST", f"{PODS}/p1/binding", {"metadata": {"name": "p1"}, "target": {"kind": "Node", "name": "n1"}}),
    Ask(
        "PATCH",
        f"{PODS}/p1/status",
        {"status": {"phase": "Running", "podIP": "10.0.0.9", "podIPs": [{"ip": "10.0.0.9"}]}},
        MERGE,
    ),
    Ask("POST", PODS, _pod("p3", app="a")),
    Ask("PATCH", f"{PODS}/p3", {"metadata": {"finalizers": ["a.b/c"]}}, MERGE),
    Ask("DELETE", f"{PODS}/p3", {"gracePeriodSeconds": 0}),
    Ask("PATCH", f"{PODS}/p3", {"metadata": {"finalizers": None, "labels": {"app": "c"}}}, MERGE),
    Ask("DELETE", f"{PODS}/p1"),
    Ask("DELETE", f"{PODS}/p1", {"gracePeriodSeconds": 0}),
    Ask("DELETE", PODS),
]


def _watches() -> list[Ask]:
    words = [(MAPS, JSON, *words) for words in product(VERSIONS, INITIAL)]
    words += [(PODS, JSON, chosen, begin) for chosen in CHOSEN for begin in ("", _MARKED)]
    words += [(PODS, PART, chosen, "") for chosen in CHOSEN[:3]]
    # one Table at a time: a real server may encode an event once for several watches, of which one has told its columns
    words += [
        (PODS, TABLE, "fieldSelector=metadata.name%3Dp1", _MARKED),
        (MAPS, TABLE, "includeObject=Object", _MARKED),
    ]
    made = ((path, "&".join(filter(None, more)), accept) for path, accept, *more in words)
    return [
        Ask("GET", f"{path}?watch=true&timeoutSeconds={SECONDS}&{query}", accept=accept) for path, query, accept in made
    ]


def test_they_tell_the_same(pair: Pair, namespace: str) -> None:
    for ask in SET_UP:
        pair.set_up(_within(ask, namespace))
    asked, told = _watches(), []
    for side in (pair.real, pair.ours):
        told.append(_told(side, asked, namespace))

    found = [f"{ask}: {line}" for ask, real, ours in zip(asked, *told, strict=True) for line in differences(real, ours)]
    assert not found, "\n".join(found)


def _told(side: Side, asked: list[Ask], namespace: str) -> list[Any]:
    """What each watch of one side tells while the changes are made."""
    begin = side.ask(_within(Ask("GET", f"{MAPS}?limit=1"), namespace))["body"]["metadata"]["resourceVersion"]
    with ThreadPoolExecutor(len(asked)) as pool:
        watches = [pool.submit(_watched, side, _within(ask, namespace, begin)) for ask in asked]
        time.sleep(OPENED)
        for ask in CHANGES:
            answer = side.ask(_within(ask, namespace))
            assert answer["code"] < 300, (str(ask), answer)
        return [watch.result() for watch in watches]


def _within(ask: Ask, namespace: str, begin: str = "0") -> Ask:
    path = (
        ask.path.replace("NAMESPACE", namespace).replace("BEGIN", begin).replace("FUTURE", str(int(begin) + 1_000_000))
    )
    return Ask(ask.method, path, ask.body, ask.media, ask.accept)


def _watched(side: Side, ask: Ask) -> Any:
    """The events of one watch, on a connection of its own; or how it is refused."""
    one = Side(side.kubeconfig)
    code, _, data = one.raw(ask)
    one.close()
    lines = [json.loads(line) for line in data.splitlines()] if code == http.client.OK else [data.decode()]
    seen: dict[str, str] = {}
    events = [_event(line, seen) for line in lines if code != http.client.OK or _is_told(line)]
    return {"code": code, "events": events}


def _is_told(event: Any) -> bool:
    """Whether it is no bookmark but that which ends what was there: others come when the time is right."""
    return event["type"] != "BOOKMARK" or "initial-events-end" in json.dumps(event)


_MASKS = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uid>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<time>"),
    (re.compile(r"kube-api-access-\w{5}"), "<token>"),
    (re.compile(r"resource version: \d+(, current: \d+| \(\d+\))"), "<versions>"),
    (re.compile(r'"\d+s"'), '"<age>"'),
    (re.compile(r'"description": "(\\.|[^"\\])*"'), '"description": ""'),
)


def _event(event: Any, seen: dict[str, str]) -> Any:
    """An event, with versions told by their order."""
    text = event if isinstance(event, str) else json.dumps(event, sort_keys=True)
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    bookmark = '"type": "BOOKMARK"' in text

    def numbered(match: re.Match[str]) -> str:
        return (
            '"resourceVersion": "any"'
            if bookmark
            else f'"resourceVersion": "{seen.setdefault(match[1], str(len(seen)))}"'
        )

    return json.loads(re.sub(r'"resourceVersion": ?"(\d+)"', numbered, text))
