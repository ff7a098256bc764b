"""Discovery over the wire: aggregated where the server can, group by group where it cannot."""

from typing import Any

import pytest

from adapters.cluster.api import ScriptedApi
from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster.access import Access
from kilde.adapters.cluster.client import KubeCluster
from kilde.core.basics.errors import ClusterError
from kilde.ports.cluster import Resource

pytestmark = pytest.mark.anyio

VERBS = ["get", "list", "watch"]
EXPECTED = [
    Resource("", "v1", "Pod", "pods", True, frozenset(VERBS), ("po",), "pod", ("all",)),
    Resource("", "v1", "Namespace", "namespaces", False, frozenset(VERBS), (), "namespace", ()),
    Resource(
        "autoscaling",
        "v2",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        True,
        frozenset(VERBS),
        ("hpa",),
        "",
        (),
    ),
]


def entry(kind: str, plural: str, scope: str, **more: Any) -> dict[str, Any]:
    return {
        "resource": plural,
        "responseKind": {"group": "", "version": "", "kind": kind},
        "scope": scope,
        "verbs": VERBS,
        **more,
    }


HPA = entry("HorizontalPodAutoscaler", "horizontalpodautoscalers", "Namespaced", shortNames=["hpa"])
AGGREGATED = {
    "/api": {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": [
            {
                "metadata": {"creationTimestamp": None},
                "versions": [
                    {
                        "version": "v1",
                        "freshness": "Current",
                        "resources": [
                            entry(
                                "Pod",
                                "pods",
                                "Namespaced",
                                singularResource="pod",
                                shortNames=["po"],
                                categories=["all"],
                                subresources=[{"subresource": "status", "verbs": ["get"]}],
                            ),
                            entry("Namespace", "namespaces", "Cluster", singularResource="namespace"),
                            {"resource": "bindings", "scope": "Namespaced", "verbs": ["create"]},
                        ],
                    }
                ],
            }
        ],
    },
    "/apis": {
        "kind": "APIGroupDiscoveryList",
        "items": [
            {
                "metadata": {"name": "autoscaling"},
                "versions": [{"version": "v2", "resources": [HPA]}, {"version": "v1", "resources": [HPA]}],
            },
            {"metadata": {"name": "metrics.k8s.io"}, "versions": [{"version": "v1beta1", "freshness": "Stale"}]},
        ],
    },
}


def listed(kind: str, plural: str, *, namespaced: bool, **more: Any) -> dict[str, Any]:
    return {"name": plural, "kind": kind, "namespaced": namespaced, "verbs": VERBS, **more}


LEGACY = {
    "/api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
    "/apis": {
        "kind": "APIGroupList",
        "groups": [
            {
                "name": "autoscaling",
                "versions": [
                    {"groupVersion": "autoscaling/v1", "version": "v1"},
                    {"groupVersion": "autoscaling/v2", "version": "v2"},
                ],
                "preferredVersion": {"groupVersion": "autoscaling/v2", "version": "v2"},
            },
            {"name": "metrics.k8s.io", "versions": [{"groupVersion": "metrics.k8s.io/v1beta1", "version": "v1beta1"}]},
        ],
    },
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [
            listed("Pod", "pods", namespaced=True, singularName="pod", shortNames=["po"], categories=["all"]),
            listed("Pod", "pods/status", namespaced=True),
            listed("Namespace", "namespaces", namespaced=False, singularName="namespace"),
        ],
    },
    **{
        f"/apis/autoscaling/{version}": {
            "kind": "APIResourceList",
            "resources": [
                listed("HorizontalPodAutoscaler", "horizontalpodautoscalers", namespaced=True, shortNames=["hpa"])
            ],
        }
        for version in ("v1", "v2")
    },
}


@pytest.mark.parametrize(("answers", "requests"), [(AGGREGATED, 2), (LEGACY, 6)], ids=["aggregated", "legacy"])
async def test_both_ways_find_the_same(answers: dict[str, Any], requests: int) -> None:
    async with ScriptedApi(answers) as api:
        cluster = KubeCluster(Access(server=api.url), SystemClock())
        found = await cluster.discovery()
        assert list(found.all()) == EXPECTED
        assert found.versions("autoscaling", "HorizontalPodAutoscaler") == ("v2", "v1")
        assert len(api.asked) == requests
        await cluster.discovery()
        assert len(api.asked) == requests
        await cluster.discovery(refresh=True)
        assert len(api.asked) == 2 * requests
        assert cluster.counts() == {"discovery": 2 * requests}
        await cluster.close()


async def test_the_aggregated_form_is_asked_for_by_both_its_names() -> None:
    async with ScriptedApi(dict(AGGREGATED)) as api:
        cluster = KubeCluster(Access(server=api.url), SystemClock())
        await cluster.discovery()
        await cluster.close()
    form = "application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList"
    assert {asked.headers["accept"][0] for asked in api.asked} == {
        f"{form.format('v2')},{form.format('v2beta1')},application/json"
    }


async def test_what_is_no_discovery_is_an_error() -> None:
    async with ScriptedApi({"/api": b"<html>", "/apis": b"<html>"}) as api:
        cluster = KubeCluster(Access(server=api.url), SystemClock())
        with pytest.raises(ClusterError) as caught:
            await cluster.discovery()
        await cluster.close()
    assert caught.value.what in {
        "/api is not what an API server says there",
        "/apis is not what an API server says there",
    }


async def test_a_document_is_read_where_the_index_says() -> None:
    answers = {
        "/openapi/v3": {
            "paths": {
                "apis/apps/v1": {"serverRelativeURL": "/openapi/v3/apis/apps/v1?hash=AB"},
                "api/v1": {"serverRelativeURL": "//evil/x"},
            }
        },
        "/openapi/v3/apis/apps/v1": {"openapi": "3.0.0"},
    }
    async with ScriptedApi(answers) as api:
        cluster = KubeCluster(Access(server=api.url), SystemClock())
        assert await cluster.schemas("apps", "v1") == {"openapi": "3.0.0"}
        assert await cluster.schemas("", "v1") is None
        assert await cluster.schemas("batch", "v1") is None
        await cluster.close()
    assert [(asked.path, asked.query) for asked in api.asked] == [
        ("/openapi/v3", {}),
        ("/openapi/v3/apis/apps/v1", {"hash": "AB"}),
    ]
