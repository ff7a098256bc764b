"""Sequences about deletes, evictions, tokens and reviews, and requests that read: selectors, versions, pages, watches."""

from typing import Any

from differential.areas import DEPLOYMENTS, MAPS, PODS, Of, T
from differential.steps import MERGE, UID, VERSION, Step

_POD: dict[str, Any] = {"spec": {"containers": [{"name": "c", "image": "i"}]}}
_LABELLED = {"metadata": {"name": "x", "labels": {"a": "b"}}, **_POD}
BUDGETS = Of("apis/policy/v1", "poddisruptionbudgets", "PodDisruptionBudget")
ACCOUNTS = Of("api/v1", "serviceaccounts", "ServiceAccount")
JOBS = Of("apis/batch/v1", "jobs", "Job")
_EVICTION = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "x"}}


def _held(*finalizers: str) -> dict[str, Any]:
    return {"metadata": {"name": "x", "finalizers": list(finalizers)}}


def _delete(about: Of, body: Any = None, query: str = "") -> Step:
    return about.raw("DELETE", query, body)


def _token(**spec: Any) -> Step:
    return ACCOUNTS.raw("POST", "/token", {"spec": spec})


def _review(plural: str, **spec: Any) -> Step:
    path = f"/apis/authorization.k8s.io/v1/{plural}"
    return Step("POST", path, {"spec": spec}, about=path)


_OF = {"namespace": "{ns}", "verb": "get", "resource": "pods"}
_SUBJECT = {"user": "ann", "groups": ["g"]}

DELETES: dict[str, list[Step]] = {
    "preconditions and policies": [
        MAPS.post({"data": {"a": "1"}}),
        _delete(MAPS, {"preconditions": {"uid": "x"}}),
        _delete(MAPS, {"preconditions": {"resourceVersion": "1"}}),
        _delete(MAPS, {"preconditions": {"uid": UID, "resourceVersion": VERSION}, "dryRun": ["All"]}),
        _delete(MAPS, {"dryRun": ["x"]}),
        _delete(MAPS, None, "?dryRun=x"),
        _delete(MAPS, {"propagationPolicy": "X"}),
        _delete(MAPS, {"propagationPolicy": "Orphan", "orphanDependents": True}),
        _delete(MAPS, None, "?propagationPolicy=Orphan&orphanDependents=false"),
        _delete(MAPS, {"gracePeriodSeconds": -1}),
        _delete(MAPS, None, "?gracePeriodSeconds=x"),
        _delete(MAPS, {"apiVersion": "v1", "kind": "DeleteOptions", "bogus": 1}),
        _delete(MAPS, {"propagationPolicy": "Background"}, "?propagationPolicy=X"),
        _delete(MAPS, {"preconditions": {"uid": UID}}),
        MAPS.raw("GET"),
    ],
    "finalizers hold": [
        T.post(_held("a.b/c", "foregroundDeletion")),
        _delete(T, {"propagationPolicy": "Foreground"}),
        _delete(T, {"propagationPolicy": "Orphan"}),
        _delete(T, {"propagationPolicy": "Background"}),
        _delete(T, {"preconditions": {"resourceVersion": VERSION}, "gracePeriodSeconds": 5}),
        T.patch(MERGE, {"metadata": {"finalizers": ["a.b/c", "d.e/f"]}}),
        T.patch(MERGE, {"metadata": {"labels": {"a": "b"}}}),
        T.patch(MERGE, {"spec": {"name": "n"}}),
        T.patch(MERGE, {"status": {"phase": "x"}}, below="/status"),
        T.patch(MERGE, {"metadata": {"finalizers": []}}),
        T.raw("GET"),
        T.post(_held("Bad Finalizer")),
        T.post(_held("noslash")),
        T.post(_held("kubernetes", "a.b/c", "a.b/c")),
        DEPLOYMENTS.post(_held("noslash")),
        MAPS.post(_held("noslash", "orphan", "a.b/c")),
        MAPS.patch(MERGE, {"metadata": {"finalizers": ["a.b/c"]}}),
        _delete(MAPS, {"propagationPolicy": "Orphan"}),
        _delete(MAPS, {"propagationPolicy": "Foreground"}),
    ],
    "collections": [
        *(MAPS.post({"metadata": {"name": f"m{number}", "labels": {"n": str(number % 2)}}}) for number in range(4)),
        Step("DELETE", f"{MAPS.all}?labelSelector=n%3D0&dryRun=All", about=MAPS.one),
        Step("DELETE", f"{MAPS.all}?labelSelector=n%3D0&limit=1", about=MAPS.one),
        Step("DELETE", f"{MAPS.all}?fieldSelector=metadata.name%3Dm1", about=MAPS.one),
        Step("DELETE", f"{MAPS.all}?labelSelector=n%20x", about=MAPS.one),
        Step("DELETE", f"{MAPS.all}?fieldSelector=spec.x%3D1", about=MAPS.one),
        Step("DELETE", f"{MAPS.all}?resourceVersion=x", about=MAPS.one),
        Step("DELETE", f"{MAPS.all}?propagationPolicy=X", about=MAPS.one),
        Step("DELETE", MAPS.all, {"preconditions": {"uid": "x"}}, about=MAPS.one),
        Step("DELETE", MAPS.all, {"propagationPolicy": "Foreground"}, about=MAPS.one),
        Step("GET", MAPS.all, about=MAPS.one),
        Step("DELETE", "/api/v1/namespaces", about=MAPS.one),
        Step("DELETE", T.all, about=T.one),
    ],
    "pods have time to end": [
        PODS.post(_LABELLED),
        PODS.patch(MERGE, {"spec": {"nodeName": "n"}}),
        Step("POST", f"{PODS.one}/binding", {"target": {"name": "n"}}, about=PODS.one),
        Step("POST", f"{PODS.one}/binding", {"target": {"name": "o"}}, about=PODS.one),
        _delete(PODS, {"gracePeriodSeconds": 20}, "?dryRun=All"),
        _delete(PODS, {"gracePeriodSeconds": 20}),
        _delete(PODS, {"gracePeriodSeconds": 30}),
        _delete(PODS, {"gracePeriodSeconds": 5}),
        PODS.patch(MERGE, {"metadata": {"deletionGracePeriodSeconds": 1}}),
        PODS.patch(MERGE, {"status": {"phase": "Succeeded"}}, below="/status"),
        _delete(PODS, {"gracePeriodSeconds": 0}),
        PODS.raw("GET"),
    ],
    "evictions ask budgets": [
        PODS.post(_LABELLED),
        Step("POST", f"{PODS.one}/eviction", {**_EVICTION, "metadata": {"name": "y"}}, about=PODS.one),
        Step("POST", f"{PODS.one}/eviction", {**_EVICTION, "kind": "Pod"}, about=PODS.one),
        Step("POST", f"{PODS.one}/eviction", {**_EVICTION, "deleteOptions": {"dryRun": ["All"]}}, about=PODS.one),
        Step("POST", f"{PODS.one}/eviction", {**_EVICTION, "deleteOptions": {"dryRun": ["x"]}}, about=PODS.one),
        BUDGETS.post({"spec": {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}}),
        PODS.patch(
            MERGE,
            {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}},
            below="/status",
        ),
        Step("POST", f"{PODS.one}/eviction", _EVICTION, about=PODS.one),
        BUDGETS.patch(
            MERGE,
            {
                "status": {
                    "disruptionsAllowed": 0,
                    "observedGeneration": 1,
                    "currentHealthy": 1,
                    "desiredHealthy": 1,
                    "expectedPods": 1,
                }
            },
            below="/status",
        ),
        Step("POST", f"{PODS.one}/eviction", _EVICTION, about=PODS.one),
        BUDGETS.patch(MERGE, {"status": {"disruptionsAllowed": 1, "expectedPods": 1}}, below="/status"),
        Step(
            "POST",
            f"{PODS.one}/eviction",
            {**_EVICTION, "deleteOptions": {"preconditions": {"uid": "x"}}},
            about=PODS.one,
        ),
        Step("POST", f"{PODS.one}/eviction", {**_EVICTION, "deleteOptions": {"gracePeriodSeconds": 0}}, about=PODS.one),
        BUDGETS.raw("GET"),
        Step("POST", f"{PODS.one}/eviction", _EVICTION, about=PODS.one),
    ],
    "tokens": [
        ACCOUNTS.post({}),
        _token(),
        _token(audiences=["a", "b"], expirationSeconds=600),
        _token(expirationSeconds=599),
        _token(expirationSeconds=1 << 33),
        _token(expirationSeconds="x"),
        _token(boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "none"}),
        _token(boundObjectRef={"kind": "Thing", "apiVersion": "v1", "name": "none"}),
        _token(boundObjectRef={"kind": "Secret", "apiVersion": "v1", "name": "none", "uid": "x"}),
        PODS.post({"spec": {**_POD["spec"], "serviceAccountName": "x"}}),
        _token(boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "x"}),
        _token(boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "x", "uid": "y"}),
        Step("POST", f"{ACCOUNTS.all}/none/token", {"spec": {}}, about=ACCOUNTS.one),
        ACCOUNTS.raw("POST", "/token", {"kind": "Other", "spec": {}}),
        ACCOUNTS.raw("POST", "/token", {"metadata": {"name": "y"}, "spec": {}}),
        ACCOUNTS.raw("GET", "/token"),
    ],
    "reviews": [
        _review("selfsubjectaccessreviews", resourceAttributes=_OF),
        _review("selfsubjectaccessreviews"),
        _review(
            "selfsubjectaccessreviews", resourceAttributes=_OF, nonResourceAttributes={"path": "/x", "verb": "get"}
        ),
        _review("selfsubjectaccessreviews", nonResourceAttributes={"path": "/x", "verb": "get"}),
        _review("subjectaccessreviews", resourceAttributes=_OF),
        _review("subjectaccessreviews", resourceAttributes=_OF, **_SUBJECT),
        _review(
            "subjectaccessreviews", resourceAttributes={**_OF, "labelSelector": {"rawSelector": "a=b"}}, **_SUBJECT
        ),
        _review(
            "subjectaccessreviews",
            resourceAttributes={**_OF, "fieldSelector": {"requirements": [{"key": "a", "operator": "X"}]}},
            **_SUBJECT,
        ),
        _review("selfsubjectrulesreviews"),
        Step(
            "POST",
            "/apis/authorization.k8s.io/v1/namespaces/{ns}/localsubjectaccessreviews",
            {"spec": {"resourceAttributes": _OF, **_SUBJECT}},
        ),
        Step(
            "POST",
            "/apis/authorization.k8s.io/v1/namespaces/{ns}/localsubjectaccessreviews",
            {"spec": {"resourceAttributes": {**_OF, "namespace": "o"}, **_SUBJECT}},
        ),
        Step(
            "POST",
            "/apis/authorization.k8s.io/v1/namespaces/{ns}/localsubjectaccessreviews",
            {"spec": {"nonResourceAttributes": {"path": "/x", "verb": "get"}, **_SUBJECT}},
        ),
        Step("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": "nope"}}),
        Step("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {}}),
    ],
    "status and what it may not change": [
        JOBS.post({"spec": {"template": {"spec": {**_POD["spec"], "restartPolicy": "Never"}}}}),
        JOBS.patch(
            MERGE,
            {"status": {"active": 1, "startTime": "2024-01-01T00:00:00Z"}, "spec": {"parallelism": 7}},
            below="/status",
        ),
        JOBS.patch(MERGE, {"status": {"active": -1}}, below="/status"),
        JOBS.patch(MERGE, {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}, below="/status"),
        JOBS.patch(MERGE, {"status": {"completionTime": "2024-01-01T00:00:00Z"}}, below="/status"),
        JOBS.patch(MERGE, {"metadata": {"labels": {"a": "b"}, "annotations": {"a": "b"}}}, below="/status"),
        DEPLOYMENTS.post(
            {
                "spec": {
                    "selector": {"matchLabels": {"a": "b"}},
                    "template": {"metadata": {"labels": {"a": "b"}}, **_POD},
                }
            }
        ),
        DEPLOYMENTS.patch(MERGE, {"status": {"replicas": 2, "readyReplicas": 3}}, below="/status"),
        DEPLOYMENTS.patch(MERGE, {"status": {"replicas": -2}}, below="/status"),
        DEPLOYMENTS.patch(MERGE, {"metadata": {"labels": {"a": "b"}}, "status": {"replicas": 1}}, below="/status"),
        DEPLOYMENTS.patch(
            MERGE, {"status": {"conditions": [{"type": "Available", "status": "True"}]}}, below="/status"
        ),
        DEPLOYMENTS.patch(MERGE, {"status": None}, below="/status"),
        DEPLOYMENTS.patch(MERGE, {"spec": {"replicas": 3}}, below="/scale"),
        DEPLOYMENTS.patch(MERGE, {"spec": {"replicas": -3}}, below="/scale"),
        DEPLOYMENTS.put({"kind": "Scale", "apiVersion": "autoscaling/v1", "spec": {"replicas": 4}}, "", "/scale"),
        DEPLOYMENTS.put({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"name": "y"}}, "", "/scale"),
        DEPLOYMENTS.put(
            {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"name": "x", "resourceVersion": "1"}},
            "",
            "/scale",
        ),
        DEPLOYMENTS.raw("GET", "/scale"),
    ],
}

_PLACED = [
    MAPS.post({"metadata": {"name": f"m{number}", "labels": {"n": str(number), "odd": str(number % 2)}}})
    for number in range(5)
]
_SELECTORS = (
    *(
        f"labelSelector={text}"
        for text in (
            "n%3D1",
            "n%3D%3D1",
            "n!%3D1",
            "n%20in%20(1,2)",
            "n%20notin%20(1,2)",
            "n",
            "!n",
            "n%3E2",
            "n%3C2",
            "n,odd%3D1",
            "n%20in%20()",
            "n%20in%20(1",
            "n%3D",
            "%3D1",
            "n%20exists",
            "a/b/c%3D1",
            "n%3D-",
            "n%3Ex",
            "n%20in%20(,1)",
            "n%3D1,,odd",
            ",",
        )
    ),
    *(
        f"fieldSelector={text}"
        for text in (
            "metadata.name%3Dm1",
            "metadata.name!%3Dm1",
            "metadata.namespace%3Dnope",
            "metadata.uid%3Dx",
            "metadata.name",
            "%3Dx",
            "metadata.name%3Dm1,metadata.name%3Dm2",
            "metadata.name%3D",
            "metadata.name%3Dm%5C,1",
            "data.a%3Db",
            "metadata.name%20in%20(m1)",
        )
    ),
)
_VERSIONS = (
    "resourceVersion=0",
    "resourceVersion=1",
    "resourceVersion=x",
    "resourceVersion=-1",
    "resourceVersion=",
    "resourceVersion=0&resourceVersionMatch=NotOlderThan",
    "resourceVersion=0&resourceVersionMatch=Exact",
    "resourceVersion=1&resourceVersionMatch=NotOlderThan",
    "resourceVersionMatch=NotOlderThan",
    "resourceVersion=99999999&resourceVersionMatch=Exact",
    "resourceVersion=99999999",
    "limit=-1",
    "limit=x",
    "limit=2&resourceVersion=0",
    "limit=2&resourceVersionMatch=Exact",
    "timeoutSeconds=x",
    "sendInitialEvents=true",
    "watch=x&timeoutSeconds=1",
    "continue=x",
    "limit=1&labelSelector=odd%3D1",
)
READS: dict[str, list[Step]] = {
    "lists": [*_PLACED, *(Step("GET", f"{MAPS.all}?{query}") for query in (*_SELECTORS, *_VERSIONS))],
    "lists of a custom kind": [
        T.post({"metadata": {"name": "x", "labels": {"a": "b"}}, "spec": {"name": "n"}}),
        *(
            Step("GET", f"{T.all}?{query}")
            for query in (
                *_VERSIONS,
                "fieldSelector=spec.name%3Dn",
                "fieldSelector=spec.name!%3Dn",
                "fieldSelector=spec.replicas%3D1",
                "fieldSelector=metadata.name%3Dx,spec.name%3Dn",
            )
        ),
    ],
    "one object": [
        MAPS.post({"data": {"a": "1"}}),
        *(
            MAPS.raw("GET", f"?{query}")
            for query in (
                "resourceVersion=0",
                "resourceVersion=x",
                "resourceVersion=99999999",
                "pretty=true",
                "bogus=1",
            )
        ),
        *(Step("GET", f"{MAPS.all}/{name}") for name in ("none", "Bad_Name", "a%2Fb", "%20")),
        *(Step(method, MAPS.one, about=MAPS.one) for method in ("POST", "HEAD", "OPTIONS")),
    ],
}
_SOON = "watch=1&timeoutSeconds=1"
_BEGIN = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
WATCHES: dict[str, list[Step]] = {
    "watches": [
        *_PLACED[:3],
        *(
            Step("GET", f"{MAPS.all}?{_SOON}&{query}")
            for query in (
                "",
                "resourceVersion=0",
                "resourceVersion=x",
                "resourceVersion=99999999",
                "allowWatchBookmarks=true",
                _BEGIN,
                f"{_BEGIN}&allowWatchBookmarks=true",
                "labelSelector=odd%3D1",
                "fieldSelector=metadata.name%3Dm1",
                "labelSelector=n%20in",
                "limit=1",
                "continue=x",
                "resourceVersion=0&resourceVersionMatch=Exact",
                "sendInitialEvents=false&resourceVersionMatch=NotOlderThan",
                "sendInitialEvents=false&resourceVersionMatch=NotOlderThan&resourceVersion=0",
                f"{_BEGIN}&resourceVersion=0&allowWatchBookmarks=true",
                f"{_BEGIN}&resourceVersion=99999999",
                "sendInitialEvents=x",
            )
        ),
        Step("GET", f"{MAPS.all}/m1?{_SOON}"),
        Step("GET", f"{MAPS.all.replace('/v1/', '/v1/watch/')}?timeoutSeconds=1"),
        Step("GET", f"{MAPS.all.replace('/v1/', '/v1/watch/')}/m1?timeoutSeconds=1"),
        Step("GET", f"{MAPS.all}?watch=1&timeoutSeconds=3&allowWatchBookmarks=true&labelSelector=odd%3D1"),
    ],
}
