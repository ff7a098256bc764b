"""Parameters of admission policies: which objects a binding gives them, and what is said where there are none, on both servers alike.

Policies are chosen by a label of the object, so that all of them are there before the first request: the real server learns of them
once a second.
"""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from differential.hooks import SEEN_BY_THE_REAL_SERVER
from differential.normal import differences, normal
from differential.sides import Ask, Pair

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(180)]

ROOT = "/apis/admissionregistration.k8s.io/v1"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_SUFFIX = re.compile(r"\ba-[a-z0-9]{5}\b")
CASES: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("policy_params.yaml").read_text())


def test_policies_are_given_the_same_parameters(pair: Pair, namespace: str) -> None:
    for ask in CASES["setup"]:
        pair.set_up(_ask(ask, namespace))
        if ask["path"] == DEFINITIONS:
            name = ask["body"]["metadata"]["name"].replace("NAMESPACE", namespace)
            pair.await_established(f"{DEFINITIONS}/{name}")
    policies = [(name, one) for name, case in CASES["cases"].items() for one in _policies(name, case, namespace)]
    found = [line for name, one in policies for line in _differences(pair, name, one)]
    time.sleep(2 * SEEN_BY_THE_REAL_SERVER)
    for name, case in CASES["cases"].items():
        for number, wanted in enumerate(case.get("asks") or CASES["asks"]):
            found += _differences(pair, f"{name} {number}", _ask(_labelled(wanted, name), namespace))
    for _, one in policies:
        pair.ask(Ask("DELETE", f"{one.path}/{one.body['metadata']['name']}"))
    assert not found, "\n".join(found)


def _policies(name: str, case: dict[str, Any], namespace: str) -> Iterator[Ask]:
    """The policy of a case and its bindings."""
    word = "mutating" if "mutations" in case["policy"] else "validating"
    rule = {**CASES["rule"], "operations": ["CREATE", "UPDATE", *(["DELETE"] if word == "validating" else [])]}
    chosen = {"objectSelector": {"matchLabels": {"case": name, "of": "NAMESPACE"}}, "resourceRules": [rule]}
    spec = {
        "matchConstraints": chosen,
        **({"reinvocationPolicy": "Never"} if word == "mutating" else {}),
        **case["policy"],
    }
    policy = {"metadata": {"name": f"NAMESPACE-{name}"}, "spec": spec}
    yield _ask({"method": "POST", "path": f"{ROOT}/{word}admissionpolicies", "body": policy}, namespace)
    for number, binding in enumerate(case.get("bindings", [{}])):
        body: dict[str, Any] = {"policyName": f"NAMESPACE-{name}", **binding}
        if word == "validating":
            body.setdefault("validationActions", ["Deny"])
        bound = {"metadata": {"name": f"NAMESPACE-{name}-{number}"}, "spec": body}
        yield _ask({"method": "POST", "path": f"{ROOT}/{word}admissionpolicybindings", "body": bound}, namespace)


def _labelled(ask: dict[str, Any], name: str) -> dict[str, Any]:
    """The request with what chooses the policy of a case, if it sends an object."""
    body = ask.get("body")
    if ask["method"] != "POST" or not isinstance(body, dict):
        return ask
    meta = {**body["metadata"], "labels": {"case": name, "of": "NAMESPACE", **(body["metadata"].get("labels") or {})}}
    return {**ask, "body": {**body, "metadata": meta}}


def _ask(ask: dict[str, Any], namespace: str) -> Ask:
    body = json.loads(json.dumps(ask.get("body")).replace("NAMESPACE", namespace))
    return Ask(ask["method"], ask["path"].replace("NAMESPACE", namespace), body, ask.get("media", "application/json"))


def _differences(pair: Pair, name: str, ask: Ask) -> list[str]:
    real, ours = (_SUFFIX.sub("a-<random>", json.dumps(normal(_unowned(answer)))) for answer in pair.ask(ask))
    return [f"{name}: {line}" for line in differences(json.loads(real), json.loads(ours))]


def _unowned(answer: dict[str, Any]) -> dict[str, Any]:
    if isinstance(answer["body"], dict):
        (answer["body"].get("metadata") or {}).pop("managedFields", None)
    return answer
