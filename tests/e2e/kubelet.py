"""A kubelet for hooks: it notes every Pod that is made, once each, and ends it after a moment as its label says; what is to last is Ready.

Of the cluster in the box's own annotation `sim.kilde.dev/pod` it knows `exit=1` and `run=…`, so that one manifest plays on both clusters.
"""

import asyncio
import json
import queue
import random
import threading
from collections import Counter
from pathlib import Path
from typing import Any

from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster import kubeconfig
from kilde.adapters.cluster.client import KubeCluster
from kilde.core.basics.errors import ClusterError
from kilde.ports.cluster import EventType, Resource

_CONDITIONS = ("PodScheduled", "Initialized", "ContainersReady", "Ready")
_PODS = Resource("", "v1", "Pod", "pods", True)


class Kubelet:
    """Runs in a thread of its own, `with Kubelet(…)`, for one namespace, or with "" for all.

    `seen` gets the name of each Pod when it is new; `made` counts them.
    """

    def __init__(
        self, config: Path, namespace: str, dice: random.Random, longest: float, seen: queue.Queue[str]
    ) -> None:
        self._config, self._namespace, self._dice, self._longest = config, namespace, dice, longest
        self.seen = seen
        self._uids: dict[str, str] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),), name="kubelet")
        self._stop = asyncio.Event()
        self._ready = threading.Event()

    def __enter__(self) -> "Kubelet":
        self._thread.start()
        assert self._ready.wait(30), "the Pods of the namespace cannot be watched"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    @property
    def made(self) -> Counter[str]:
        """How many Pods there have been of each name, those with a generated name under its beginning."""
        return Counter(name.partition("--")[0] for name in self._uids.values())

    async def _run(self) -> None:
        clock = SystemClock()
        cluster = KubeCluster(kubeconfig.load([self._config], clock), clock)
        watching = asyncio.create_task(self._follow(cluster))
        await self._stop.wait()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await cluster.close()

    async def _follow(self, cluster: KubeCluster) -> None:
        async with asyncio.TaskGroup() as ending:
            async for event in cluster.watch(_PODS, self._namespace):
                if event.type is EventType.SYNCED:
                    self._ready.set()
                if event.type in (EventType.SYNCED, EventType.BROKEN, EventType.DELETED):
                    continue
                pod = json.loads(event.raw)
                uid = pod["metadata"]["uid"]
                if uid not in self._uids:
                    self._uids[uid] = event.name
                    self.seen.put(event.name)
                    ending.create_task(self._end(cluster, pod))

    async def _end(self, cluster: KubeCluster, pod: dict[str, Any]) -> None:
        meta = pod["metadata"]
        script = (meta.get("annotations") or {}).get("sim.kilde.dev/pod", "")
        await asyncio.sleep(self._dice.uniform(0.0, self._longest))
        status: dict[str, Any] = {"phase": "Running"}
        if pod["spec"]["restartPolicy"] == "Always":
            status["conditions"] = [{"type": kind, "status": "True"} for kind in _CONDITIONS]
        elif not script.startswith("run="):
            badly = (meta.get("labels") or {}).get("ends") == "badly" or script == "exit=1"
            status["phase"] = "Failed" if badly else "Succeeded"
        patch = {"metadata": {"uid": meta["uid"]}, "status": status}
        try:
            await cluster.patch(_PODS, meta["namespace"], meta["name"], patch, manager="kubelet", subresource="status")
        except ClusterError as error:
            if error.status not in (404, 409):  # it went before it ended
                raise
