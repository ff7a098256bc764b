"""What a control plane puts into its storage when it starts, beside namespaces: default roles, flow control, its address, accounts."""

import base64
import lzma
from typing import Any

import msgspec

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers import flow_control
from kilde.kubeapi.controllers.bootstrap.accounts import accounts
from kilde.kubeapi.interface import Api, ApiError

_MANAGER = "kube-apiserver"
_PRODUCER = "api-priority-and-fairness-config-producer-v1"
_FLOW, _NETWORK = "flowcontrol.apiserver.k8s.io", "networking.k8s.io"
_AUTHENTICATION: Object = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "extension-apiserver-authentication", "namespace": "kube-system"},
}
_RANGE: Object = {
    "apiVersion": f"{_NETWORK}/v1",
    "kind": "ServiceCIDR",
    "spec": {"cidrs": ["10.0.0.0/16"]},
}
_GUARDED: Object = {"finalizers": [f"{_NETWORK}/service-cidr-finalizer"]}


async def bootstrap(api: Api, ca: str, *, controlled: str = "") -> None:
    """Creates what is missing; what is there is left as its owner wants it. `ca`: the PEM that client certificates need.

    `controlled`: the version of the controllers, if there are any; they guard the range of Services and have accounts.
    """
    for resource, body in _wanted(ca, controlled):
        if not await _ensured(api, resource, body):
            continue
        if resource == flow_control.SCHEMAS:
            await _told(api, resource, body, flow_control.MANAGER, _found(body))
        elif body["kind"] == "ServiceCIDR":
            words = f"Kubernetes {'' if controlled else 'default '}Service CIDR is ready"
            await _told(api, resource, body, "kubernetes-service-cidr-controller", {"type": "Ready", "message": words})


async def _ensured(api: Api, resource: str, body: Object) -> bool:
    """Whether the object had to be made."""
    namespace, name = body["metadata"].get("namespace", ""), body["metadata"]["name"]
    try:
        await api.get(resource, namespace, name)
    except ApiError as missing:
        if missing.status != 404:
            raise
    else:
        return False
    try:
        await api.create(resource, namespace, body, manager=_PRODUCER if resource.endswith(_FLOW) else _MANAGER)
    except ApiError as refused:
        if refused.reason != "AlreadyExists":
            raise
        return False
    return True


def _found(schema: Object) -> Object:
    """The condition of a FlowSchema whose level there is."""
    status, reason, message = flow_control.words(flow_control.level_of(schema), there=True)
    return {"type": "Dangling", "status": status, "reason": reason, "message": message}


async def _told(api: Api, resource: str, body: Object, manager: str, condition: Object) -> None:
    now = (await api.get(resource, "", body["metadata"]["name"]))["metadata"]["creationTimestamp"]
    whole = {"status": "True", "lastTransitionTime": now, "reason": "", **condition}
    head = {key: body[key] for key in ("apiVersion", "kind")}
    status: Object = {**head, "metadata": {"name": body["metadata"]["name"]}, "status": {"conditions": [whole]}}
    await api.apply(resource, status, manager=manager, subresource="status")


def _wanted(ca: str, controlled: str) -> list[tuple[str, Object]]:
    from kilde.kubeapi.controllers.bootstrap._objects import PACKED  # needed once in the life of a process

    raw = lzma.decompress(base64.b85decode(PACKED))
    return [
        *msgspec.json.decode(raw, type=list[tuple[str, dict[str, Any]]]),
        ("configmaps", {**_AUTHENTICATION, "data": {"client-ca-file": ca} if ca else {}}),
        (
            f"servicecidrs.{_NETWORK}",
            {**_RANGE, "metadata": {"name": "kubernetes", **(_GUARDED if controlled else {})}},
        ),
        *(("serviceaccounts", body) for body in (accounts(controlled) if controlled else ())),
    ]
