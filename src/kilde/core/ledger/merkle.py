"""The Merkle tree over the records: grown by one leaf at a time, and proofs that anybody can check (RFC 9162 §2.1).

A leaf's data are the 32 bytes of a record's hash. Sizes count leaves; leaf `index` is record `index + 1`. A node is named by its
level (0: a leaf) and its place among the complete subtrees of that level.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple, TypeAlias

HASH = 32
TILE = 8
"""Levels between two that are stored: a stored node answers for 2**TILE of the stored level below it."""
EMPTY = sha256(b"").digest()
"""The root of a tree without leaves."""

Edge: TypeAlias = tuple[bytes, ...]
"""The roots of the complete subtrees that a tree falls into, the largest first: all that growing needs."""
NodeAt: TypeAlias = Callable[[int, int], bytes]
"""Level and place → the hash of that complete subtree."""


class Node(NamedTuple):
    """A complete subtree that is worth storing."""

    level: int
    place: int
    hash: bytes


def leaf_hash(data: bytes) -> bytes:
    """MTH of one entry."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """MTH of two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def grown(edge: Edge, size: int, leaf: bytes) -> tuple[Edge, list[Node]]:
    """The edge of a tree of `size` leaves with one leaf more, and the nodes of stored levels that this completed."""
    stack, level, place, done = list(edge), 0, size, []
    while place & 1:
        leaf = node_hash(stack.pop(), leaf)
        level, place = level + 1, place >> 1
        if level % TILE == 0:
            done.append(Node(level, place, leaf))
    stack.append(leaf)
    return tuple(stack), done


def root(edge: Edge) -> bytes:
    """The root of the tree with that edge."""
    if not edge:
        return EMPTY
    found = edge[-1]
    for left in reversed(edge[:-1]):
        found = node_hash(left, found)
    return found


def packed(edge: Edge) -> bytes:
    """An edge as bytes, to be stored."""
    return b"".join(edge)


def unpacked(stored: bytes, size: int) -> Edge | None:
    """The edge that was packed; None where it cannot be that of a tree of that size."""
    if len(stored) != HASH * size.bit_count():
        return None
    return tuple(stored[at : at + HASH] for at in range(0, len(stored), HASH))


def edge_at(node: NodeAt, size: int) -> Edge:
    """The edge of the first `size` leaves."""
    found, begin = [], 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            found.append(node(level, begin >> level))
            begin += 1 << level
    return tuple(found)


def _hash_of(node: NodeAt, begin: int, end: int) -> bytes:
    """MTH(D[begin:end]), where `begin` is a multiple of the power of two at or above the width."""
    width = end - begin
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return node(level, begin >> level)
    middle = begin + _split(width)
    return node_hash(_hash_of(node, begin, middle), _hash_of(node, middle, end))


def _split(width: int) -> int:
    """The largest power of two below the width."""
    return int(1 << ((width - 1).bit_length() - 1))


def inclusion(node: NodeAt, index: int, size: int) -> list[bytes]:
    """The path from a leaf to the root of the first `size` leaves (§2.1.3.1), the lowest first."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    begin, end, path = 0, size, []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(_hash_of(node, middle, end))
            end = middle
        else:
            path.append(_hash_of(node, begin, middle))
            begin = middle
    return path[::-1]


def consistency(node: NodeAt, old: int, size: int) -> list[bytes]:
    """What shows that the first `old` leaves of a tree of `size` are what they were (§2.1.4.1)."""
    if not 0 < old <= size:
        raise ValueError(f"a tree of {old} is no beginning of one of {size}")
    begin, end, whole, path = 0, size, True, []
    while old - begin < end - begin:
        middle = begin + _split(end - begin)
        if old <= middle:
            path.append(_hash_of(node, middle, end))
            end = middle
        else:
            path.append(_hash_of(node, begin, middle))
            begin, whole = middle, False
    if not whole:
        path.append(_hash_of(node, begin, end))
    return path[::-1]


def root_by_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that a path leads to (§2.1.3.2); None where the path cannot belong to that leaf of a tree of that size."""
    if not 0 <= index < size:
        return None
    here, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            return None
        if here & 1 or here == last:
            found = node_hash(step, found)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            found = node_hash(found, step)
        here, last = here >> 1, last >> 1
    return found if last == 0 else None


def is_consistent(old: int, old_root: bytes, size: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the path shows that the tree of `size` begins with the one of `old` (§2.1.4.2)."""
    if not 0 < old <= size:
        return False
    if old == size:
        return not path and old_root == new_root
    steps = list(path)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    here, last = old - 1, size - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    before = after = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            before, after = node_hash(step, before), node_hash(step, after)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            after = node_hash(after, step)
        here, last = here >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root


class Tiles:
    """Nodes of every level, from the stored ones: `fetch(level, begin, end)` gives those of a level that is a multiple of TILE.

    What was worked out is kept for a while: proofs of neighbours need the same nodes.
    """

    def __init__(self, fetch: Callable[[int, int, int], Sequence[bytes]], *, most: int = 64) -> None:
        self._fetch, self._most = fetch, most
        self._known: OrderedDict[tuple[int, int], list[list[bytes]]] = OrderedDict()

    def __call__(self, level: int, place: int) -> bytes:
        storey, rest = divmod(level, TILE)
        tile = place >> (TILE - rest)
        return self._tile(storey, tile)[rest][place - (tile << (TILE - rest))]

    def _tile(self, storey: int, tile: int) -> list[list[bytes]]:
        key = (storey, tile)
        if key not in self._known:
            begin = tile << TILE
            self._known[key] = list(_pyramid(self._fetch(storey * TILE, begin, begin + (1 << TILE))))
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]


def _pyramid(hashes: Sequence[bytes]) -> Iterator[list[bytes]]:
    """The stored nodes of a tile, and the complete ones above them, level by level."""
    level = list(hashes)
    for _ in range(TILE):
        yield level
        level = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
