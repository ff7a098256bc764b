"""Route: what a URL path asks for."""

from typing import NamedTuple


class Route(NamedTuple):
    """`/api/v1/…` and `/apis/<group>/<version>/…` taken apart; "" where a part is absent. `watch` marks the old `/watch/` paths,
    `nowhere` those whose namespace has no name (`/namespaces//pods`).
    """

    group: str
    version: str
    namespace: str = ""
    plural: str = ""
    name: str = ""
    subresource: str = ""
    rest: str = ""
    watch: bool = False
    nowhere: bool = False

    @property
    def within(self) -> bool:
        """Whether it is about what a namespace holds."""
        return bool(self.namespace) or self.nowhere


def route(path: str) -> Route | None:
    """The Route of a path below /api or /apis; None for any other path (and for `/api`, `/apis/<group>`)."""
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) >= 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) >= 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    watch = len(rest) > 1 and rest[0] == "watch"
    if watch:
        rest = rest[1:]
    namespace, nowhere = "", False
    # `namespaces/<name>` and its own sub-resources are the Namespace itself; anything further is inside it
    if (
        len(rest) >= 3
        and rest[0] == "namespaces"
        and not (len(rest) == 3 and rest[2] in ("status", "finalize") and not group)
    ):
        namespace, rest = rest[1], rest[2:]
        nowhere = not namespace
    plural, name, subresource = ([*rest[:3], "", "", ""])[:3]
    return Route(group, version, namespace, plural, name, subresource, "/".join(rest[3:]), watch, nowhere)
