"""The guard as the command line sees it: its objects in a cluster, windows asked for and ended, and trials of who may write."""

import asyncio
import contextlib
import json
import os
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from kilde.cli.target import Target
from kilde.core.basics.errors import INSTALL_CRDS, ClusterError, KildeError
from kilde.core.basics.values import Object
from kilde.core.guard import manifests
from kilde.core.guard.entries import WHOLE
from kilde.ports.cluster import Discovery, Resource

if TYPE_CHECKING:
    from kilde.adapters.cluster.client import KubeCluster

MANAGER = "kilde-cli"
_API, _RBAC = "admissionregistration.k8s.io", "rbac.authorization.k8s.io"
CONFIG_MAPS = Resource("", "v1", "ConfigMap", "configmaps", True)
_GUARDED = Resource("kilde.dev", "v1alpha1", manifests.GUARDED, "guardedspaces", True)
POLICIES = Resource(_API, "v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", False)
BINDINGS = Resource(_API, "v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", False)
_CLUSTER_ROLES = Resource(_RBAC, "v1", "ClusterRole", "clusterroles", False)
_CLUSTER_ROLE_BINDINGS = Resource(_RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings", False)
_ROLES = Resource(_RBAC, "v1", "Role", "roles", True)
_ROLE_BINDINGS = Resource(_RBAC, "v1", "RoleBinding", "rolebindings", True)
_NAMESPACES = Resource("", "v1", "Namespace", "namespaces", False)
_KINDS = (BINDINGS, POLICIES, CONFIG_MAPS, _CLUSTER_ROLE_BINDINGS, _CLUSTER_ROLES, _ROLE_BINDINGS, _ROLES)
_SCALED = frozenset({"deployments", "statefulsets", "replicasets"})
_PLAIN = re.compile(r"[^'\"\\\x00-\x1f]{1,253}")
_MASTERS = "system:masters"
_SCALER = "system:serviceaccount:kube-system:horizontal-pod-autoscaler"
_CONTROLLER = "system:serviceaccount:kube-system:deployment-controller"
_PATIENCE = 15.0


class Status(TypedDict):
    """What `kilde guard status` tells."""

    installed: bool
    complete: bool
    missing: list[str]
    namespaces: list[dict[str, Any]]
    windows: list[dict[str, str]]


@contextlib.asynccontextmanager
async def cluster_of(target: Target, *, acting: str = "", groups: Sequence[str] = ()) -> AsyncIterator["KubeCluster"]:
    """The cluster that the command line names, as its user or as somebody else."""
    from kilde.wiring.cluster import open_cluster

    cluster = open_cluster(target.kubeconfig, context=target.context, acting=acting, groups=groups)
    try:
        yield cluster
    finally:
        await cluster.close()


def manifests_for(
    space: str,
    *,
    only: Sequence[str],
    whole: bool,
    groups: Sequence[str],
    users: Sequence[str],
    allowed: Sequence[str],
    refused: Sequence[str],
) -> list[Object]:
    """Everything that the guard is made of; the settings, which the controller waits for, come last."""
    for word in (*only, *groups, *users, *allowed, *refused):
        if not _PLAIN.fullmatch(word):
            raise KildeError("cannot be the name of a user, group or namespace", about=repr(word)[:80])
    usual = manifests.People()
    people = manifests.People(users=tuple(users), groups=tuple(allowed), refused=(*usual.refused, *refused))
    return [
        *manifests.policies(space, people),
        *manifests.access(space, groups),
        manifests.settings(space, namespaces=only, whole=whole, people=people),
    ]


def resource_of(body: Object) -> Resource:
    """The resource of one of the guard's own objects."""
    return next(one for one in _KINDS if one.kind == body["kind"])


async def install(cluster: "KubeCluster", found: Iterable[Object]) -> None:
    """Applies the guard's objects, in their order. KildeError for a cluster that has no ValidatingAdmissionPolicies."""
    discovery = await cluster.discovery()
    if discovery.resource(_API, POLICIES.kind, "v1") is None:
        raise KildeError("the cluster has no ValidatingAdmissionPolicies", hint="Kubernetes 1.30 or newer has them")
    if discovery.resource(_GUARDED.group, _GUARDED.kind) is None:
        raise KildeError("the cluster does not know GuardedSpaces", hint=INSTALL_CRDS)
    for body in found:
        await cluster.apply(resource_of(body), body, manager=MANAGER)


async def uninstall(cluster: "KubeCluster", space: str) -> int:
    """Deletes what `install` made; the controller takes its entries away. Gives how many objects there were."""
    gone = 0
    for resource in _KINDS:
        for raw in await cluster.list(resource, space if resource.namespaced else "", label_selector=manifests.LABEL):
            meta = json.loads(raw)["metadata"]
            own = meta["labels"][manifests.LABEL] in ("policy", "access", manifests.SETTINGS)
            if own and _is_of(meta["name"], space):
                where = str(meta.get("namespace") or "")
                gone += await cluster.delete(resource, where, meta["name"], propagation="Background")
    return gone


def _is_of(name: str, space: str) -> bool:
    head = manifests.name_of(space)
    return name == head or name.startswith(f"{head}.")


async def _own(cluster: "KubeCluster", space: str, kind: str) -> list[Object]:
    resource = _GUARDED if kind == manifests.ENTRIES else CONFIG_MAPS
    try:
        found = await cluster.list(resource, space, label_selector=f"{manifests.LABEL}={kind}")
    except ClusterError as error:
        if error.status != 404:  # the cluster does not know GuardedSpaces: there are none
            raise
        found = []
    return sorted((json.loads(raw) for raw in found), key=lambda body: str(body["metadata"]["name"]))


async def status(cluster: "KubeCluster", space: str) -> Status:
    """What is guarded now, and which windows are open."""
    settings = await _own(cluster, space, manifests.SETTINGS)
    wanted = [(POLICIES, manifests.name_of(space)), (POLICIES, manifests.name_of(space, "own"))]
    wanted.append((BINDINGS, manifests.name_of(space, "own")))
    entries = await _own(cluster, space, manifests.ENTRIES)
    wanted += [(BINDINGS, str(body["metadata"]["name"])) for body in entries]
    missing = [f"{resource.kind} {name}" for resource, name in wanted if await cluster.get(resource, "", name) is None]
    for body in settings:
        problem = (body["metadata"].get("annotations") or {}).get(manifests.PROBLEM)
        missing += [problem] if problem else []
    spaces = []
    for body in entries:
        data = body.get("data") or {}
        name = manifests.namespace_of(str(body["metadata"]["name"]), space) or ""
        spaces.append({"namespace": name, "objects": len(data.keys() - {WHOLE}), "whole": WHOLE in data})
    windows = [_window(body) for body in await _own(cluster, space, manifests.WINDOW)]
    installed = bool(settings)
    return Status(
        installed=installed,
        complete=installed and not missing,
        missing=missing if installed else [],
        namespaces=spaces,
        windows=windows,
    )


def _window(body: Object) -> dict[str, str]:
    data = body.get("data") or {}
    return {
        "window": str(body["metadata"]["name"]),
        "until": str(data.get("until", "")),
        "applications": str(data.get("applications") or "all"),
        "by": str(data.get("who", "")),
        "reason": str(data.get("reason", "")),
    }


async def open_window(
    cluster: "KubeCluster", space: str, *, reason: str, until: str, applications: Sequence[str]
) -> str:
    """Asks for a window and waits until the controller has opened it; gives its name. KildeError if it does not."""
    if not await _own(cluster, space, manifests.SETTINGS):
        raise KildeError("there is no guard to open", about=f"namespace {space}", hint="kilde guard install")
    body = manifests.window(
        space,
        suffix=os.urandom(4).hex(),
        who=await cluster.whoami(),
        reason=reason,
        until=until,
        applications=applications,
    )
    name = str(body["metadata"]["name"])
    await cluster.create(CONFIG_MAPS, body, manager=MANAGER)
    why = "the controller does not answer: is kilde up running?"
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            while True:
                raw = await cluster.get(CONFIG_MAPS, space, name)
                if raw is None:
                    why = "the controller refused it; its log says why"
                    break
                if manifests.OPENED in (json.loads(raw)["metadata"].get("annotations") or {}):
                    return name
                await asyncio.sleep(0.1)
    await cluster.delete(CONFIG_MAPS, space, name, propagation="Background")
    raise KildeError(f"the guard was not opened: {why}", about=name)


async def close_windows(cluster: "KubeCluster", space: str, names: Sequence[str]) -> list[str]:
    """Ends the windows of these names, or all; gives their names. KildeError for a name that is none."""
    there = [str(body["metadata"]["name"]) for body in await _own(cluster, space, manifests.WINDOW)]
    for name in names:
        if name not in there:
            raise KildeError("is no open window", about=name, hint="kilde guard status shows those that are open")
    for name in names or there:
        await cluster.delete(CONFIG_MAPS, space, name, propagation="Background")
    return list(names or there)


async def trials(
    cluster: "KubeCluster", target: Target, *, only: Sequence[str], groups: Sequence[str]
) -> list[dict[str, str]]:
    """What each group of people, and two of Kubernetes' own controllers, can do to what is guarded. Nothing is written."""
    space = target.namespace
    discovery = await cluster.discovery()
    objects = []
    for body in await _own(cluster, space, manifests.ENTRIES):
        where = manifests.namespace_of(str(body["metadata"]["name"]), space) or ""
        objects += _samples(discovery, where, body.get("data") or {}, only)
    if not objects:
        raise KildeError("nothing is guarded there", about=f"namespace {space}", hint="kilde guard status")
    found: list[dict[str, str]] = []
    for group in groups or await _groups(cluster):
        async with cluster_of(target, acting="kilde-guard-test", groups=(group, "system:authenticated")) as other:
            for resource, where, name in objects:
                found += await _by_people(other, group, resource, where, name)
    for user, subresource in ((_SCALER, "scale"), (_CONTROLLER, "status")):
        its = ("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated")
        async with cluster_of(target, acting=user, groups=its) as other:
            for resource, where, name in objects:
                if resource.plural in _SCALED:
                    answer = await other.refusal("PATCH", resource, where, name, subresource)
                    row = _row(user.rpartition(":")[2], f"write {subresource}", resource, where, name, answer)
                    found.append({**row, "verdict": "bad" if row["by"] == "guard" else "good"})
    return found


def _samples(
    discovery: Discovery, where: str, data: dict[str, str], only: Sequence[str]
) -> list[tuple[Resource, str, str]]:
    """One object of each kind in a namespace, and the namespaces that are guarded."""
    plurals = {(one.plural, one.group): one for one in discovery.all()}
    taken, found = set(), []
    for key in sorted(data.keys() - {WHOLE}):
        plural, group, name = key.split("_", 2)
        resource = plurals.get((plural, group))
        if resource is None or (only and (where or (name if plural == _NAMESPACES.plural else "")) not in only):
            continue
        if resource.group_kind not in taken:
            taken.add(resource.group_kind)
            found.append((resource, where, name))
    return found


async def _groups(cluster: "KubeCluster") -> list[str]:
    """The groups of people that RBAC names, and the one that may everything."""
    found = {_MASTERS}
    for resource in (_CLUSTER_ROLE_BINDINGS, _ROLE_BINDINGS):
        for raw in await cluster.list(resource):
            for subject in json.loads(raw).get("subjects") or ():
                if subject.get("kind") == "Group" and not str(subject.get("name", "")).startswith("system:"):
                    found.add(str(subject["name"]))
    return sorted(found)


async def _by_people(
    cluster: "KubeCluster", group: str, resource: Resource, where: str, name: str
) -> list[dict[str, str]]:
    tries: list[tuple[str, Any, str]] = [("change", "PATCH", ""), ("delete", "DELETE", "")]
    if resource.plural in _SCALED:
        tries.append(("scale", "PATCH", "scale"))
    found = []
    for word, method, subresource in tries:
        if word == "change" and resource.plural == _NAMESPACES.plural:
            continue  # labels of a namespace that is not in Git are nobody's
        row = _row(
            group, word, resource, where, name, await cluster.refusal(method, resource, where, name, subresource)
        )
        found.append({**row, "verdict": "good" if row["answer"] == "refused" else "bad"})
    return found


def _row(who: str, tries: str, resource: Resource, where: str, name: str, error: ClusterError | None) -> dict[str, str]:
    answer = "allowed" if error is None else "refused" if error.status in (403, 422) else f"failed ({error.status})"
    by = "" if error is None else "guard" if "kilde-guard" in error.what else "RBAC" if error.status == 403 else ""
    about = f"{resource.plural}/{name}" + (f" in {where}" if where else "")
    return {"who": who, "tries": tries, "object": about, "answer": answer, "by": by}
