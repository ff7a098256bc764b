"""Whatever people do to a cluster, and in whatever order: it comes to rest where the specs say, and then writes nothing."""

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kilde.kubeapi.interface import ApiError
from kubeapi.controllers.simulated import Cluster, deployment, running, template, workload

WORKLOADS = {"web": "deployments.apps", "db": "statefulsets.apps", "agent": "daemonsets.apps"}
pauses = st.sampled_from([0.0, 0.03, 0.2])
actions = st.one_of(
    st.tuples(st.just("scale"), st.sampled_from(["web", "db"]), st.integers(0, 4)),
    st.tuples(st.just("image"), st.sampled_from(list(WORKLOADS)), st.integers(1, 3)),
    st.tuples(st.just("kill"), st.sampled_from(list(WORKLOADS)), st.integers(0, 9)),
    st.tuples(st.just("steal"), st.sampled_from(["web", "agent"]), st.integers(0, 9)),  # a stolen db-0 blocks the name
    st.tuples(st.just("cordon"), st.just("node-1"), st.booleans()),
    st.tuples(st.just("pause"), st.just("web"), st.booleans()),
)


async def act(cluster: Cluster, what: str, who: str, value: Any) -> None:
    """One thing a person does; what has gone meanwhile is left alone."""
    if what == "cordon":
        await cluster.change("nodes", "", who, {"spec": {"unschedulable": True if value else None}})
    elif what == "scale":
        await cluster.change(WORKLOADS[who], "shop", who, {"spec": {"replicas": value}})
    elif what == "image":
        await cluster.change(WORKLOADS[who], "shop", who, {"spec": {"template": template(who, f"app:{value}")}})
    elif what == "pause":
        await cluster.change(WORKLOADS[who], "shop", who, {"spec": {"paused": True if value else None}})
    else:
        pods = [pod for pod in cluster.all("pods") if pod["metadata"]["labels"].get("app") == who]
        if not pods:
            return
        name = pods[value % len(pods)]["metadata"]["name"]
        with suppress(ApiError):
            if what == "kill":
                await cluster.api.delete("pods", "shop", name)
            else:
                await cluster.change("pods", "shop", name, {"metadata": {"labels": {"app": "stolen"}}})


async def story(steps: list[tuple[tuple[str, str, Any], float]]) -> None:
    async with running() as cluster:
        await cluster.make("deployments.apps", deployment())
        await cluster.make("statefulsets.apps", workload("StatefulSet", "db", replicas=2))
        await cluster.make("daemonsets.apps", workload("DaemonSet", "agent"))
        for (what, who, value), pause in steps:
            await act(cluster, what, who, value)
            await cluster.settle(pause)
        await act(cluster, "cordon", "node-1", False)
        await act(cluster, "pause", "web", False)
        await cluster.settle(90)
        check(cluster)
        before = len(cluster.api.writes)
        await cluster.settle(900)
        assert cluster.api.writes[before:] == []


def check(cluster: Cluster) -> None:
    """Every workload has as many pods as it wants, of its own template, all running; nothing is left of older ones."""
    running_pods: Counter[tuple[str, str]] = Counter()
    for pod in cluster.all("pods"):
        app = pod["metadata"]["labels"].get("app")
        if app == "stolen":
            continue
        assert (app, pod["status"]["phase"], "deletionTimestamp" in pod["metadata"]) == (app, "Running", False)
        running_pods[app, pod["spec"]["containers"][0]["image"]] += 1
    wanted: Counter[tuple[str, str]] = Counter()
    for name, resource in WORKLOADS.items():
        spec = cluster.one(resource, name)["spec"]
        image = spec["template"]["spec"]["containers"][0]["image"]
        wanted[name, image] = 2 if name == "agent" else spec["replicas"]
    assert +running_pods == +wanted
    web = cluster.one("deployments.apps", "web")["status"]
    assert web.get("availableReplicas", 0) == web.get("updatedReplicas", 0) == web.get("replicas", 0)
    db = cluster.one("statefulsets.apps", "db")["status"]
    assert db["currentRevision"] == db["updateRevision"] or not db["replicas"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(actions, pauses), max_size=12))
def test_a_cluster_comes_to_rest_where_its_specs_say(steps: list[tuple[tuple[str, str, Any], float]]) -> None:
    asyncio.run(story(steps))
