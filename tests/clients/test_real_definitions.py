"""The CustomResourceDefinitions of Argo CD, Flux, cert-manager and the Prometheus operator, as they are published, install and validate."""

import json
from typing import Any

import pytest
from build_real import definitions

from clients.test_definitions import Kubectl, Said
from clients.test_definitions import kubectl as kubectl
from kilde.testing.box import KildeCluster

pytestmark = pytest.mark.slow


def made(api_version: str, kind: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "namespace": "default"}, "spec": spec}


SOURCE = {"repoURL": "https://example.org/r.git", "path": "apps", "targetRevision": "HEAD"}
TEMPLATE = {"metadata": {"name": "{{a}}"}, "spec": {"project": "default", "source": SOURCE, "destination": {}}}
RULE = {"alert": "Down", "expr": "up == 0", "for": "5m", "labels": {"severity": "page"}}
GOOD = [
    made("argoproj.io/v1alpha1", "Application", project="default", source=SOURCE, destination={"namespace": "shop"}),
    made(
        "argoproj.io/v1alpha1", "ApplicationSet", generators=[{"list": {"elements": [{"a": "b"}]}}], template=TEMPLATE
    ),
    made("argoproj.io/v1alpha1", "AppProject", sourceRepos=["*"], destinations=[{"namespace": "*", "server": "*"}]),
    made(
        "source.toolkit.fluxcd.io/v1",
        "GitRepository",
        interval="1m",
        url="https://example.org/r",
        ref={"branch": "main"},
    ),
    made(
        "kustomize.toolkit.fluxcd.io/v1",
        "Kustomization",
        interval="10m",
        prune=True,
        sourceRef={"kind": "GitRepository", "name": "x"},
    ),
    made("cert-manager.io/v1", "Certificate", secretName="tls", dnsNames=["example.org"], issuerRef={"name": "ca"}),
    made("cert-manager.io/v1", "ClusterIssuer", selfSigned={}),
    made("monitoring.coreos.com/v1", "PrometheusRule", groups=[{"name": "g", "rules": [RULE]}]),
    made(
        "monitoring.coreos.com/v1",
        "Prometheus",
        replicas=2,
        retention="10d",
        resources={"requests": {"memory": "400Mi"}},
    ),
    made(
        "monitoring.coreos.com/v1",
        "ServiceMonitor",
        selector={"matchLabels": {"a": "b"}},
        endpoints=[{"targetPort": 80}],
    ),
]
WRONG = [
    ("gitrepository", {"url": "ftp://x"}, 'spec.url: Invalid value: "ftp://x": spec.url in body should match'),
    ("gitrepository", {"serviceAccountName": "x"}, "serviceAccountName can only be set when provider is"),
    ("kustomizations.kustomize.toolkit.fluxcd.io", {"interval": "soon"}, 'spec.interval: Invalid value: "soon"'),
    ("certificate", {"issuerRef": None}, "spec.issuerRef: Required value"),
    ("certificate", {"privateKey": {"algorithm": "DSA"}}, "spec.privateKey.algorithm: Unsupported value"),
    (
        "prometheusrule",
        {"groups": [{"name": "g", "rules": [{"expr": "x", "for": "soon"}]}]},
        "rules[0].for: Invalid value",
    ),
    ("prometheus", {"retentionSize": "big"}, 'spec.retentionSize: Invalid value: "big"'),
    ("servicemonitor", {"endpoints": [{"scheme": "ftp"}]}, "spec.endpoints[0].scheme: Unsupported value"),
    ("application", {"project": None}, "spec.project: Required value"),
]


def test_they_install_take_what_is_right_and_refuse_what_is_not(kubectl: Kubectl, box: KildeCluster) -> None:
    if not definitions().is_dir():
        pytest.skip("not fetched: definitions (make real)")
    for folder in sorted(definitions().iterdir()):
        told = kubectl("apply", "--server-side", "-f", folder)
        assert told.code == 0, told.err
    every = [one for one in box.all("customresourcedefinitions") if one["spec"]["group"] != "sim.kilde.dev"]
    assert len(every) == 26
    for one in every:
        conditions = {(found["type"], found["status"]) for found in one["status"]["conditions"]}
        assert conditions == {("NamesAccepted", "True"), ("Established", "True")}, one["metadata"]["name"]

    told = kubectl("apply", "-f", "-", text="\n---\n".join(map(json.dumps, GOOD)))
    assert (told.code, told.err, told.out.count(" created\n")) == (0, "", len(GOOD))
    for target, change, complaint in WRONG:
        told = kubectl("patch", target, "x", "--type=merge", "-p", json.dumps({"spec": change}))
        assert (told.code, complaint in told.err) == (1, True), told
    told = kubectl("explain", "certificate.spec.issuerRef")
    assert told.code == 0
    assert "FIELD: issuerRef <Object> DESCRIPTION: Reference to the issuer" in " ".join(told.out.split())
    assert kubectl("get", "app,gitrepo,ks,cert,prom", "-o", "name") == Said(
        0,
        "application.argoproj.io/x\ngitrepository.source.toolkit.fluxcd.io/x\nkustomization.kustomize.toolkit.fluxcd.io/x\n"
        "certificate.cert-manager.io/x\nprometheus.monitoring.coreos.com/x\n",
        "",
    )
