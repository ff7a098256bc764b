"""ObjectRef: which object, whatever its version. It prints as people name things: `apps/Deployment shop/web`."""

from dataclasses import dataclass
from typing import NamedTuple


class GroupKind(NamedTuple):
    """A kind and its group ("" for the core group)."""

    group: str
    kind: str

    def __str__(self) -> str:
        return f"{self.group}/{self.kind}" if self.group else self.kind


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """Group, kind, namespace ("" for cluster-scoped objects) and name."""

    group: str
    kind: str
    namespace: str
    name: str

    @property
    def group_kind(self) -> GroupKind:
        return GroupKind(self.group, self.kind)

    def __str__(self) -> str:
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.group_kind} {where}"


def parse_ref(text: str) -> ObjectRef | None:
    """The inverse of `str(ref)`; None for anything else."""
    kind, blank, place = text.partition(" ")
    if not blank or not kind or not place or " " in place:
        return None
    group, _, kind = kind.rpartition("/")
    namespace, _, name = place.rpartition("/")
    return ObjectRef(group, kind, namespace, name)


def split_api_version(api_version: str) -> tuple[str, str]:
    """`apps/v1` → ("apps", "v1"); `v1` → ("", "v1")."""
    group, _, version = api_version.rpartition("/")
    return group, version


def join_api_version(group: str, version: str) -> str:
    """The inverse of split_api_version."""
    return f"{group}/{version}" if group else version
