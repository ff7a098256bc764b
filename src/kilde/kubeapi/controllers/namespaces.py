"""What every namespace has: the ServiceAccount `default` and the ConfigMap `kube-root-ca.crt`, put back when they go."""

from functools import partial

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.cache import ROOT_CA
from kilde.kubeapi.controllers.metadata import annotations_of, deleting, name_of, namespace_of, with_metadata
from kilde.kubeapi.controllers.steps import (
    NOTHING,
    Controller,
    Create,
    Key,
    Moment,
    Step,
    Trigger,
    Update,
    View,
    Write,
    itself,
)

_DESCRIPTION = {
    "kubernetes.io/description": (
        "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the"
        " internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes"
        " clusters."
    )
}


def controller(ca: str) -> Controller:
    """`ca` is the PEM of the certificate authority that signed the server's certificate."""
    triggers = {"namespaces": itself, "serviceaccounts": _named("default"), "configmaps": _named(ROOT_CA)}
    return Controller("namespace-content", partial(_reduce, ca), triggers)


def _named(name: str) -> Trigger:
    def trigger(obj: Object, view: View) -> list[Key]:
        return [Key("", namespace_of(obj))] if name_of(obj) == name else []

    return trigger


def _reduce(ca: str, key: Key, view: View, moment: Moment) -> Step:
    namespace = view.get("namespaces", "", key.name)
    if namespace is None or deleting(namespace):
        return NOTHING
    writes: list[Write] = []
    if view.get("serviceaccounts", key.name, "default") is None:
        writes.append(Create("serviceaccounts", _body("ServiceAccount", key.name, "default")))
    have = view.get("configmaps", key.name, ROOT_CA)
    wanted = {**_body("ConfigMap", key.name, ROOT_CA), "data": {"ca.crt": ca}}
    if have is None:
        wanted["metadata"]["annotations"] = _DESCRIPTION
        writes.append(Create("configmaps", wanted))
    elif have.get("data") != wanted["data"]:
        fixed = with_metadata(have, annotations={**annotations_of(have), **_DESCRIPTION})
        writes.append(Update("configmaps", {**fixed, "data": wanted["data"]}))
    return Step(tuple(writes))


def _body(kind: str, namespace: str, name: str) -> Object:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}}
