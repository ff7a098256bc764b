"""Release: the Kubernetes version that is served: its types, its resources and what it calls itself."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace

from kilde.core.basics.errors import InvalidInput
from kilde.core.objects.typed import schema
from kilde.core.objects.typed.schema import Types
from kilde.kubeapi.resources.kinds import BUILTIN, Resource

# What can be served: minor version → what it calls itself. Of those before the newest the schema data is that of their first patch.
RELEASES = {"1.33": "v1.33.0", "1.34": "v1.34.0", "1.35": "v1.35.0", "1.36": "v1.36.3"}
NEWEST = "1.36"  # the newest that conformance covers


@dataclass(frozen=True)
class Release:
    """`minor` is "1.36", `version` "v1.36.3"."""

    minor: str
    version: str

    @property
    def is_newest(self) -> bool:
        return self.minor == NEWEST

    @functools.cached_property
    def number(self) -> int:
        """36 of 1.36."""
        return int(self.minor.partition(".")[2])

    @functools.cached_property
    def types(self) -> Types:
        """The types of the built-in kinds."""
        return schema.builtin(self.minor)

    @functools.cached_property
    def resources(self) -> tuple[Resource, ...]:
        """The built-in resources, in the order of discovery."""
        return BUILTIN if self.is_newest else tuple(self._known())

    def _known(self) -> Iterator[Resource]:
        """Those of the newest release whose kinds this one has: of stable versions nothing has gone since."""
        for resource in BUILTIN:
            if self._has(resource.group, resource.version, resource.kind):
                subs = tuple(sub for sub in resource.sub_resources if not sub.body[1] or self._has(*sub.body))
                yield resource if subs == resource.sub_resources else replace(resource, sub_resources=subs)

    def _has(self, group: str, version: str, kind: str) -> bool:
        wanted = schema.Kind(group, version, kind)
        return (
            wanted in self.types.kinds or wanted not in schema.builtin(NEWEST).kinds
        )  # some bodies have no schema anywhere


@functools.cache
def release(text: str = NEWEST) -> Release:
    """The release of a version as people write it: `1.33`, `v1.33`, `1.33.4`. InvalidInput for one that cannot be served."""
    minor = ".".join(text.removeprefix("v").split(".")[:2])
    if minor not in RELEASES:
        raise InvalidInput(f"Kubernetes {text} cannot be served", hint=f"choose among {', '.join(RELEASES)}")
    return Release(minor, RELEASES[minor])
