"""`kilde cluster --audit-log`: what is asked is recorded as the policy says, and a Secret only as far as it says."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from warm.program import warm_kilde

pytestmark = pytest.mark.slow
KUBECTL = str(Path(sys.executable).with_name("kubectl"))
POLICY: dict[str, Any] = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "None", "nonResourceURLs": ["/api*", "/openapi/*", "/version"]},
        {"level": "Metadata", "resources": [{"group": "", "resources": ["secrets"]}]},
        {"level": "Request", "verbs": ["create", "patch"], "resources": [{"group": "", "resources": ["configmaps"]}]},
        {"level": "Metadata", "namespaces": ["default"], "verbs": ["get", "watch"]},
    ],
}


@contextmanager
def cluster(folder: Path, policy: Any = None, *more: str) -> Iterator[tuple[Path, Path]]:
    """A running cluster: (kubeconfig, audit log)."""
    config, log = folder / "kubeconfig", folder / "audit.log"
    words = ["--ephemeral", "--controllers", "off", "--kubeconfig-out", str(config), "--audit-log", str(log), *more]
    if policy is not None:
        (folder / "policy.yaml").write_text(yaml.safe_dump(policy))
        words += ["--audit-policy", str(folder / "policy.yaml")]
    command = [str(warm_kilde()), "cluster", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline() == "ready\n"
            yield config, log
        finally:
            running.send_signal(signal.SIGTERM)


def kubectl(config: Path, *words: str) -> int:
    return subprocess.run([KUBECTL, "--kubeconfig", config, *words], capture_output=True, check=False).returncode


def events(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def told(event: dict[str, Any]) -> tuple[Any, ...]:
    reference = event.get("objectRef", {})
    code = event.get("responseStatus", {}).get("code")
    return event["level"], event["stage"], event["verb"], reference.get("resource"), reference.get("name"), code


def test_the_policy_says_what_is_recorded(tmp_path: Path) -> None:
    with cluster(tmp_path, POLICY) as (config, log):
        assert kubectl(config, "create", "secret", "generic", "s", "--from-literal=p=hidden") == 0
        assert kubectl(config, "create", "configmap", "c", "--from-literal=k=shown") == 0
        assert kubectl(config, "patch", "configmap", "c", "--type=merge", "-p", '{"data":{"k":"other"}}') == 0
        assert kubectl(config, "get", "pod", "none") != 0
        assert kubectl(config, "get", "configmaps", "--as=jane", "--as-group=g") != 0
        assert kubectl(config, "delete", "configmap", "c", "--wait=false") == 0
        kubectl(config, "get", "configmaps", "--watch-only", "--request-timeout=1s")
        deadline = time.monotonic() + 10
        while not any(event["stage"] == "ResponseComplete" and event["verb"] == "watch" for event in events(log)):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    found = events(log)

    assert stat.S_IMODE(os.stat(log).st_mode) == 0o600
    assert "hidden" not in log.read_text()
    assert "aGlkZGVu" not in log.read_text()
    assert [told(event) for event in found] == [
        ("Metadata", "ResponseComplete", "create", "secrets", "s", 201),
        ("Request", "ResponseComplete", "create", "configmaps", "c", 201),
        ("Metadata", "ResponseComplete", "get", "configmaps", "c", 200),
        ("Request", "ResponseComplete", "patch", "configmaps", "c", 200),
        ("Metadata", "ResponseComplete", "get", "pods", "none", 404),
        ("Metadata", "ResponseStarted", "watch", "configmaps", None, 200),
        ("Metadata", "ResponseComplete", "watch", "configmaps", None, 200),
    ]
    made, patched = found[1], found[3]
    assert made["requestObject"]["data"] == {"k": "shown"}
    assert patched["requestObject"] == {"data": {"k": "other"}}
    assert made["objectRef"] == {
        "resource": "configmaps",
        "namespace": "default",
        "name": "c",
        "apiVersion": "v1",
    }
    assert made["user"] == {"username": "kilde-admin", "groups": ["system:masters", "system:authenticated"]}
    assert made["requestURI"].startswith("/api/v1/namespaces/default/configmaps?fieldManager=kubectl-create")
    assert made["sourceIPs"] == ["127.0.0.1"]
    assert found[5]["auditID"] == found[6]["auditID"]


def test_answers_and_decisions_are_recorded_like_a_real_server_does(tmp_path: Path) -> None:
    policy = {
        **POLICY,
        "omitManagedFields": True,
        "rules": [
            {"level": "None", "nonResourceURLs": ["*"]},
            {"level": "RequestResponse", "resources": [{"group": "", "resources": ["configmaps"]}]},
        ],
    }
    with cluster(tmp_path, policy) as (config, log):
        assert kubectl(config, "create", "configmap", "c", "--from-literal=k=shown") == 0
        assert kubectl(config, "create", "role", "r", "--verb=get", "--resource=configmaps") == 0
        assert kubectl(config, "create", "rolebinding", "b", "--role=r", "--user=jane") == 0
        assert kubectl(config, "get", "configmap", "c", "-o", "yaml", "--as=jane") == 0
        assert kubectl(config, "get", "configmaps", "-o", "yaml") == 0
        assert kubectl(config, "get", "configmap", "c", "--as=joe") != 0
        assert kubectl(config, "get", "configmaps", "--watch-only", "--request-timeout=1s") in (0, 1)
        deadline = time.monotonic() + 30
        while not any(event["verb"] == "watch" and event["stage"] == "ResponseComplete" for event in events(log)):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    made, read, listed, refused, *watched = events(log)

    assert [event["level"] for event in (made, read, listed, refused)] == ["RequestResponse"] * 4
    assert made["annotations"] == {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""}
    assert made["responseObject"]["data"] == made["requestObject"]["data"] == {"k": "shown"}
    assert made["responseObject"]["metadata"]["uid"]
    assert read["responseObject"] == made["responseObject"]
    assert read["annotations"] == {
        "authorization.k8s.io/decision": "allow",
        "authorization.k8s.io/reason": 'RBAC: allowed by RoleBinding "b/default" of Role "r" to User "jane"',
    }
    assert listed["responseObject"]["kind"] == "ConfigMapList"
    assert not any("managedFields" in item["metadata"] for item in listed["responseObject"]["items"])
    assert refused["annotations"] == {"authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": ""}
    assert (refused["responseObject"]["kind"], refused["responseObject"]["code"]) == ("Status", 403)
    assert not any("responseObject" in event for event in watched if event["verb"] == "watch")


def test_without_a_policy_everything_is_recorded_without_bodies(tmp_path: Path) -> None:
    with cluster(tmp_path) as (config, log):
        assert kubectl(config, "create", "secret", "generic", "s", "--from-literal=p=hidden") == 0
        assert kubectl(config, "get", "configmaps", "--as=jane", "--as-group=g") != 0
        assert kubectl(config, "get", "configmaps", "--token=wrong") != 0
    found = events(log)
    assert {event["level"] for event in found} == {"Metadata"}
    assert not any("requestObject" in event for event in found)
    assert ("Metadata", "RequestReceived", "create", "secrets", None, None) in map(told, found)
    refused = [event for event in found if event.get("responseStatus", {}).get("code") == 403]
    assert refused
    assert {event["user"]["username"] for event in refused} == {"kilde-admin"}
    assert [event["user"] for event in found if event.get("responseStatus", {}).get("code") == 401][:1] == [{}]


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ({"kind": "Policy"}, "policy.yaml: it is no Policy of audit.k8s.io/v1"),
        ({**POLICY, "rules": []}, "the policy has no rules"),
        ({**POLICY, "rules": [{"level": "All"}]}, "rules[0]: level is not one of None, Metadata"),
        ({**POLICY, "rules": [{"level": "None", "user": ["x"]}]}, 'rules[0]: unknown field "user"'),
        ({**POLICY, "omitStages": ["End"]}, "omitStages: End is not one of"),
        ({**POLICY, "rules": [{"level": "None", "verbs": "get"}]}, "rules[0]: verbs: it is not a list of texts"),
        (
            {**POLICY, "rules": [{"level": "None", "namespaces": ["a"], "nonResourceURLs": ["/"]}]},
            "rules cannot apply to both",
        ),
    ],
)
def test_a_policy_that_is_wrong_is_refused(tmp_path: Path, policy: Any, why: str) -> None:
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump(policy))
    words = ["--ephemeral", "--audit-log", tmp_path / "log", "--audit-policy", tmp_path / "policy.yaml"]
    command = [str(warm_kilde()), "cluster", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode != 0
    assert why in done.stderr
    assert "Traceback" not in done.stderr


def test_values_of_secrets_and_tokens_are_never_recorded(tmp_path: Path) -> None:
    policy = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "RequestResponse"}]}
    with cluster(tmp_path, policy) as (config, log):
        assert kubectl(config, "create", "secret", "generic", "s", "--from-literal=p=canary-value") == 0
        assert kubectl(config, "get", "secrets", "-o", "yaml") == 0
        assert kubectl(config, "create", "serviceaccount", "bot") == 0
        assert kubectl(config, "create", "token", "bot") == 0
        assert kubectl(config, "create", "configmap", "c", "--from-literal=k=shown-value") == 0
    text = log.read_text()
    assert "shown-value" in text
    assert "canary-value" not in text
    assert "Y2FuYXJ5LXZhbHVl" not in text  # the same in base64
    assert '"token"' not in text.replace('"subresource":"token"', "")


def test_the_log_is_put_aside_when_it_is_large_and_nothing_is_lost(tmp_path: Path) -> None:
    with cluster(tmp_path, None, "--audit-max-size", "1", "--audit-max-backups", "20") as (config, log):
        for number in range(3):
            manifest = tmp_path / f"{number}.yaml"
            names = [f"n{number}-{index}" for index in range(100)]
            objects = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}} for name in names]
            manifest.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": objects}))
            assert kubectl(config, "create", "-f", str(manifest)) == 0
            with log.open("ab") as file:  # as if there had been many more requests
                file.write(json.dumps({"stage": "padding", "text": "x" * 1024 * 1024}).encode() + b"\n")
    aside = sorted(path for path in tmp_path.glob("audit-*.log"))
    assert aside
    found = [event for path in [*aside, log] for event in events(path)]
    made = {told(event)[4] for event in found if "level" in event and told(event)[2:4] == ("create", "configmaps")}
    assert {f"n{number}-{index}" for number in range(3) for index in range(100)} <= made


def test_limits_need_a_log(tmp_path: Path) -> None:
    command = [str(warm_kilde()), "cluster", "--ephemeral", "--audit-max-size", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert "need --audit-log FILE" in done.stderr
