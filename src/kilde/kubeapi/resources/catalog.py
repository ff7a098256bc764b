"""Catalog: the resources that a server serves at one moment, by path, by kind and in the order of discovery."""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property

from kilde.kubeapi.resources.kinds import BUILTIN, GROUP_ORDER, Resource

_KUBE_VERSION = re.compile(r"v([1-9][0-9]{0,8})(?:(alpha|beta)([1-9][0-9]{0,8}))?")
_STAGES = ("", "beta", "alpha")


class Catalog:
    """The resources a server serves at one moment: the built-in ones and those of its CRDs. A value: a changed CRD makes a new one."""

    def __init__(self, custom: Iterable[Resource] = (), builtin: Iterable[Resource] = BUILTIN) -> None:
        self.resources: tuple[Resource, ...] = (*builtin, *custom)
        self._by_path = {(found.group, found.version, found.plural): found for found in self.resources}
        self._by_kind = {(found.group, found.version, found.kind): found for found in self.resources}

    def at(self, group: str, version: str, plural: str) -> Resource | None:
        """The resource behind `/apis/<group>/<version>/…/<plural>`; None if nothing is served there."""
        return self._by_path.get((group, version, plural))

    def of_kind(self, group: str, version: str, kind: str) -> Resource | None:
        """The resource of that kind; None if it is not served."""
        return self._by_kind.get((group, version, kind))

    def equivalents(self, resource: Resource, sub_resource: str = "") -> tuple[Resource, ...]:
        """The other resources that show the same objects, and have this sub-resource, in the order in which they are served."""
        return tuple(
            other
            for other in self._by_storage.get(resource.kept_as, ())
            if other is not resource and (not sub_resource or other.sub_resource(sub_resource))
        )

    @cached_property
    def _by_storage(self) -> Mapping[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for resource in self.resources:
            found.setdefault(resource.kept_as, []).append(resource)
        return found

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """All groups but the core group, in the order of discovery: the built-in ones, then those of CRDs by name."""
        served = {found.group for found in self.resources}
        known = [group for group in GROUP_ORDER if group in served]
        return (*known, *sorted(served - set(known) - {""}))

    @cached_property
    def _versions(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, dict[str, None]] = {}
        custom = set()
        for resource in self.resources:
            found.setdefault(resource.group, {})[resource.version] = None
            if resource.custom:
                custom.add(resource.group)
        return {
            group: tuple(sorted(versions, key=version_priority) if group in custom else versions)
            for group, versions in found.items()
        }

    def versions(self, group: str) -> tuple[str, ...]:
        """The versions of a group, the preferred one first; empty if the group is not served."""
        return self._versions.get(group, ())

    def of_group_version(self, group: str, version: str) -> tuple[Resource, ...]:
        """The resources of a group and version in the order of discovery (by path)."""
        found = (found for found in self.resources if found.group == group and found.version == version)
        return tuple(sorted(found, key=lambda found: found.plural))


def version_priority(version: str) -> tuple[int, int, int, str]:
    """Sorts versions as Kubernetes prefers them: v10, v2, v1, v2beta1, v2alpha2, v1alpha1, foo1.

    The rule is apimachinery's CompareKubeAwareVersionStrings.
    """
    found = _KUBE_VERSION.fullmatch(version)
    if found is None:
        return len(_STAGES), 0, 0, version
    major, stage, minor = found.groups()
    return _STAGES.index(stage or ""), -int(major), -int(minor or 0), ""
