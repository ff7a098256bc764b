"""Which application an object belongs to: Argo CD's tracking annotation.

`argocd.argoproj.io/tracking-id: <app>:<group>/<Kind>:<namespace>/<name>`; for a cluster-scoped object the namespace is the
application's destination namespace. An id that does not name the object that carries it was copied, and is ignored.
"""

from dataclasses import dataclass

from kilde.core.objects.ref import ObjectRef

ANNOTATION = "argocd.argoproj.io/tracking-id"


@dataclass(frozen=True, slots=True)
class TrackingId:
    """The application's instance name and the object it was written for."""

    app: str
    ref: ObjectRef

    def __str__(self) -> str:
        ref = self.ref
        return f"{self.app}:{ref.group}/{ref.kind}:{ref.namespace}/{ref.name}"

    def is_of(self, ref: ObjectRef) -> bool:
        """Whether the id was written for this object: cluster-scoped ones carry a namespace that does not count."""
        mine = self.ref
        same = (mine.group, mine.kind, mine.name) == (ref.group, ref.kind, ref.name)
        return same and (not ref.namespace or mine.namespace == ref.namespace)


def parse(text: str) -> TrackingId | None:
    """The id in an annotation's text; None if it is not one."""
    app, first, rest = text.partition(":")
    group_kind, second, place = rest.partition(":")
    group, slash, kind = group_kind.partition("/")
    namespace, slash2, name = place.partition("/")
    if not (app and first and second and slash and slash2 and kind and name):
        return None
    return TrackingId(app, ObjectRef(group, kind, namespace, name))


def owner(annotations: dict[str, str] | None, ref: ObjectRef) -> str:
    """The application that tracks the object `ref` with these annotations; "" if none does."""
    text = (annotations or {}).get(ANNOTATION, "")
    found = parse(text) if text else None
    return found.app if found and found.is_of(ref) else ""
