"""KildeCluster: an embedded cluster in a process of its own, as tests of manifests, charts and operators use it."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import kilde
from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.core.health.assess import assess
from kilde.core.health.health import HealthStatus
from kilde.core.objects.ref import split_api_version
from kilde.kubeapi.remote import Remote
from kilde.testing.targets import Directory, Target

_APPLY = "application/apply-patch+yaml"
_START_WITHIN = 30.0
_LOOK = 0.05
_HOME = Path(kilde.__file__).parents[1]
Condition = str | Callable[[Object], bool]


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """How the cluster of a test session is started; a fixture `kilde_cluster_options` of your own gives others.

    `clock` is real, x10 (ten times as fast) or manual; `load` are files, folders or kustomizations applied before it is ready.
    """

    nodes: int = 2
    clock: str = "real"
    controllers: str = "simulate"
    load: tuple[str | Path, ...] = ()
    more: tuple[str, ...] = field(default=())


class NotReached(AssertionError):
    """What a test waited for did not come."""


class KildeCluster:
    """A running cluster. `kubeconfig` is its administrator's; everything else is a shortcut that any client could take."""

    def __init__(self, options: ClusterOptions | None = None) -> None:
        """Starts it, in about a second. RuntimeError with its own words if it does not."""
        options = options or ClusterOptions()
        self._home = Path(tempfile.mkdtemp(prefix="kilde-test-"))
        self.kubeconfig = self._home / "kubeconfig"
        self._process = self._start(options)
        self.remote = Remote(self.kubeconfig)
        self.directory = Directory(self.remote)
        self._manual = options.clock == "manual"

    def _start(self, options: ClusterOptions) -> "subprocess.Popen[bytes]":
        loads = [word for path in options.load for word in ("--load", str(path))]
        words = ["--ephemeral", "--rules", "--kubeconfig-out", str(self.kubeconfig), "--nodes", str(options.nodes)]
        words += ["--clock", options.clock, "--controllers", options.controllers, *loads, *options.more]
        log = (self._home / "log").open("w+b")
        process = subprocess.Popen(  # noqa: S603 - this program
            [sys.executable, "-P", "-m", "kilde", "cluster", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, "PYTHONPATH": str(_HOME)},  # and nothing of the tests, whose modules may have any name
        )
        assert process.stdout is not None
        with process.stdout as told, log:
            if told.readline() == b"ready\n":
                return process
            process.wait()
            log.seek(0)
            words_of_it = log.read().decode(errors="replace")
        shutil.rmtree(self._home, ignore_errors=True)
        raise RuntimeError(f"the cluster did not start:\n{words_of_it}")

    @property
    def server(self) -> str:
        """Its URL."""
        return self.remote.server

    def get(self, target: str, namespace: str = "default") -> Object | None:
        """An object by `kind/name` (`deploy/web`, `widgets.example.org/w`); None if it is not there. ClusterError for no such kind."""
        path = self._target(target, namespace).path
        try:
            return self.remote.object("GET", path)
        except ClusterError as error:
            if error.status == 404:
                return None
            raise

    def all(self, kind: str, namespace: str | None = None, *, selector: str = "") -> list[Object]:
        """The objects of a kind, in one namespace or in all."""
        query = f"?labelSelector={selector}" if selector else ""
        items: list[Object] = self.remote.object("GET", self.directory.collection(kind, namespace) + query)["items"]
        return items

    def apply(self, *manifests: Object, namespace: str = "default") -> list[Object]:
        """Server-side applies the objects in the order given; what names no namespace goes into this one."""
        applied = []
        for body in manifests:
            target = self.directory.of_manifest(body, namespace)
            meta = {**body["metadata"], **({"namespace": target.namespace} if target.namespace else {})}
            path = f"{target.path}?fieldManager=kilde-test&force=true&fieldValidation=Strict"
            applied.append(self.remote.object("PATCH", path, {**body, "metadata": meta}, content_type=_APPLY))
        return applied

    def delete(self, target: str, namespace: str = "default") -> None:
        """Deletes an object if it is there; does not wait until it is gone."""
        try:
            self.remote.ask("DELETE", self._target(target, namespace).path)
        except ClusterError as error:
            if error.status != 404:
                raise

    def wait_for(
        self,
        target: str | Object,
        condition: Condition = "healthy",
        *,
        namespace: str = "default",
        timeout: float = 30.0,
    ) -> Object:
        """The object once it is as wanted: `healthy` as Kilde and Argo CD judge it, `exists`, `gone`, a condition's type that is
        True, or a function of the object. Within `timeout` seconds of the cluster's time. NotReached with what is wrong.

        `target` is `kind/name`, or an object that was applied.
        """
        if not isinstance(target, str):
            namespace = target["metadata"].get("namespace") or namespace
            target = _name_of(target)
        begun, object_now = self._now(), None
        while True:
            object_now = self.get(target, namespace)
            if _is_met(object_now, condition):
                return object_now or {}
            if self._now() - begun >= timeout:
                raise NotReached(self._why(target, namespace, condition, object_now, timeout))
            if self._manual:
                self.remote.advance(min(0.25, timeout))
            else:
                time.sleep(_LOOK)

    def advance(self, seconds: float) -> None:
        """Moves the cluster's time on, and lets everything happen that is due within it."""
        self.remote.advance(seconds)

    def fault(self, **fault: Any) -> None:
        """Sets one more fault: match={"resources": ["pods"]}, status=429, retryAfter=1, latency="1s", dropWatch="2s", times=3 …"""
        self.remote.ask("POST", "/kilde/faults", fault)

    def no_faults(self) -> None:
        """Takes all faults away."""
        self.remote.ask("DELETE", "/kilde/faults")

    def simulate(self, rule: str, /, *script: Mapping[str, Any], **match: Any) -> None:
        """A SimulationRule that wins over annotations: simulate("slow", {"readyDelay": "45s"}, kind="Deployment", name="web")."""
        spec = {"match": match, "script": list(script), "override": True}
        self.apply(
            {"apiVersion": "sim.kilde.dev/v1", "kind": "SimulationRule", "metadata": {"name": rule}, "spec": spec}
        )

    def stop(self) -> None:
        """Ends it; nothing of it is left."""
        self.remote.close()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._home, ignore_errors=True)

    def _target(self, text: str, namespace: str) -> Target:
        kind, slash, name = text.partition("/")
        if not slash or not name:
            raise ValueError(f"{text!r} is not kind/name")
        return self.directory.target(kind, name, namespace)

    def _now(self) -> float:
        return float(self.remote.object("GET", "/kilde/clock")["seconds"])

    def _why(self, target: str, namespace: str, condition: Condition, found: Object | None, timeout: float) -> str:
        wanted = condition if isinstance(condition, str) else getattr(condition, "__name__", "as wanted")
        lines = [f"{target} in {namespace} is not {wanted} after {timeout:g} s"]
        if found is None:
            return f"{lines[0]}: it is not there"
        health = assess(found)
        if health is not None:
            lines.append(f"  {health.status}: {health.message}")
        lines += [f"  {_shown(one)}" for one in (found.get("status") or {}).get("conditions") or ()]
        lines += [f"  {_told(event)}" for event in self.all("events", namespace)[-10:]]
        return "\n".join(lines)


def _name_of(obj: Object) -> str:
    """`deployment.apps/web`"""
    group, _ = split_api_version(obj["apiVersion"])
    return f"{obj['kind']}{f'.{group}' if group else ''}/{obj['metadata']['name']}"


def _is_met(found: Object | None, condition: Condition) -> bool:
    if condition == "gone":
        return found is None
    if found is None:
        return False
    if callable(condition):
        return bool(condition(found))
    if condition == "exists":
        return True
    if condition == "healthy":
        health = assess(found)
        return health is None or health.status is HealthStatus.HEALTHY
    every = (found.get("status") or {}).get("conditions") or ()
    return any(one.get("type") == condition and one.get("status") == "True" for one in every)


def _told(event: Object) -> str:
    about = event.get("involvedObject") or {}
    return f"{event.get('type')} {about.get('kind')}/{about.get('name')} {event.get('reason')}: {event.get('message')}"


def _shown(one: Object) -> str:
    return f"{one.get('type')}={one.get('status')} {one.get('reason', '')}: {one.get('message', '')}"
