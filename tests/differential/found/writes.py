"""Patches, deletions and what is stored of them, whatever the kind."""

from typing import Any

from differential.found.requests import (
    ACCOUNTS,
    BUDGETS,
    DAEMON_SETS,
    ENDPOINTS,
    MAPS,
    POD,
    PODS,
    QUOTAS,
    ROLES,
    SECRETS,
    WIDGET,
    WIDGETS,
    deployment,
)
from differential.many import BEGIN, CONTINUE
from differential.steps import APPLY, JSON_PATCH, MERGE, STRATEGIC, Step

NOBODY = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": ""}

NULL_BYTES = {"metadata": {"name": "x"}, "binaryData": {"bin": None}}

DOCKER = {"metadata": {"name": "x"}, "type": "kubernetes.io/dockerconfigjson"}

HOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
QUOTA = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "x"}}
LIMITS = "/api/v1/namespaces/{ns}/limitranges"
DRIVERS = "/apis/storage.k8s.io/v1/csidrivers"
HOOK = f"{HOOKS}/{{ns}}-x"
UNVERSIONED: tuple[Any, ...] = (
    *({"note": "x", "name": "v", "b": 1}, {"name": 1}, {"name": "x", "labels": {"a": 1}}, {"name": "x", "spec": {}}),
    {"apiVersion": "v1", "name": "x"},
)
BYTES: tuple[Any, ...] = ([300], [1, 1.5], [True], [[]], [{"a": 1}], ["x", 300], [65, None])
_METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"


def hooked(bundle: Any, **more: Any) -> dict[str, Any]:
    """A configuration of one webhook that trusts this bundle."""
    called = {"url": "https://a.example.com", "caBundle": bundle}
    rules = {"admissionReviewVersions": ["v1"], "sideEffects": "None"}
    return {"webhooks": [{"name": "a.example.com", "clientConfig": called, **rules}], **more}


SEQUENCES: dict[str, list[Step]] = {
    "nothing, listed by its metadata": [
        Step("GET", f"{PODS.all}{query}", about=PODS.all, accept=_METADATA) for query in ("?resourceVersion=0", "")
    ],
    "a dry run that creates what is replaced tells the version that was sent": [
        Step("PUT", f"{LIMITS}/x{query}", {"metadata": {"name": "x", "resourceVersion": "7"}}, about=f"{LIMITS}/x")
        for query in ("?dryRun=All", "")
    ],
    "a patch that makes another kind of an object": [
        MAPS.post({"metadata": {"name": "x"}, "data": {"a": "b"}}),
        *(
            MAPS.patch(media, {**version, "kind": kind})
            for media in (MERGE, STRATEGIC)
            for version in ({}, {"apiVersion": None}, {"apiVersion": "apps/v1"})
            for kind in (
                "Secret",
                "Pod",
                "PodList",
                "Deployment",
                "Scale",
                "Status",
                "WatchEvent",
                "DeleteOptions",
                "PodExecOptions",
                "Nope",
            )
        ),
    ],
    "metadata moved to where texts are expected": [
        BUDGETS.post(
            {
                "metadata": {"name": "x", "finalizers": ["example.com/a"]},
                "spec": {"selector": {"matchLabels": {"a": "b"}}},
            }
        ),
        BUDGETS.patch(JSON_PATCH, [{"op": "move", "from": "/metadata", "path": "/spec/selector/matchLabels"}]),
        BUDGETS.patch(JSON_PATCH, [{"op": "copy", "from": "/metadata", "path": "/metadata/labels"}]),
        BUDGETS.patch(
            MERGE, {"metadata": {"b": 1, "a": 1}, "spec": {"selector": {"matchLabels": {"d": 1, "c": True}}}}
        ),
        BUDGETS.patch(STRATEGIC, {"spec": {"selector": 1, "minAvailable": {}}}),
    ],
    "an update that lets the last finalizer go answers what was sent": [
        ROLES.post({"metadata": {"name": "x", "finalizers": ["example.com/a"]}}),
        ROLES.delete(),
        ROLES.put({"metadata": {"name": "x"}, "rules": []}),
    ],
    "items without their key": [
        ACCOUNTS.post({"metadata": {"name": "x"}, "secrets": [{}]}),
        ACCOUNTS.patch(STRATEGIC, {"secrets": [], "metadata": None}),
        WIDGETS.post({**WIDGET, "spec": {"mlist": [None, {}]}}),
        WIDGETS.post({**WIDGET, "spec": {"ports": [None, {}]}}),
    ],
    "unknown fields of a custom resource are told by path": [
        WIDGETS.post({**WIDGET, "spec": {"nested": {"y": {"a": 1}}, "bogus": 1}}),
    ],
    "of length and pattern the first that is broken is told": [
        WIDGETS.post({**WIDGET, "spec": {"name": name}}) for name in ("", "A", "A-longer-name", "A-b")
    ],
    "null for bytes is another value than the empty one that was kept": [
        MAPS.post({**NULL_BYTES, "immutable": True}),
        MAPS.put({**NULL_BYTES, "immutable": True}),
        MAPS.put(NULL_BYTES),
        SECRETS.post({"metadata": {"name": "x"}, "data": {"a": None}, "immutable": True}),
        SECRETS.put({"metadata": {"name": "x"}, "data": {"a": None}, "immutable": True}),
        SECRETS.delete(),
        SECRETS.post({**DOCKER, "data": {".dockerconfigjson": "e30="}, "immutable": True}),
        SECRETS.put({**DOCKER, "data": {".dockerconfigjson": None}, "immutable": True}),
    ],
    "an object that is gone is told as it was stored last": [
        ACCOUNTS.post({"metadata": {"name": "x"}}),
        ACCOUNTS.delete({"propagationPolicy": "Foreground"}),
        ACCOUNTS.delete({"propagationPolicy": "Background"}),
        PODS.post({"metadata": {"name": "x"}, "spec": POD}),
        PODS.delete({"propagationPolicy": "Foreground"}),
        PODS.delete({"propagationPolicy": "Background"}),
    ],
    "a watch is told what was stored last, and not what let an object go": [
        MAPS.post({"metadata": {"name": "x", "finalizers": ["example.com/a"]}}),
        MAPS.delete(),
        MAPS.put({"metadata": {"name": "x"}, "data": {"a": "b"}}),
        Step("WATCH", f"{MAPS.all}?watch=true&resourceVersion=<<begin>>", about=MAPS.all),
    ],
    "metadata of hooks is judged as if it were new, and not as a change besides": [
        Step(
            "POST", HOOKS, {"metadata": {"name": "{ns}-x", "finalizers": ["example.com/a"]}}, about=f"{HOOKS}/{{ns}}-x"
        ),
        Step("DELETE", f"{HOOKS}/{{ns}}-x", about=f"{HOOKS}/{{ns}}-x"),
        Step(
            "PUT",
            f"{HOOKS}/{{ns}}-x",
            {"metadata": {"name": "{ns}-x", "labels": {"a": "b c"}, "finalizers": ["example.com/b"]}},
            about=f"{HOOKS}/{{ns}}-x",
        ),
    ],
    "new finalizers are told of before owners": [
        MAPS.post({"metadata": {"name": "x", "finalizers": ["example.com/a"]}}),
        MAPS.delete(),
        MAPS.patch(MERGE, {"metadata": {"finalizers": ["example.com/b"], "ownerReferences": [NOBODY]}}),
    ],
    "bytes that are a list are read one by one": [
        Step("POST", HOOKS, hooked(["A"], metadata={"name": "{ns}-x", "finalizers": ["example.com/a"]}), about=HOOK),
        Step("POST", HOOKS, hooked("", metadata={"name": "{ns}-x", "finalizers": ["example.com/a"]}), about=HOOK),
        Step(
            "PATCH",
            HOOK,
            [{"op": "copy", "from": "/metadata/finalizers", "path": "/webhooks/0/clientConfig/caBundle"}],
            JSON_PATCH,
            HOOK,
        ),
        *(SECRETS.post({"metadata": {"name": "x"}, "data": {"a": value}}) for value in BYTES),
        SECRETS.patch(MERGE, {"data": {"b": [-1, "x"]}}),
    ],
    "what has no version is read into a type without one": [
        QUOTAS.post({"metadata": {"name": "x"}, "spec": {"hard": {"pods": "1"}}}),
        *(QUOTAS.patch(JSON_PATCH, [{"op": "replace", "path": "", "value": value}]) for value in UNVERSIONED),
        *(QUOTAS.patch(JSON_PATCH, [{"op": "remove", "path": path}]) for path in ("/apiVersion", "/kind")),
        QUOTAS.patch(MERGE, {"apiVersion": None, "name": "x", "labels": {"a": "b"}}),
        QUOTAS.patch(MERGE, {"apiVersion": None, "name": "x", "labels": 1, "finalizers": [1]}),
        PODS.post({"metadata": {"name": "x"}, "spec": POD}),
        PODS.patch(MERGE, {"apiVersion": None, "name": "y", "bogus": 1}),
        PODS.patch(MERGE, {"apiVersion": None, "kind": None}),
    ],
    "a namespace is deleted only if it is the one that is meant": [
        Step("DELETE", "/api/v1/namespaces/{ns}", {"preconditions": both}, about="/api/v1/namespaces/{ns}")
        for both in ({"uid": "x"}, {"uid": "x", "resourceVersion": "1"})
    ],
    "unknown fields of a custom resource's metadata are told in the alphabet's order": [
        WIDGETS.post({**WIDGET, "metadata": {"name": "x", "b": 1, "ownerReferences": [{**NOBODY, "z": 1}], "a": 1}}),
    ],
    "a deletion that waits counts a generation where there is one": [
        Step("POST", DRIVERS, {"metadata": {"name": "{ns}-x"}, "spec": {}}, about=f"{DRIVERS}/{{ns}}-x"),
        Step("PATCH", f"{DRIVERS}/{{ns}}-x", {"spec": {"requiresRepublish": True}}, MERGE, f"{DRIVERS}/{{ns}}-x"),
        Step("DELETE", f"{DRIVERS}/{{ns}}-x", {"propagationPolicy": "Orphan"}, about=f"{DRIVERS}/{{ns}}-x"),
        MAPS.post({"metadata": {"name": "x", "generation": 3}}),
        MAPS.delete({"propagationPolicy": "Orphan"}),
        BUDGETS.post({"metadata": {"name": "x"}}),
        BUDGETS.delete({"propagationPolicy": "Foreground"}),
    ],
    "what is not applied must be readable all the same": [
        *(QUOTAS.patch(APPLY, {**QUOTA, "status": {"hard": {"pods": amount}}}) for amount in ("1", "x")),
        QUOTAS.patch(APPLY, {**QUOTA, "spec": {"hard": {"pods": "2"}}, "status": {"hard": {"pods": "x"}}}),
        QUOTAS.patch(APPLY, {**QUOTA, "spec": {"hard": {"pods": "3"}}, "status": {"hard": {"pods": "1"}}}),
        QUOTAS.patch(APPLY, {**QUOTA, "spec": {"hard": {"pods": "x"}}, "status": {"hard": {"pods": "4"}}}, "/status"),
    ],
    "metadata alone has no annotation that only a version has": [
        DAEMON_SETS.post({"metadata": {"name": "x"}, "spec": deployment()["spec"] | {"replicas": None}}),
        *(
            Step("GET", path, about=DAEMON_SETS.all, accept=f"application/json;as={form};v=v1;g=meta.k8s.io")
            for path, form in (
                (f"{DAEMON_SETS.all}/x", "PartialObjectMetadata"),
                (DAEMON_SETS.all, "PartialObjectMetadataList"),
            )
        ),
        Step(
            "WATCH",
            f"{DAEMON_SETS.all}?watch=true&resourceVersion={BEGIN}",
            about=DAEMON_SETS.all,
            accept="application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
        ),
    ],
    "one object by its name is listed as it is now": [
        MAPS.post({"metadata": {"name": "x"}}),
        *(
            Step("GET", f"{MAPS.all}?limit=5&resourceVersion={BEGIN}{wanted}", about=MAPS.all)
            for wanted in ("", "&fieldSelector=metadata.name%3Dx", "&labelSelector=a")
        ),
    ],
    "a key for SSH that is empty is none": [
        SECRETS.post(
            {"metadata": {"name": "x"}, "type": "kubernetes.io/ssh-auth", "stringData": {"ssh-privatekey": ""}}
        ),
    ],
    "unknown fields of a strategic patch are told in the alphabet's order": [
        ENDPOINTS.post({"metadata": {"name": "x"}}),
        ENDPOINTS.patch(STRATEGIC, {"b": 1, "subsets": [{"c": 1, "ports": [{"port": 1, "x": 1}]}], "a": 1}),
        MAPS.post({"metadata": {"name": "x"}}),
        MAPS.patch(STRATEGIC, {"z": 1, "metadata": {"b": 1, "a": {}}, "binary": 1}),
        Step("PATCH", f"{MAPS.all}/x?fieldValidation=Strict", {"z": 1, "metadata": {"b": 1}}, STRATEGIC, MAPS.all),
    ],
    "a list in parts goes on while there are objects, wanted or not": [
        *(MAPS.post({"metadata": {"name": name, "labels": {"n": name}}}) for name in "abc"),
        *(
            Step("GET", f"{MAPS.all}?limit=1&{wanted}", about=MAPS.all)
            for wanted in (
                *("labelSelector=n%3Da", "labelSelector=n%3Dc", "labelSelector=n%3Dd"),
                *("fieldSelector=metadata.name%3Da", "fieldSelector=metadata.name%21%3Da"),
            )
        ),
        Step("GET", f"{MAPS.all}?limit=1&labelSelector=n%3Da&continue={CONTINUE}", about=MAPS.all),
        Step("GET", f"{MAPS.all}?limit=1&fieldSelector=metadata.name%3Dc&continue={CONTINUE}", about=MAPS.all),
    ],
}
