"""What calls of Kubernetes' own functions, and of CEL's extensions, are estimated to cost (apiserver, pkg/cel/library/cost.go)."""

import math
from collections.abc import Callable, Mapping

from kilde.core.objects.cel.tree import Node
from kilde.kubeapi.resources.custom.estimate import MOST, NOTHING, ONE, Called, Estimate, Pair, fixed

_CIDR = Pair(4, 16)  # bytes of an address


def library(estimate: Estimate, node: Node) -> Called | None:
    """The cost of a call beside its arguments; None where it is not one of these."""
    make = _CALLS.get(node.name)
    if node.name in _NOMINAL:
        return Called(ONE)
    return make(estimate, node) if make is not None else None


def _through_items(estimate: Estimate, node: Node) -> Called | None:
    if node.target is None:
        return None
    if estimate.kind(node.target) == "string":
        return Called(estimate.traversed(node.target))
    each = ONE
    kind, size = estimate.item_of(node.target)
    if kind in ("string", "bytes"):
        each = each.plus(size.scaled(0.1))
    return Called(estimate.size(node.target).by(each))


def _through_target(estimate: Estimate, node: Node) -> Called | None:
    return Called(estimate.traversed(node.target), estimate.size(node.target)) if node.target is not None else None


def _through_argument(estimate: Estimate, node: Node) -> Called | None:
    return Called(estimate.traversed(node.parts[0])) if node.parts else None


def _url(estimate: Estimate, node: Node) -> Called | None:
    return Called(estimate.traversed(node.parts[0]), estimate.size(node.parts[0])) if node.parts else None


def _canonical(estimate: Estimate, node: Node) -> Called | None:
    return Called(estimate.traversed(node.parts[0], 2)) if node.parts else None


def _find(estimate: Estimate, node: Node) -> Called | None:
    if node.target is None:
        return None
    return Called(estimate.searched(node.target, node.parts[0]), Pair(0, estimate.size(node.target).most))


def _split(estimate: Estimate, node: Node) -> Called | None:
    if node.target is None:
        return None
    limit = node.parts[1] if len(node.parts) > 1 else None
    most = limit.value if limit is not None and limit.type == "int" else estimate.size(node.target).most
    return Called(estimate.traversed(node.target, 2), Pair(0, most))


def _join(estimate: Estimate, node: Node) -> Called | None:
    if node.target is None:
        return None
    count, (_, each) = estimate.size(node.target), estimate.item_of(node.target)
    size = count.by(each)
    if node.parts:
        between = Pair(max(count.least - 1, 0), max(count.most - 1, 0))
        size = size.plus(estimate.size(node.parts[0]).by(between))
    return Called(size.scaled(0.1), size)


def _replace(estimate: Estimate, node: Node) -> Called | None:
    if node.target is None or len(node.parts) < 2:
        return None
    text, old, new = (estimate.size(each) for each in (node.target, *node.parts[:2]))
    if old.least == 0:
        most = (min(text.most + 1, MOST), text.most)
    elif new.most <= old.least:
        most = (0, text.most)
    else:
        most = (math.ceil(float(text.most) / old.least), 0)
    if old.most == 0:
        least = (min(text.least + 1, MOST), text.least)
    elif old.most <= new.least:
        least = (0, text.least)
    else:
        least = (math.ceil(float(text.least) / old.most), 0)
    size = Pair(least[0], most[0]).by(new).plus(Pair(least[1], most[1]))
    return Called(estimate.traversed(node.target, 2), size)


def _ip(estimate: Estimate, node: Node) -> Called | None:
    return Called(ONE) if node.target is not None else _through_argument(estimate, node)


def _contains_ip(estimate: Estimate, node: Node) -> Called | None:
    cost = _CIDR.plus(_CIDR).scaled(0.1)
    return Called(cost.plus(_parsed(estimate, node)))


def _contains_cidr(estimate: Estimate, node: Node) -> Called | None:
    cost = _CIDR.plus(_CIDR).scaled(0.1).plus(_CIDR.scaled(0.1)).plus(ONE)
    return Called(cost.plus(_parsed(estimate, node)))


def _parsed(estimate: Estimate, node: Node) -> Pair:
    """A text is read before it is compared."""
    return estimate.traversed(node.parts[0]) if estimate.kind(node.parts[0]) == "string" else NOTHING


_LIST = fixed(10)  # to make a list
_MOST_FORMAT = 64  # characters of a named format's pattern


def _validate(estimate: Estimate, node: Node) -> Called | None:
    return Called(estimate.traversed(node.parts[0]).scaled(_MOST_FORMAT * 0.25)) if node.parts else None


def _sets(factor: float) -> Callable[[Estimate, Node], Called | None]:
    def cost(estimate: Estimate, node: Node) -> Called | None:
        if len(node.parts) != 2:
            return None
        pairs = estimate.size(node.parts[0]).by(estimate.size(node.parts[1]))
        return Called(pairs.scaled(factor).plus(ONE))

    return cost


def _made(size: Pair, factor: float = 1, result: Pair | None = None) -> Called:
    return Called(size.scaled(factor).plus(ONE).plus(_LIST), size if result is None else result)


def _number(node: Node, otherwise: int) -> int:
    return node.value if node.kind == "const" and node.type == "int" and node.value < 1 << 63 else otherwise


def _slice(estimate: Estimate, node: Node) -> Called | None:
    if node.target is None or len(node.parts) != 2:
        return None
    start, end = _number(node.parts[0], 0), _number(node.parts[1], estimate.size(node.target).most)
    return _made(fixed((end - start) % (1 << 64)))


def _range(estimate: Estimate, node: Node) -> Called | None:
    return _made(fixed(_number(node.parts[0], MOST))) if len(node.parts) == 1 else None


def _reverse(estimate: Estimate, node: Node) -> Called | None:
    return _made(estimate.size(node.target)) if node.target is not None else None


def _flatten(estimate: Estimate, node: Node) -> Called | None:
    if node.target is None:
        return None
    depth = _number(node.parts[0], MOST) if node.parts else 1
    return _made(estimate.size(node.target), depth)


def _distinct(estimate: Estimate, node: Node) -> Called | None:
    return _squared(estimate, node.target, 2.0) if node.target is not None else None


def _sort(estimate: Estimate, node: Node) -> Called | None:
    keys = node.parts[0] if node.parts else node.target
    if keys is None:
        return None
    return _squared(estimate, keys, 2.1 if estimate.item_of(keys)[0] in ("string", "bytes") else 2.0)


def _squared(estimate: Estimate, node: Node, factor: float) -> Called:
    size = estimate.size(node)
    return _made(size.by(size), factor)


_NOMINAL = frozenset(
    (
        *("masked", "prefixLength", "family", "isUnspecified", "isLoopback"),
        *("isLinkLocalMulticast", "isLinkLocalUnicast", "isGlobalUnicast"),
        *(
            "sign",
            "asInteger",
            "isInteger",
            "asApproximateFloat",
            "isGreaterThan",
            "isLessThan",
            "compareTo",
            "add",
            "sub",
        ),
        *("major", "minor", "patch", "format.named"),
        *("getScheme", "getHostname", "getHost", "getPort", "getEscapedPath", "getQuery"),
    )
)
_CALLS: Mapping[str, Callable[[Estimate, Node], Called | None]] = {
    **dict.fromkeys(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"), _through_items),
    **dict.fromkeys(("lowerAscii", "upperAscii", "substring", "trim"), _through_target),
    **dict.fromkeys(("cidr", "isIP", "isCIDR", "quantity", "isQuantity", "semver", "isSemver"), _through_argument),
    **dict.fromkeys(("find", "findAll"), _find),
    **dict.fromkeys(("sets.contains", "sets.intersects"), _sets(1)),
    "sets.equivalent": _sets(2),
    **dict.fromkeys(("sort", "@sortByAssociatedKeys"), _sort),
    "validate": _validate,
    "slice": _slice,
    "lists.range": _range,
    "reverse": _reverse,
    "flatten": _flatten,
    "distinct": _distinct,
    "url": _url,
    "replace": _replace,
    "split": _split,
    "join": _join,
    "ip": _ip,
    "ip.isCanonical": _canonical,
    "containsIP": _contains_ip,
    "containsCIDR": _contains_cidr,
}
