"""What a namespace that is being deleted says of itself (controller/namespace/deletion/status_condition_utils.go)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from kilde.core.basics.values import Object

_FINE = (
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
)


class Remaining(Protocol):
    """An object that is still there."""

    def object(self) -> Object: ...


def remaining(left: Mapping[str, Sequence[Remaining]], before: Sequence[Object], now: str) -> list[Object]:
    """The conditions; `left` is what is still there by resource (`plural.group`), `before` the conditions so far, `now` RFC 3339."""
    counts = ", ".join(f"{_dotted(name)} has {len(found)} resource instances" for name, found in sorted(left.items()))
    finalizers: Counter[str] = Counter()
    for found in left.values():
        for each in found:
            finalizers.update(each.object()["metadata"].get("finalizers") or ())
    wanted = [(kind, "False", reason, message) for kind, reason, message in _FINE]
    wanted.append(
        ("NamespaceContentRemaining", "True", "SomeResourcesRemain", f"Some resources are remaining: {counts}")
    )
    if finalizers:
        held = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(finalizers.items()))
        message = f"Some content in the namespace has finalizers remaining: {held}"
        wanted.append(("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain", message))
    else:
        message = "All content-preserving finalizers finished"
        wanted.append(("NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers", message))
    since = {each.get("type"): (each.get("status"), each.get("lastTransitionTime")) for each in before}
    return [
        {
            "type": kind,
            "status": status,
            "lastTransitionTime": since[kind][1] if kind in since and since[kind][0] == status else now,
            "reason": reason,
            "message": message,
        }
        for kind, status, reason, message in wanted
    ]


def _dotted(resource: str) -> str:
    return resource if "." in resource else f"{resource}."
