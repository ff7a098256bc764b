"""Releases: each minor that can be served keeps, drops, refuses, warns, lists and prints as a kube-apiserver of that minor does.

The newest always; older ones where tools/build_real.py was asked for them: `python tools/build_real.py kube-apiserver-1.33.13`.
"""

import json
import secrets
from typing import Any

import pytest

from differential.gated import CASES
from differential.manifests import manifests
from differential.normal import differences, normal
from differential.sides import Ask, Pair

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(300)]

_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
# What no release shares with us: hashes of storage, addresses, ages in seconds, given ports, prose, and who owns which field.
_OWN = ("storageVersionHash", "serverAddressByClientCIDRs", "managedFields", "description", "freshness")
# Go wrote a time that is not there as null until 1.34.
_NO_TIME = "creationTimestamp: real null, ours absent"


def test_the_newest_opens_the_same_gates(pair: Pair) -> None:
    assert _judged(pair) == []


def test_an_older_one_opens_the_same_gates(older_pair: Pair) -> None:
    assert _judged(older_pair) == []


def test_the_newest_lists_the_same_core(pair: Pair) -> None:
    """Other groups may be those of CRDs that another test has just deleted."""
    assert [line for path in ("/api", "/api/v1") for line in _compared(pair, path, Ask("GET", path))] == []


def test_an_older_one_lists_the_same_resources(older_pair: Pair) -> None:
    assert _listed(older_pair) == []


def test_an_older_one_stores_and_prints_alike(older_pair: Pair) -> None:
    namespace, found = _namespace(older_pair), list[str]()
    for one in manifests(namespace):
        if one.body["kind"] == "APIService":
            continue  # made for a group that one of the servers may know by itself
        ask = Ask("POST", one.path, one.body)
        found += _compared(older_pair, one.kind, ask)
        found += _compared(older_pair, f"{one.kind} as a table", Ask("GET", one.url, accept=_TABLE), table=True)
        older_pair.ask(Ask("DELETE", one.url))
    assert found == []


def _judged(pair: Pair) -> list[str]:
    namespace, found = _namespace(pair), list[str]()
    for name, (path, body) in CASES.items():
        ask = Ask("POST", f"{path.replace('NAMESPACE', namespace)}?dryRun=All", body)
        found += _compared(pair, name, ask)
    return found


def _listed(pair: Pair) -> list[str]:
    groups = pair.real.ask(Ask("GET", "/apis"))["body"]["groups"]
    paths = ["/api", "/apis", "/api/v1", *(f"/apis/{one['name']}" for one in groups)]
    paths += [f"/apis/{version['groupVersion']}" for one in groups for version in one["versions"]]
    found = [line for path in paths for line in _compared(pair, path, Ask("GET", path))]
    for path in ("/api", "/apis"):
        found += _compared(pair, f"{path} in one", Ask("GET", path, accept=_AGGREGATED))
    real, ours = (_document(answer)["paths"] for answer in pair.ask(Ask("GET", "/openapi/v3")))
    return found + [f"/openapi/v3: {path}" for path in sorted({*real} ^ {*ours})]


def _document(answer: dict[str, Any]) -> Any:
    body = answer["body"]
    return json.loads(body) if isinstance(body, str) else body


def _namespace(pair: Pair) -> str:
    name = f"d{secrets.token_hex(3)}"
    pair.set_up(
        Ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}}),
        Ask("POST", f"/api/v1/namespaces/{name}/serviceaccounts", {"metadata": {"name": "default"}}),
    )
    return name


def _compared(pair: Pair, name: str, ask: Ask, *, table: bool = False) -> list[str]:
    real, ours = (_shared(normal(answer)) for answer in pair.ask(ask))
    if real["code"] != ours["code"]:
        return [f"{name}: real {real['code']} {real['body']}, ours {ours['code']} {ours['body']}"]
    found = [f"{name}: {line}" for line in differences(real, ours) if not line.endswith(_NO_TIME)]
    return [line for line in found if not (table and (".cells[" in line or ".object" in line))]


def _shared(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shared(one) for key, one in value.items() if key not in _OWN}
    return [_shared(one) for one in value] if isinstance(value, list) else value
