"""Random objects of every built-in kind, stored by us and by Kubernetes' own decoding, defaulting and conversion (Go)."""

import base64
import json
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kilde.core.objects.defaults import apply_defaults
from kilde.core.objects.typed.node import Node, Scalar
from kilde.core.objects.typed.schema import Kind, builtin
from kilde.core.objects.typed.values import same
from real.oracle import compiled

pytestmark = pytest.mark.slow

_SOURCE = Path(__file__).with_name("oracle")
_GROUPS = {
    "",
    "admissionregistration.k8s.io",
    "apps",
    "autoscaling",
    "batch",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
}
# What is not decoding, defaulting or conversion of one object, or is the clock's: metadata, the claim's registry, a taint's time.
_LEFT_OUT = {"managedFields", "dataSource", "dataSourceRef", "taints", "nodeAllocatableResourceClaimStatuses"}
_LEFT_OUT_OF = {
    ("HorizontalPodAutoscaler", "v1"): {"status"},  # v2 parts travel in annotations
    ("HorizontalPodAutoscaler", "v2"): {"policies"},  # an empty list counts as said when it comes, and is not kept
}
_WORDS: dict[str, list[Any]] = {
    "type": ["ClusterIP", "LoadBalancer", "NodePort", "ExternalName", "Container", "RollingUpdate", "OnDelete", ""],
    "protocol": ["TCP", "UDP", ""],
    "kind": ["User", "Group", "ServiceAccount"],
    "image": ["i", "i:1", "r/i@sha256:" + "a" * 64, "I:x", "i:latest", ""],
    "sessionAffinity": ["ClientIP", "None", ""],
    "restartPolicy": ["Always", "Never", ""],
    "podCIDR": ["10.0.0.0/24"],
    "podCIDRs": ["10.0.0.0/24", "fd00::/64"],
}


def _kinds() -> list[Kind]:
    types = builtin()
    found = []
    for kind, name in types.kinds.items():
        node = types.named(name)
        if kind.group in _GROUPS and kind.version in ("v1", "v2") and name.endswith("." + kind.kind):
            meta = node.child("metadata")
            if (
                meta is not None
                and meta.definition.endswith(".ObjectMeta")
                and kind.kind not in ("Scale", "Eviction", "Binding")
            ):
                found.append(kind)
    return sorted(found)


class _Maker:
    """Makes values that fit a node: shallow at random, with nulls and empty values here and there."""

    def __init__(self, seed: int, left_out: set[str]) -> None:
        self._dice = random.Random(seed)
        self._left_out = _LEFT_OUT | left_out

    def value(self, node: Node, depth: int, key: str = "") -> Any:
        if node.map is not None and node.scalar is None:
            return self._map(node, depth, key)
        if node.list is not None and node.scalar is None:
            items = node.list.items
            return [
                self.value(items, depth - 1, key) for _ in range(self._dice.choice([0, 1, 1, 2]) if depth > -2 else 0)
            ]
        if node.map is not None and not node.format:
            return {}
        return self._scalar(node, key)

    def _map(self, node: Node, depth: int, key: str) -> Any:
        assert node.map is not None
        dice, others = self._dice, node.map.others
        if others is None or node.map.fields:
            names = [
                name for name in node.map.fields if name not in self._left_out and (depth > 0 or dice.random() < 0.1)
            ]
            picked = dice.sample(names, min(len(names), dice.choice([0, 1, 2, 3, 5, 8])))
            return {name: self._or_null(node.map.fields[name], depth - 1, name) for name in picked}
        return {dice.choice("ab"): self.value(others, depth - 1, key) for _ in range(dice.choice([1, 2]))}

    def _or_null(self, node: Node, depth: int, key: str) -> Any:
        return None if self._dice.random() < 0.05 else self.value(node, depth, key)

    def _scalar(self, node: Node, key: str) -> Any:
        pick = self._dice.choice
        name = node.definition.rsplit(".", 1)[-1]
        if name in ("Time", "MicroTime"):
            return pick([None, "2026-01-01T00:00:00Z" if name == "Time" else "2026-01-01T00:00:00.000000Z"])
        if node.format == "quantity":
            return pick(["0", "100m", "0.5", "1024Ki", "1e3", 1, 0.1, "1500u", "2Gi", "1000"])
        if node.format == "int-or-string":
            return pick([0, 1, "25%", "", "http"])
        if node.format == "byte":
            return base64.b64encode(pick([b"", b"x", b"abc"])).decode()
        if node.scalar is Scalar.NUMERIC:
            return pick([0, 1, 2, 3])
        return pick([True, False]) if node.scalar is Scalar.BOOLEAN else pick(_WORDS.get(key, ["", "x", "y"]))


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kubernetes' decoding, defaulting and conversion."""
    return compiled(_SOURCE, tmp_path_factory.mktemp("stored"))


def _differences(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            if key not in ours or key not in theirs:
                yield f"{path}.{key}: {ours.get(key, '(absent)')} != {theirs.get(key, '(absent)')}"
            else:
                yield from _differences(ours[key], theirs[key], f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for one, other in zip(ours, theirs, strict=True):
            yield from _differences(one, other, path + "[]")
    elif not same(ours, theirs):
        yield f"{path}: {ours} != {theirs}"


def _expected(line: str) -> Any:
    stored = json.loads(line)
    annotations = stored.get("metadata", {}).get("annotations")
    if stored.get("kind") == "DaemonSet" and annotations:
        del annotations["deprecated.daemonset.template.generation"]  # a new one gets its number from the registry
        if not annotations:
            del stored["metadata"]["annotations"]
    return stored


@pytest.mark.timeout(400)
@pytest.mark.parametrize("kind", _kinds(), ids=lambda kind: f"{kind.kind}-{kind.version}-{kind.group}")
def test_objects_are_stored_as_kubernetes_stores_them(oracle: Path, kind: Kind) -> None:
    node = builtin().node(*kind)
    assert node is not None
    objects = []
    for seed in range(60):
        maker = _Maker(seed, _LEFT_OUT_OF.get((kind.kind, kind.version), set()) | {"metadata"})
        version = f"{kind.group}/{kind.version}" if kind.group else kind.version
        meta: dict[str, Any] = {"name": "x", "labels": {"a": "b"}} if seed % 3 else {"name": "x"}
        objects.append({**maker.value(node, 6), "apiVersion": version, "kind": kind.kind, "metadata": meta})
    asked = "".join(json.dumps(obj) + "\n" for obj in objects)
    answered = subprocess.run([str(oracle)], input=asked, capture_output=True, text=True, check=True, timeout=60).stdout
    found = [
        f"{difference} in {json.dumps(obj)[:300]}"
        for obj, line in zip(objects, answered.splitlines(), strict=True)
        for difference in _differences(apply_defaults(obj), _expected(line))
    ]
    assert found == []
