"""Orphans: objects in an application's namespace that no application tracks, where its AppProject asks about them (`orphanedResources`).

The rules are Argo CD's: an object that has no owner and that no application of the fleet has, and all that it owns in turn; not what the
project forbids, nor what every namespace has by itself.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kilde.core.access.globs import is_denial, matches
from kilde.core.basics.reading import Reader
from kilde.core.objects.ref import ObjectRef

CONDITION: Final = "OrphanedResourceWarning"
# What Argo CD never watches, and what its argocd-cm excludes as it is shipped: groups, and kinds ("*": all of them).
_NOT_LOOKED_AT: Final = (
    (("events.k8s.io", "metrics.k8s.io"), ("*",)),
    (("",), ("Event", "Endpoints")),
    (("discovery.k8s.io",), ("EndpointSlice",)),
    (("coordination.k8s.io",), ("Lease",)),
    (("authentication.k8s.io", "authorization.k8s.io"), ("*",)),
    (("certificates.k8s.io",), ("CertificateSigningRequest",)),
    (("cert-manager.io",), ("CertificateRequest",)),
    (("cilium.io",), ("CiliumIdentity", "CiliumEndpoint", "CiliumEndpointSlice")),
    (
        ("kyverno.io", "reports.kyverno.io", "wgpolicyk8s.io"),
        (
            *("PolicyReport", "ClusterPolicyReport", "EphemeralReport", "ClusterEphemeralReport"),
            *("AdmissionReport", "ClusterAdmissionReport", "BackgroundScanReport", "ClusterBackgroundScanReport"),
            "UpdateRequest",
        ),
    ),
)
_ACCOUNT_OF = "kubernetes.io/service-account.name"
_ORDINAL = re.compile(r"-\d+$")


@dataclass(frozen=True, slots=True)
class OrphanRules:
    """Whether applications warn of orphans, and which objects are none: group, kind and name as globs ("" for any kind or name)."""

    warn: bool = False
    ignore: tuple[tuple[str, str, str], ...] = ()

    def ignores(self, ref: ObjectRef) -> bool:
        return any(
            (not kind or _fits(kind, ref.kind)) and _fits(group, ref.group) and (not name or _fits(name, ref.name))
            for group, kind, name in self.ignore
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of an object that is there: its uid, the uids of its owners, the application that tracks it, whose token it is."""

    ref: ObjectRef
    uid: str
    owners: tuple[str, ...] = ()
    app: str = ""
    token_of: str = ""


def read_orphans(at: Reader) -> OrphanRules | None:
    """The field of a project's spec; None where it is not there: then nobody asks."""
    if not at.has("orphanedResources"):
        return None
    found = at.mapping("orphanedResources")
    ignore = tuple((one.text("group"), one.text("kind"), one.text("name")) for one in found.items("ignore"))
    return OrphanRules(found.flag("warn"), ignore)


def is_looked_at(group: str, kind: str) -> bool:
    """Whether objects of the kind can be orphans at all."""
    return not any(group in groups and (kind in kinds or "*" in kinds) for groups, kinds in _NOT_LOOKED_AT)


def seen_of(ref: ObjectRef, meta: Mapping[str, Any], app: str) -> Seen:
    """From an object's metadata; `app`: the application that tracks it."""
    owners = tuple(str(owner.get("uid", "")) for owner in meta.get("ownerReferences") or () if isinstance(owner, dict))
    token_of = str((meta.get("annotations") or {}).get(_ACCOUNT_OF, "")) if ref.kind == "Secret" else ""
    return Seen(ref, str(meta.get("uid", "")), owners, app, token_of)


def orphans(
    rules: OrphanRules,
    there: Iterable[Seen],
    *,
    managed: Collection[ObjectRef],
    is_app: Callable[[str], bool],
    permits: Callable[[ObjectRef], bool],
) -> tuple[ObjectRef, ...]:
    """The orphans among all that is in one namespace, in order.

    `managed`: what the application wants or has; `is_app`: whether an application of that name exists; `permits`: what the project says.
    """
    everything = sorted(there, key=lambda one: one.ref)
    children = _children(everything)
    owned = {child.ref for found in children.values() for child in found}
    found: dict[ObjectRef, None] = {}
    roots = [
        one
        for one in everything
        if not one.owners
        and one.ref not in owned
        and one.ref not in managed
        and not _is_everywhere(one.ref)
        and not rules.ignores(one.ref)
    ]
    waiting = list(reversed(roots))
    while waiting:
        one = waiting.pop()
        if one.ref in found or (one.app and is_app(one.app)) or not permits(one.ref):
            continue
        found[one.ref] = None
        waiting += children.get(one.uid, ())
    return tuple(sorted(found))


def orphan_conditions(rules: OrphanRules | None, count: int) -> list[tuple[str, str]]:
    """What an application tells, in Argo CD's words."""
    warns = rules is not None and rules.warn and count > 0
    return [(CONDITION, f"Application has {count} orphaned resources")] if warns else []


def by_namespace(refs: Iterable[ObjectRef]) -> dict[str, int]:
    """How many there are in each namespace, the most first: applications that share one are not counted twice."""
    return dict(Counter(ref.namespace for ref in set(refs)).most_common())


def _children(there: Iterable[Seen]) -> dict[str, list[Seen]]:
    """Who owns whom, by uid: by owner references, and where Kubernetes writes none (tokens of accounts, claims of StatefulSets)."""
    there = tuple(there)
    accounts = {one.ref.name: one.uid for one in there if one.ref.kind == "ServiceAccount" and not one.ref.group}
    sets = {one.ref.name: one.uid for one in there if (one.ref.group, one.ref.kind) == ("apps", "StatefulSet")}
    children: dict[str, list[Seen]] = {}
    for one in there:
        for uid in one.owners or _inferred(one, accounts, sets):
            children.setdefault(uid, []).append(one)
    return children


def _inferred(one: Seen, accounts: Mapping[str, str], sets: Mapping[str, str]) -> Iterator[str]:
    if one.token_of in accounts:
        yield accounts[one.token_of]
    if (one.ref.group, one.ref.kind) == ("", "PersistentVolumeClaim") and sets:
        base = _ORDINAL.sub("", one.ref.name)
        if base != one.ref.name:
            yield from (uid for name, uid in sets.items() if base.endswith(f"-{name}"))


def _is_everywhere(ref: ObjectRef) -> bool:
    """What Kubernetes itself puts into namespaces."""
    if ref.group:
        return False
    here = (ref.kind, ref.name)
    return here in (("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")) or (
        here == ("Service", "kubernetes") and ref.namespace == "default"
    )


def _fits(pattern: str, text: str) -> bool:
    return not is_denial(pattern) and matches(pattern, text)
