"""Patches, deletions and what is stored of them, whatever the kind."""

from differential.found.requests import ACCOUNTS, BUDGETS, MAPS, POD, PODS, ROLES, SECRETS, WIDGET, WIDGETS
from differential.steps import JSON_PATCH, MERGE, STRATEGIC, Step

NOBODY = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": ""}

NULL_BYTES = {"metadata": {"name": "x"}, "binaryData": {"bin": None}}

DOCKER = {"metadata": {"name": "x"}, "type": "kubernetes.io/dockerconfigjson"}

HOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"

SEQUENCES: dict[str, list[Step]] = {
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
}
