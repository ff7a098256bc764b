"""Histories: an object is created, patched in four ways, applied by several managers, replaced and deleted, alike on both.

After each step the whole answers are compared, managedFields included. KILDE_STEPS sets how many are taken (20,000 in a night).
"""

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest

from differential.manifests import Manifest, copied, manifests
from differential.normal import differences, normal
from differential.sides import Ask, Pair
from differential.variations import Path, changed, paths

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(7200)]

STEPS = int(os.environ.get("KILDE_STEPS", "15"))
SEED = int(os.environ.get("KILDE_SEED", "1"))
KINDS = (
    "ClusterRole",
    "ConfigMap",
    "CronJob",
    "DaemonSet",
    "Deployment",
    "EndpointSlice",
    "HorizontalPodAutoscaler",
    "Ingress",
    "LimitRange",
    "NetworkPolicy",
    "PersistentVolumeClaim",
    "PodDisruptionBudget",
    "PriorityClass",
    "ReplicaSet",
    "ResourceQuota",
    "RoleBinding",
    "Secret",
    "Service",
    "ServiceAccount",
    "StatefulSet",
)
MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
JSON_PATCH, APPLY = "application/json-patch+json", "application/apply-patch+yaml"
MANAGERS = ("ann", "bo", "kubectl")
_LEAVES = (str, int, bool)


class Walk:
    """The next request, by chance, for one object."""

    def __init__(self, one: Manifest, dice: random.Random) -> None:
        self._one, self._dice = one, dice

    def asks(self, steps: int) -> Iterator[Ask]:
        """A creation and what follows it."""
        yield self._create()
        moves = (self._merge, self._strategic, self._json, self._apply, self._apply, self._put, self._delete)
        for _ in range(steps):
            yield self._dice.choice(moves)()

    def _manager(self) -> str:
        return f"fieldManager={self._dice.choice(MANAGERS)}"

    def _create(self) -> Ask:
        return Ask("POST", f"{self._one.path}?{self._manager()}", self._one.body)

    def _put(self) -> Ask:
        return Ask("PUT", f"{self._one.url}?{self._manager()}", self._changed())

    def _delete(self) -> Ask:
        if self._dice.random() < 0.7:
            return self._create()
        return Ask("DELETE", f"{self._one.url}?propagationPolicy=Background")

    def _merge(self) -> Ask:
        return Ask("PATCH", f"{self._one.url}?{self._manager()}", self._part(), MERGE)

    def _strategic(self) -> Ask:
        return Ask("PATCH", f"{self._one.url}?{self._manager()}", self._part(), STRATEGIC)

    def _json(self) -> Ask:
        path, value = self._change()
        pointer = "/" + "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in path)
        steps = [{"op": "test", "path": "/kind", "value": self._one.body["kind"]}]
        steps.append({"op": self._dice.choice(("add", "replace")), "path": pointer, "value": value})
        return Ask("PATCH", f"{self._one.url}?{self._manager()}", steps, JSON_PATCH)

    def _apply(self) -> Ask:
        """Some of the object's parts, one of them changed perhaps."""
        whole = self._changed() if self._dice.random() < 0.5 else copied(self._one.body)
        kept = {key: value for key, value in whole.items() if key in ("apiVersion", "kind")}
        kept["metadata"] = {"name": whole["metadata"]["name"]}
        if self._dice.random() < 0.5:
            kept["metadata"]["labels"] = {self._dice.choice("lmn"): self._dice.choice("12")}
        for key, value in whole.items():
            if key in kept or key == "status":
                continue
            kept[key] = self._some(value) if isinstance(value, dict) else value
        force = "&force=true" if self._dice.random() < 0.5 else ""
        return Ask("PATCH", f"{self._one.url}?{self._manager()}{force}", kept, APPLY)

    def _some(self, value: dict[str, Any]) -> dict[str, Any]:
        return {key: one for key, one in value.items() if self._dice.random() < 0.7}

    def _change(self) -> tuple[Path, Any]:
        found = [path for path in paths(self._one.body) if self._may_change(path)]
        path = self._dice.choice(found)
        return path, self._other(self._at(path))

    def _may_change(self, path: Path) -> bool:
        if path[0] in ("apiVersion", "kind") or path[:2] == ("metadata", "name"):
            return False
        return isinstance(self._at(path), _LEAVES)

    def _at(self, path: Path) -> Any:
        value: Any = self._one.body
        for step in path:
            value = value[step]
        return value

    def _other(self, value: Any) -> Any:
        if isinstance(value, bool):
            return not value
        if isinstance(value, int):
            return self._dice.choice((value + 1, value, max(value - 1, 0)))
        return self._dice.choice((f"{value}x", value, "other"))

    def _changed(self) -> dict[str, Any]:
        path, value = self._change()
        return changed(self._one.body, path, value)

    def _part(self) -> dict[str, Any]:
        """The changed field alone, with the lists on the way to it whole; null now and then."""
        path, value = self._change()
        made: dict[str, Any] = {}
        place, whole = made, changed(self._one.body, path, value)
        for index, step in enumerate(path):
            whole = whole[step]  # type: ignore[index]
            last = index == len(path) - 1 or isinstance(whole, list)
            if last and self._dice.random() < 0.1:
                place[str(step)] = None
            elif last:
                place[str(step)] = whole
            if last:
                break
            place[str(step)] = {}
            place = place[str(step)]
        return made


@pytest.mark.parametrize("kind", KINDS)
def test_a_history_is_written_alike(pair: Pair, namespace: str, kind: str) -> None:
    found: list[str] = []
    for one in manifests(namespace, kind):
        for number, ask in enumerate(Walk(one, random.Random(f"{SEED} {one.kind.partition('/')[0]}")).asks(STEPS)):
            real, ours = (normal(answer) for answer in pair.ask(ask))
            told = differences(real, ours)
            if real["code"] != ours["code"]:
                told = [f".code: real {real['code']}, ours {ours['code']}: {real['body']} | {ours['body']}"[:1500]]
            found += [f"{one.kind} step {number} {ask} {ask.body}: {line}" for line in told]
            if told:
                break  # what follows would differ for the same reason

    assert not found, "\n".join(found)
