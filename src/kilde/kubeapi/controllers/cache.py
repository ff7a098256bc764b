"""Cache: the objects the controllers know, kept by the watch and by their own writes: a step sees the one before."""

from collections.abc import Iterable
from enum import StrEnum
from fractions import Fraction
from typing import Any, NamedTuple

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.metadata import controller_of
from kilde.kubeapi.controllers.neighbours import repels
from kilde.kubeapi.controllers.placing import requests_of
from kilde.kubeapi.controllers.pods import TERMINAL, phase
from kilde.kubeapi.controllers.steps import Load

EMPTY = Load(0, {})
ROOT_CA = "kube-root-ca.crt"


class Seen(StrEnum):
    """What a watch says of an object."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


class Change(NamedTuple):
    """An object before and after; None where it did not, or does not, exist."""

    resource: str
    old: Object | None
    new: Object | None


class Cache:
    """Keeps the newest version of each object. Versions are the server's: whole numbers that only grow."""

    def __init__(self) -> None:
        self._objects: dict[str, dict[str, dict[str, Object]]] = {}
        self._owned: dict[tuple[str, str], dict[tuple[str, str], None]] = {}
        self._on_node: dict[str, dict[tuple[str, str], None]] = {}
        self._nominated: dict[str, dict[tuple[str, str], None]] = {}
        self._repelling: dict[tuple[str, str], None] = {}
        self._loads: dict[str, Load] = {}
        self._gone: set[str] = set()

    def get(self, resource: str, namespace: str, name: str) -> Object | None:
        return self._objects.get(resource, {}).get(namespace, {}).get(name)

    def every(self, resource: str, namespace: str | None = None) -> Iterable[Object]:
        spaces = self._objects.get(resource, {})
        if namespace is not None:
            return list(spaces.get(namespace, {}).values())
        return [obj for space in spaces.values() for obj in space.values()]

    def owned(self, resource: str, uid: str) -> Iterable[Object]:
        return [obj for key in self._owned.get((resource, uid), {}) if (obj := self.get(resource, *key)) is not None]

    def orphans(self, resource: str, namespace: str) -> Iterable[Object]:
        return [obj for key in self._owned.get((resource, "/" + namespace), {}) if (obj := self.get(resource, *key))]

    def on_node(self, node: str) -> Iterable[Object]:
        return [obj for key in self._on_node.get(node, {}) if (obj := self.get("pods", *key)) is not None]

    def nominated(self, node: str) -> Iterable[Object]:
        return [obj for key in self._nominated.get(node, {}) if (obj := self.get("pods", *key)) is not None]

    def repelling(self) -> Iterable[Object]:
        return [obj for key in self._repelling if (obj := self.get("pods", *key)) is not None]

    def load(self, node: str) -> Load:
        return self._loads.get(node, EMPTY)

    def take(self, resource: str, seen: str, body: Object) -> Change | None:
        """Takes in what a watch or a write told; None if it is older than what is known."""
        meta = body["metadata"]
        namespace, name, uid = meta.get("namespace", ""), meta["name"], meta.get("uid", "")
        version = int(meta.get("resourceVersion") or 0)
        old = self.get(resource, namespace, name)
        if seen == Seen.DELETED:
            return self._forget(resource, old, uid)
        if uid in self._gone or (old is not None and _version(old) >= version):
            return None
        new = slim(resource, body)
        if old is not None:
            self._unlink(resource, old)
        self._objects.setdefault(resource, {}).setdefault(namespace, {})[name] = new
        self._link(resource, new)
        return Change(resource, old, new)

    def drop(self, resource: str, body: Object) -> Change | None:
        """Forgets an object that a write of ours removed; late news of it from the watch are not believed."""
        meta = body["metadata"]
        old = self.get(resource, meta.get("namespace", ""), meta["name"])
        if old is None or old["metadata"].get("uid") != meta.get("uid"):
            return None
        self._gone.add(meta.get("uid", ""))
        self._remove(resource, old)
        return Change(resource, old, None)

    def keep_only(self, resource: str, present: Iterable[Object]) -> list[Change]:
        """Forgets the objects of a resource that a fresh list does not have."""
        uids = {obj["metadata"].get("uid", "") for obj in present}
        changes = []
        for obj in self.every(resource):
            if obj["metadata"].get("uid", "") not in uids:
                self._remove(resource, obj)
                changes.append(Change(resource, obj, None))
        return changes

    def _forget(self, resource: str, old: Object | None, uid: str) -> Change | None:
        self._gone.discard(uid)
        if old is None or old["metadata"].get("uid", "") != uid:
            return None
        self._remove(resource, old)
        return Change(resource, old, None)

    def _remove(self, resource: str, old: Object) -> None:
        meta = old["metadata"]
        self._unlink(resource, old)
        space = self._objects[resource][meta.get("namespace", "")]
        del space[meta["name"]]
        if not space:
            del self._objects[resource][meta.get("namespace", "")]

    def _link(self, resource: str, obj: Object) -> None:
        key = (obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        self._owned.setdefault((resource, _holder(obj)), {})[key] = None
        if resource == "pods":
            node, nominated = _places(obj)
            self._on_node.setdefault(node, {})[key] = None
            if nominated:
                self._nominated.setdefault(nominated, {})[key] = None
            if node and repels(obj):
                self._repelling[key] = None
            self._weigh(obj, 1)

    def _unlink(self, resource: str, obj: Object) -> None:
        key = (obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        _discard(self._owned, (resource, _holder(obj)), key)
        if resource == "pods":
            node, nominated = _places(obj)
            _discard(self._on_node, node, key)
            _discard(self._nominated, nominated, key)
            self._repelling.pop(key, None)
            self._weigh(obj, -1)

    def _weigh(self, pod: Object, sign: int) -> None:
        """Adds a bound, unfinished pod to its node's load, or takes it away."""
        node = pod.get("spec", {}).get("nodeName")
        if not node or phase(pod) in TERMINAL:
            return
        before = self._loads.get(node, EMPTY)
        asked = dict(before.asked)
        for resource, quantity in requests_of(pod).items():
            asked[resource] = asked.get(resource, Fraction(0)) + sign * quantity
        self._loads[node] = Load(before.pods + sign, asked)
        if not self._loads[node].pods:
            del self._loads[node]


def slim(resource: str, body: Object) -> Object:
    """What the controllers need of an object: not who manages its fields, nor the values of a Secret or ConfigMap."""
    meta = {key: value for key, value in body["metadata"].items() if key != "managedFields"}
    if resource == "secrets" or (resource == "configmaps" and meta["name"] != ROOT_CA):
        kept = {key: value for key, value in meta.items() if key not in ("annotations", "labels")}
        keys = [*(body.get("data") or {}), *(body.get("binaryData") or {})]
        return {"metadata": kept, "data": dict.fromkeys(keys, "")}
    if resource == "customresourcedefinitions.apiextensions.k8s.io":
        return {"metadata": meta}
    if resource == "events":
        kept = {
            key: meta[key]
            for key in ("namespace", "name", "uid", "resourceVersion", "creationTimestamp")
            if key in meta
        }
        return {"metadata": kept, "lastTimestamp": body.get("lastTimestamp")}
    return {**body, "metadata": meta}


def _places(pod: Object) -> tuple[str, str]:
    """The node that a pod is bound to, and the one that it waits for; each may be ""."""
    node = (pod.get("spec") or {}).get("nodeName") or ""
    return node, "" if node else (pod.get("status") or {}).get("nominatedNodeName") or ""


def _holder(obj: Object) -> str:
    """The uid of the controlling owner; `/<namespace>` for an object that nobody controls."""
    owner = controller_of(obj)
    return str(owner["uid"]) if owner else "/" + str(obj["metadata"].get("namespace", ""))


def _version(obj: Object) -> int:
    return int(obj["metadata"].get("resourceVersion") or 0)


def _discard(index: dict[Any, dict[tuple[str, str], None]], place: Any, key: tuple[str, str]) -> None:
    held = index.get(place)
    if held is not None:
        held.pop(key, None)
        if not held:
            del index[place]
