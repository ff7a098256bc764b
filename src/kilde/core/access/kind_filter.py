"""Kinds that the owner of an installation takes out of all applications: `resource.exclusions` and `resource.inclusions` of argocd-cm.

An object of such a kind is not compared, applied, watched, pruned or deleted, and no orphan. The rules are Argo CD's: what it never has
anything to do with, then the exclusions, then, where inclusions name a cluster, everything that none of them names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kilde.core.access.globs import is_denial, matches
from kilde.core.access.orphans import is_looked_at
from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.reading import Reader
from kilde.core.objects.yaml_reader import read_documents

EXCLUSIONS: Final = "resource.exclusions"
INCLUSIONS: Final = "resource.inclusions"


@dataclass(frozen=True, slots=True)
class Kinds:
    """One entry: globs of groups and clusters, names of kinds. An empty list means all of them."""

    groups: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()

    def are_of(self, server: str) -> bool:
        return not self.clusters or any(_fits(glob, server) for glob in self.clusters)

    def have(self, group: str, kind: str) -> bool:
        of_group = not self.groups or any(_fits(glob, group) for glob in self.groups)
        return of_group and (not self.kinds or kind in self.kinds or "*" in self.kinds)


_NEVER: Final = (
    Kinds(groups=("events.k8s.io", "metrics.k8s.io")),
    Kinds(groups=("",), kinds=("Event",)),
    Kinds(groups=("coordination.k8s.io",), kinds=("Lease",)),
)


@dataclass(frozen=True, slots=True)
class KindFilter:
    """`exclusions` None: the ConfigMap says nothing of them. `problems`: why what it says cannot be read, in words."""

    exclusions: tuple[Kinds, ...] | None = None
    inclusions: tuple[Kinds, ...] = ()
    problems: tuple[str, ...] = ()
    _known: dict[tuple[str, str, str], bool] = field(default_factory=dict, compare=False, repr=False)

    def excludes(self, server: str, group: str, kind: str) -> bool:
        """Whether objects of the kind in that cluster are nobody's business."""
        found = self._known.get((server, group, kind))
        if found is None:
            found = self._known[server, group, kind] = self._excludes(server, group, kind)
        return found

    def _excludes(self, server: str, group: str, kind: str) -> bool:
        if any(each.are_of(server) and each.have(group, kind) for each in (*_NEVER, *(self.exclusions or ()))):
            return True
        here = [each for each in self.inclusions if each.are_of(server)]
        return bool(here) and not any(each.have(group, kind) for each in here)

    def hides(self, server: str, group: str, kind: str) -> bool:
        """Whether objects of the kind cannot be orphans; where the ConfigMap is silent, by what Argo CD's own says as it is shipped."""
        return self.excludes(server, group, kind) or (self.exclusions is None and not is_looked_at(group, kind))

    def check(self) -> None:
        """InvalidInput where the settings cannot be read: nothing is deployed or deleted by half of a list."""
        if self.problems:
            raise InvalidInput("; ".join(self.problems), about="argocd-cm")


def read_kind_filter(data: Mapping[str, Any]) -> KindFilter:
    """From the data of argocd-cm. Never raises: what cannot be read is in `problems`."""
    problems: list[str] = []
    exclusions = _entries(EXCLUSIONS, data[EXCLUSIONS], problems) if EXCLUSIONS in data else None
    inclusions = _entries(INCLUSIONS, data.get(INCLUSIONS) or "", problems)
    return KindFilter(exclusions, inclusions, tuple(problems))


def told(group: str, kind: str, name: str) -> str:
    """The condition of an application that has such an object, in Argo CD's words."""
    return f"Resource {group}/{kind} {name} is excluded in the settings"


def _entries(key: str, text: Any, problems: list[str]) -> tuple[Kinds, ...]:
    try:
        documents = read_documents(str(text).encode(), file=key)
    except InvalidInput as error:
        problems.append(str(error))
        return ()
    written = documents[0].value if documents else None
    if written is None:
        return ()
    if not isinstance(written, list):
        problems.append(f"{key} is not a list of apiGroups, kinds and clusters")
        return ()
    reader = Reader({key: written}, "argocd-cm")
    found = tuple(
        Kinds(each.texts("apiGroups"), each.texts("kinds"), each.texts("clusters")) for each in reader.items(key)
    )
    problems += reader.problems
    return found


def _fits(glob: str, text: str) -> bool:
    return not is_denial(glob) and matches(glob, text)
