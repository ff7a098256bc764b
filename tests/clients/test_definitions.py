"""The kinds of operators that people install install, validate, default and print: cert-manager's, Flux', Prometheus', Argo CD's."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from clients.conftest import HERE, environment
from kilde.testing.box import KildeCluster
from warm.program import warm_kilde

pytestmark = pytest.mark.slow
DEFINITIONS = HERE / "definitions"
KUBECTL = Path(sys.executable).with_name("kubectl")


class Said(NamedTuple):
    code: int
    out: str
    err: str


Kubectl = Callable[..., Said]


@pytest.fixture
def kubectl(box: KildeCluster, tmp_path: Path) -> Kubectl:
    def run(*words: str | Path, text: str = "") -> Said:
        env = environment(box, tmp_path)
        done = subprocess.run([KUBECTL, *words], input=text, env=env, capture_output=True, text=True, check=False)
        return Said(done.returncode, done.stdout, done.stderr)

    return run


def test_certificates(kubectl: Kubectl, box: KildeCluster) -> None:
    assert kubectl("apply", "-f", DEFINITIONS / "certificates.yaml").code == 0
    spec = {
        "secretName": "tls",
        "dnsNames": ["example.org"],
        "issuerRef": {"name": "ca"},
        "privateKey": {"algorithm": "ECDSA"},
    }
    body = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": "web"}, "spec": spec}
    assert kubectl("apply", "-f", "-", text=json.dumps(body)) == Said(
        0, "certificate.cert-manager.io/web created\n", ""
    )
    stored = box.get("cert/web")
    assert stored is not None
    assert stored["spec"]["privateKey"] == {"algorithm": "ECDSA", "rotationPolicy": "Always"}
    status = {
        "status": {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}
    }
    kubectl("patch", "cert", "web", "--subresource=status", "--type=merge", "-p", json.dumps(status))
    assert kubectl("get", "cert", "web", "-o", "wide").out.split()[:8] == [
        "NAME",
        "READY",
        "SECRET",
        "ISSUER",
        "AGE",
        "web",
        "True",
        "tls",
    ]
    assert (
        kubectl("wait", "--for=condition=Ready", "cert/web", "--timeout=5s").out
        == "certificate.cert-manager.io/web condition met\n"
    )
    assert kubectl("get", "cert", "--field-selector=spec.issuerRef.name=other", "-o", "name").out == ""
    assert kubectl("get", "cert-manager", "-o", "name").out == "certificate.cert-manager.io/web\n"

    wrong = {**body, "spec": {"dnsNames": "example.org", "usages": ["flying"], "privateKey": {"algorithm": "DSA"}}}
    told = kubectl("create", "-f", "-", text=json.dumps({**wrong, "metadata": {"name": "wrong"}})).err
    for part in (
        "spec.issuerRef: Required value",
        "spec.secretName: Required value",
        'spec.dnsNames: Invalid value: "string"',
        'spec.usages[0]: Unsupported value: "flying"',
        'spec.privateKey.algorithm: Unsupported value: "DSA": supported values: "RSA", "ECDSA", "Ed25519"',
    ):
        assert part in told


def test_kustomizations_and_helm_releases(kubectl: Kubectl, box: KildeCluster) -> None:
    assert kubectl("apply", "--server-side", "-f", DEFINITIONS / "kustomizations.yaml").code == 0
    spec: dict[str, Any] = {
        "interval": "10m",
        "prune": True,
        "path": "./apps",
        "sourceRef": {"kind": "GitRepository", "name": "g"},
    }
    body = {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": "apps"},
        "spec": spec,
    }
    assert kubectl("apply", "-f", "-", text=json.dumps(body)).code == 0
    stored = box.get("ks/apps")
    assert stored is not None
    assert (stored["spec"]["force"], stored["status"]) == (False, {"observedGeneration": -1})
    old = kubectl("get", "kustomizations.v1beta2.kustomize.toolkit.fluxcd.io", "apps", "-o", "jsonpath={.apiVersion}")
    assert old == Said(
        0, "kustomize.toolkit.fluxcd.io/v1beta2", "Warning: v1beta2 Kustomization is deprecated, upgrade to v1\n"
    )
    for change, complaint in (
        ({"interval": "soon"}, 'spec.interval: Invalid value: "soon": spec.interval in body should match'),
        ({"path": "/etc"}, "spec.path must be relative"),
        ({"sourceRef": {"kind": "Svn", "name": "s"}}, 'spec.sourceRef.kind: Unsupported value: "Svn"'),
        ({"targetNamespace": ""}, "spec.targetNamespace in body should be at least 1 chars long"),
    ):
        told = kubectl("patch", "ks", "apps", "--type=merge", "-p", json.dumps({"spec": change}))
        assert (told.code, complaint in told.err) == (1, True), told.err

    release = {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {"name": "r"}}
    values = {"any": {"thing": [1, "two", None, {"three": 3.5}]}}
    good = {"interval": "5m", "chartRef": {"kind": "OCIRepository", "name": "c"}, "values": values}
    assert kubectl("apply", "-f", "-", text=json.dumps({**release, "spec": good})).code == 0
    kept = box.get("hr/r")
    assert kept is not None
    assert kept["spec"]["values"] == values
    told = kubectl("patch", "hr", "r", "--type=merge", "-p", '{"spec":{"chart":{"spec":{"chart":"x"}}}}')
    assert "either chart or chartRef must be set" in told.err


def test_monitors(kubectl: Kubectl, box: KildeCluster) -> None:
    assert kubectl("apply", "-f", DEFINITIONS / "monitors.yaml").code == 0
    ends = [
        {"port": "http", "interval": "30s", "relabelings": [{"targetLabel": "a"}]},
        {"targetPort": 8080},
        {"targetPort": "web"},
    ]
    spec = {"selector": {"matchLabels": {"app": "web"}}, "endpoints": ends}
    body = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": "web"},
        "spec": spec,
    }
    assert kubectl("apply", "-f", "-", text=json.dumps(body)).code == 0
    stored = box.get("smon/web")
    assert stored is not None
    assert stored["spec"]["endpoints"][0]["relabelings"] == [{"action": "replace", "targetLabel": "a"}]
    assert [end.get("targetPort") for end in stored["spec"]["endpoints"]] == [None, 8080, "web"]
    told = kubectl(
        "patch", "smon", "web", "--type=merge", "-p", '{"spec":{"endpoints":[{"targetPort":true,"interval":"x"}]}}'
    )
    assert "spec.endpoints[0].targetPort: Invalid value" in told.err
    assert "spec.endpoints[0].interval: Invalid value" in told.err

    prom = {"apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus", "metadata": {"name": "k8s"}}
    requests = {"requests": {"memory": "400Mi", "cpu": 1}}
    assert (
        kubectl("apply", "-f", "-", text=json.dumps({**prom, "spec": {"shards": 1, "resources": requests}})).code == 0
    )
    assert kubectl("scale", "prometheus", "k8s", "--replicas=3").code == 0
    scaled = box.get("prom/k8s")
    assert scaled is not None
    assert scaled["spec"] == {"shards": 3, "resources": requests}


def test_argo_cds_kinds_as_kilde_installs_them(kubectl: Kubectl, box: KildeCluster) -> None:
    printed = subprocess.run([str(warm_kilde()), "install", "--crds"], check=True, capture_output=True, text=True)
    assert kubectl("apply", "--server-side", "-f", "-", text=printed.stdout).code == 0
    source = {"repoURL": "https://example.org/r.git", "path": "apps", "targetRevision": "main"}
    spec = {
        "project": "default",
        "source": source,
        "destination": {"namespace": "shop", "server": "https://kubernetes.default.svc"},
    }
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "shop"}, "spec": spec}
    assert kubectl("apply", "-f", "-", text=json.dumps(body)).code == 0
    assert kubectl("get", "app", "shop").out.split()[:3] == ["NAME", "SYNC", "STATUS"]
    told = kubectl("patch", "app", "shop", "--type=merge", "-p", '{"spec":{"project":null}}')
    assert "spec.project: Required value" in told.err
