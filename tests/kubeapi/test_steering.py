"""The cluster is steered: its clock, its rules, faults on demand, its logs and what cannot be entered; all with the real kubectl."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from kilde.core.objects.manifest import Manifest
from kilde.kubeapi.loading import CannotLoad
from kilde.kubeapi.settings import Controllers, Settings
from kubeapi.kubectl import Kubectl, cluster

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
STILL = Settings(speed=0.0, rules=True)


def pod(name: str, script: str = "", log: str = "", *containers: str) -> str:
    annotations = {"sim.kilde.dev/pod": script, "sim.kilde.dev/log": log}
    meta = {
        "name": name,
        "labels": {"app": name},
        "annotations": {key: text for key, text in annotations.items() if text},
    }
    spec = {"containers": [{"name": one, "image": f"{one}:1"} for one in containers or ("c",)]}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})


async def advance(kubectl: Kubectl, time: Any) -> dict[str, Any]:
    told = await kubectl.good("create", "--raw", "/kilde/clock", "-f", "-", text=json.dumps({"advance": time}))
    return dict(json.loads(told))


async def fault(kubectl: Kubectl, **what: Any) -> None:
    await kubectl.good("create", "--raw", "/kilde/faults", "-f", "-", text=json.dumps(what))


async def test_time_stands_still_until_it_is_moved_and_then_everything_happens(tmp_path: Path) -> None:
    async with cluster(tmp_path, STILL) as kubectl:
        await kubectl.good("apply", "-f", "-", text=pod("slow", "ready=45s"))
        await asyncio.sleep(0.5)
        before = json.loads(await kubectl.good("get", "--raw", "/kilde/clock"))
        assert (await kubectl.good("get", "pod", "slow")).split()[6:8] == ["0/1", "ContainerCreating"]
        assert (await kubectl.good("get", "pod", "slow")).split()[-1] == "0s"
        await advance(kubectl, "44s")
        assert (await kubectl.good("get", "pod", "slow")).split()[5:] == ["slow", "0/1", "Running", "0", "44s"]
        after = await advance(kubectl, 2)
        assert (await kubectl.good("get", "pod", "slow")).split()[6:8] == ["1/1", "Running"]
        assert after["seconds"] - before["seconds"] == pytest.approx(46)
        assert after["speed"] == 0


async def test_a_night_of_a_cron_job_takes_a_moment(tmp_path: Path) -> None:
    async with cluster(tmp_path, STILL) as kubectl:
        await kubectl.good("create", "cronjob", "tick", "--image=app:1", "--schedule=*/10 * * * *")
        await advance(kubectl, "3h")
        jobs = json.loads(await kubectl.good("get", "jobs", "-o", "json"))["items"]
        assert [job["status"]["succeeded"] for job in jobs] == [1, 1, 1]  # successfulJobsHistoryLimit
        events = json.loads(await kubectl.good("get", "events", "-o", "json"))["items"]
        (made,) = [
            event
            for event in events
            if event["reason"] == "SuccessfulCreate" and event["involvedObject"]["kind"] == "CronJob"
        ]
        assert made["message"].startswith("(combined from similar events): Created job tick-")
        assert made["count"] in (8, 9, 10)  # the nine before were told alone, and events live for an hour


async def test_time_can_be_sped_up(tmp_path: Path) -> None:
    async with cluster(tmp_path, Settings(speed=200.0)) as kubectl:
        await kubectl.good("apply", "-f", "-", text=pod("slow", "ready=60s"))
        await kubectl.good("wait", "--for=condition=Ready", "pod/slow", "--timeout=20s")
        told = await kubectl("create", "--raw", "/kilde/clock", "-f", "-", text='{"speed": -1}')
        assert told.code == 1
        assert "speed: must be between 0 and 10000" in told.err


async def test_a_cluster_goes_on_at_the_time_it_had_come_to(tmp_path: Path) -> None:
    times = []
    for _ in range(2):
        async with cluster(
            tmp_path, Settings(speed=0.0, data_dir=tmp_path / "data", controllers=Controllers.ON)
        ) as kubectl:
            times.append((await advance(kubectl, "1h"))["seconds"])
    assert times[1] - times[0] == pytest.approx(3600, abs=1)


async def test_rules_are_objects_with_a_schema(tmp_path: Path) -> None:
    async with cluster(tmp_path, STILL) as kubectl:
        rule = {
            "apiVersion": "sim.kilde.dev/v1",
            "kind": "SimulationRule",
            "metadata": {"name": "broken"},
            "spec": {"match": {"image": "*:broken2"}, "script": [{"imagePull": {"error": "ErrImagePull"}}]},
        }
        await kubectl.good("apply", "-f", "-", text=json.dumps(rule))
        wrong = {**rule, "metadata": {"name": "w"}, "spec": {"script": [{"imagePul": "2s"}]}}
        told = await kubectl("apply", "-f", "-", text=json.dumps(wrong))
        assert (told.code, 'unknown field "spec.script[0].imagePul"' in told.err) == (1, True)
        assert (await kubectl.good("get", "simulationrules")).split() == [
            "NAME",
            "KIND",
            "NAME",
            "IMAGE",
            "broken",
            "*:broken2",
        ]
        await kubectl.good("create", "deployment", "web", "--image=web:broken2")
        await advance(kubectl, "5s")
        assert "ImagePullBackOff" in await kubectl.good("get", "pods")
        await kubectl.good("delete", "simulationrule", "broken")
        await advance(kubectl, "20s")
        assert "Running" in await kubectl.good("get", "pods")


async def test_a_new_cluster_has_no_rules_until_they_are_wanted(tmp_path: Path) -> None:
    async with cluster(tmp_path) as kubectl:
        assert await kubectl.good("get", "crd", "-o", "name") == ""
        assert (await kubectl("get", "simulationrules")).code == 1


async def test_logs_are_read_as_of_any_pod(tmp_path: Path) -> None:
    async with cluster(tmp_path, STILL) as kubectl:
        await kubectl.good("apply", "-f", "-", text=pod("p", "log-every=10s", "hello\nworld", "c", "d"))
        await kubectl.good("apply", "-f", "-", text=pod("plain"))
        await kubectl.good("apply", "-f", "-", text=pod("crashy", "crash=always,after=1s,exit=4,message=out of luck"))
        await advance(kubectl, "31s")
        assert await kubectl.good("logs", "p", "-c", "c") == "hello\nworld\n" * 4
        assert await kubectl.good("logs", "p", "-c", "c", "--tail=3") == "world\nhello\nworld\n"
        assert await kubectl.good("logs", "p", "-c", "c", "--since=5s") == "hello\nworld\n"
        assert await kubectl.good("logs", "p", "-c", "c", "--limit-bytes=8") == "hello\nwo"
        stamped = (await kubectl.good("logs", "p", "-c", "c", "--timestamps", "--tail=1")).split()
        assert (stamped[0].endswith("000000Z"), stamped[1]) == (True, "world")
        told_of_all = await kubectl.good("logs", "-l", "app=p", "--all-containers", "--prefix", "--tail=1")
        assert sorted(told_of_all.splitlines()) == ["[pod/p/c] world", "[pod/p/d] world"]
        node = (await kubectl.good("get", "pod", "plain", "-o", "jsonpath={.spec.nodeName}")).strip()
        words = f"c (c:1) started on {node}; simulated: annotation sim.kilde.dev/log writes more\n"
        assert await kubectl.good("logs", "plain") == words
        assert (await kubectl.good("logs", "crashy", "--previous")).splitlines()[1:] == ["out of luck"]
        told = await kubectl("logs", "plain", "--previous")
        assert told.err == (
            'Error from server (BadRequest): previous terminated container "c" in pod "plain" not found\n'
        )
        told = await kubectl("logs", "p")
        assert (told.code, told.out) == (0, "hello\nworld\n" * 4)  # kubectl takes the first and says so


async def test_logs_are_followed_until_the_container_ends(tmp_path: Path) -> None:
    async with cluster(tmp_path, STILL) as kubectl:
        await kubectl.good(
            "apply", "-f", "-", text=pod("p", "log-every=10s,crash=always,after=35s,message=bye", "tick")
        )
        await advance(kubectl, "1s")
        following = await kubectl.start("logs", "-f", "p")
        assert following.stdout is not None
        assert await following.stdout.readline() == b"tick\n"
        await advance(kubectl, "20s")
        assert [await following.stdout.readline() for _ in range(2)] == [b"tick\n"] * 2
        await advance(kubectl, "20s")
        async with asyncio.timeout(10):
            rest, _ = await following.communicate()
        assert rest == b"tick\nbye\n"
        assert following.returncode == 0


async def test_following_ends_with_the_pod(tmp_path: Path) -> None:
    async with cluster(tmp_path) as kubectl:
        await kubectl.good("apply", "-f", "-", text=pod("p", "", "tick"))
        await kubectl.good("wait", "--for=condition=Ready", "pod/p", "--timeout=20s")
        following = await kubectl.start("logs", "-f", "p")
        assert following.stdout is not None
        assert await following.stdout.readline() == b"tick\n"
        await kubectl.good("delete", "pod", "p", "--now")
        async with asyncio.timeout(10):
            await following.communicate()
        assert following.returncode == 0


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("exec", "p", "--", "ls"), "error: unable to upgrade connection: exec"),
        (("attach", "p"), "error: unable to upgrade connection: attach"),
        (
            ("port-forward", "p", "8080:80"),
            "error: error upgrading connection: unable to upgrade connection: portforward",
        ),
        (("cp", "p:/etc/hosts", "copied"), "error: unable to upgrade connection: exec"),
    ],
)
async def test_what_cannot_be_entered_says_so_in_one_sentence(
    tmp_path: Path, words: tuple[str, ...], what: str
) -> None:
    async with cluster(tmp_path) as kubectl:
        await kubectl.good("apply", "-f", "-", text=pod("p"))
        await kubectl.good("wait", "--for=condition=Ready", "pod/p", "--timeout=20s")
        async with asyncio.timeout(20):
            told = await kubectl(*words)
        assert told.code == 1
        assert told.err.splitlines()[-1] == f"{what} is not served: pods of this cluster run on pretended nodes"


async def test_a_server_fails_as_it_is_told_and_only_so_often(tmp_path: Path) -> None:
    async with cluster(tmp_path, Settings(controllers=Controllers.OFF)) as kubectl:
        lists = {"verbs": ["list"], "resources": ["configmaps"]}
        await fault(kubectl, match=lists, status=503, times=1)
        told = await kubectl("get", "configmaps")
        words = "Error from server (ServiceUnavailable): the server is currently unable to handle the request\n"
        assert (told.code, told.err) == (1, words)
        await kubectl.good("get", "configmaps")
        await kubectl.good("get", "secrets")
        shown = json.loads(await kubectl.good("get", "--raw", "/kilde/faults"))["faults"]
        assert [(one["met"], one["hits"]) for one in shown] == [(2, 1)]

        await fault(kubectl, match=lists, status=429, retryAfter=1, times=1)  # kubectl obeys it, and asks again
        await kubectl.good("get", "configmaps")

        await fault(kubectl, match={"verbs": ["create"]}, status=409, message="too late", times=1)
        told = await kubectl("create", "configmap", "c")
        assert told.err == "error: failed to create configmap: too late\n"

        await fault(kubectl, match={"agents": ["kubectl*"], "resources": ["leases.*"]}, status=500, every=2)
        assert [(await kubectl("get", "leases")).code for _ in range(4)] == [0, 1, 0, 1]

        await fault(kubectl, match={"names": ["gone"]}, abort=True, times=1)
        told = await kubectl("delete", "configmap", "gone")
        assert (told.code, "EOF" in told.err or "reset" in told.err) == (1, True)

        await fault(kubectl, match={"resources": ["nodes"]}, latency="600ms")
        begun = asyncio.get_running_loop().time()
        await kubectl.good("get", "nodes")
        assert asyncio.get_running_loop().time() - begun >= 0.6

        await kubectl.good("delete", "--raw", "/kilde/faults")
        assert json.loads(await kubectl.good("get", "--raw", "/kilde/faults")) == {"faults": []}


async def test_a_watch_is_dropped_or_told_that_it_is_too_old(tmp_path: Path) -> None:
    async with cluster(tmp_path, Settings(controllers=Controllers.OFF)) as kubectl:
        watches = {"verbs": ["watch"], "resources": ["configmaps"]}
        await fault(kubectl, match=watches, dropWatch="300ms", times=1)
        async with asyncio.timeout(20):
            told = await kubectl("get", "configmaps", "--watch-only")
        assert told.code == 0  # the stream ended as a server that goes away ends it
        await fault(kubectl, match=watches, expire=True, times=1)
        async with asyncio.timeout(20):
            told = await kubectl("get", "--raw", "/api/v1/configmaps?watch=true")
        event = json.loads(told.out)
        assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


@pytest.mark.parametrize(
    ("what", "complaint"),
    [
        ({}, "fault[0]: does nothing; give latency, status, expire, dropWatch or abort"),
        ({"status": 200}, "fault[0].status: must be between 400 and 599"),
        ({"latncy": "1s", "status": 500}, "fault[0].latncy: is not known (did you mean 'latency'?)"),
        ({"latency": "soon"}, "fault[0].latency: 'soon' is not a duration (write 90s, 5m or 1h)"),
        ({"match": {"verb": ["get"]}, "abort": True}, "fault[0].match.verb: is not known (did you mean 'verbs'?)"),
        ({"status": 500, "every": 0}, "fault[0].every: must be at least 1"),
        ([1], "fault[0]: must be an object, not a number"),
    ],
)
async def test_a_fault_that_cannot_be_read_is_refused(tmp_path: Path, what: Any, complaint: str) -> None:
    async with cluster(tmp_path, Settings(controllers=Controllers.OFF)) as kubectl:
        told = await kubectl("create", "--raw", "/kilde/faults", "-f", "-", text=json.dumps(what))
        assert complaint in told.err
        assert json.loads(await kubectl.good("get", "--raw", "/kilde/faults")) == {"faults": []}


async def test_only_those_who_may_steer(tmp_path: Path) -> None:
    async with cluster(tmp_path, Settings(controllers=Controllers.OFF)) as kubectl:
        told = await kubectl("get", "--raw", "/kilde/clock", "--as=ann")
        assert told.err == 'Error from server (Forbidden): forbidden: User "ann" cannot get path "/kilde/clock"\n'


async def test_manifests_are_there_when_it_is_ready(tmp_path: Path) -> None:
    deployment = json.loads(pod("web"))
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    rule = {
        "apiVersion": "sim.kilde.dev/v1",
        "kind": "SimulationRule",
        "metadata": {"name": "r"},
        "spec": {"script": [{"readyDelay": "1h"}]},
    }
    inside = {**deployment, "metadata": {"name": "web", "namespace": "made-for-it"}}
    loaded = tuple(map(Manifest, (rule, inside, deployment, space)))
    async with cluster(tmp_path, Settings(load=loaded)) as kubectl:
        told = await kubectl.good(
            "get", "pods", "-A", "--no-headers", "-o", "custom-columns=:metadata.namespace,:metadata.name"
        )
        assert told.split() == ["default", "web", "made-for-it", "web"]
        assert "shop" in await kubectl.good("get", "namespaces")
        assert "r" in await kubectl.good("get", "simulationrules")


async def test_a_manifest_that_is_refused_ends_the_start_with_its_name(tmp_path: Path) -> None:
    wrong = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": [{"port": 99999}]}}
    with pytest.raises(CannotLoad, match=r"Service s: .*must be between 1 and 65535"):
        async with cluster(tmp_path, Settings(load=(Manifest(wrong),))):
            raise AssertionError("it must not get ready")
