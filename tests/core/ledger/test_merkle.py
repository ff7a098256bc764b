"""Roots and proofs of every size up to 2,000 are RFC 9162's, and nothing else passes for one."""

import hashlib
from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.ledger import rfc9162
from kilde.core.ledger.merkle import (
    EMPTY,
    Edge,
    Node,
    Tiles,
    consistency,
    edge_at,
    grown,
    inclusion,
    is_consistent,
    leaf_hash,
    packed,
    root,
    root_by_inclusion,
    unpacked,
)

MOST = 2000
ENTRIES = [hashlib.sha256(str(number).encode()).digest() for number in range(MOST)]


class Grown:
    """A tree of MOST leaves, grown one by one, as the store keeps it: leaves and stored nodes."""

    def __init__(self) -> None:
        self.edges: list[Edge] = [()]
        self.stored: dict[int, list[bytes]] = {0: []}
        for size, entry in enumerate(ENTRIES):
            edge, nodes = grown(self.edges[-1], size, leaf_hash(entry))
            self.edges.append(edge)
            for node in (Node(0, size, leaf_hash(entry)), *nodes):
                level = self.stored.setdefault(node.level, [])
                assert node.place == len(level)
                level.append(node.hash)

    def fetch(self, level: int, begin: int, end: int) -> Sequence[bytes]:
        return self.stored.get(level, [])[begin:end]


@cache
def tree() -> Grown:
    return Grown()


@cache
def mth(begin: int, end: int) -> bytes:
    """The definition, each part worked out once."""
    if end - begin < 2:
        return rfc9162.mth(ENTRIES[begin:end])
    middle = begin + rfc9162.split(end - begin)
    return rfc9162.sha(b"\1" + mth(begin, middle) + mth(middle, end))


def test_the_known_answers_of_the_definition() -> None:
    # worked out by hand: SHA-256 of nothing, of 0x00, and of 0x01 with two of the latter
    assert EMPTY.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    two = hashlib.sha256(b"\x01" + leaf_hash(b"") * 2).digest()
    edge, _ = grown((leaf_hash(b""),), 1, leaf_hash(b""))
    assert edge == (two,)


def test_every_size_has_the_root_of_the_definition() -> None:
    nodes = Tiles(tree().fetch)
    for size in range(MOST + 1):
        edge = tree().edges[size]
        assert root(edge) == mth(0, size), size
        assert edge_at(nodes, size) == edge
        assert unpacked(packed(edge), size) == edge
    assert unpacked(b"", 1) is None


def test_every_size_has_the_inclusion_proofs_of_the_definition() -> None:
    nodes = Tiles(tree().fetch)
    for size in range(1, MOST + 1):
        for index in {0, size // 3, size // 2, size - 1}:
            path = inclusion(nodes, index, size)
            assert root_by_inclusion(leaf_hash(ENTRIES[index]), index, size, path) == mth(0, size), (index, size)


def test_every_size_has_the_consistency_proofs_of_the_definition() -> None:
    nodes = Tiles(tree().fetch)
    for size in range(1, MOST + 1):
        for old in {1, max(1, size // 3), max(1, size - 1), size, rfc9162.split(size) if size > 1 else 1}:
            path = consistency(nodes, old, size)
            assert is_consistent(old, mth(0, old), size, mth(0, size), path), (old, size)


@pytest.mark.parametrize("size", [*range(1, 40), 255, 256, 257, 300])
def test_proofs_are_the_same_hashes_in_the_same_order(size: int) -> None:
    nodes, entries = Tiles(tree().fetch), ENTRIES[:size]
    step = 1 if size < 40 else 37
    assert [inclusion(nodes, m, size) for m in range(0, size, step)] == [
        rfc9162.path(m, entries) for m in range(0, size, step)
    ]
    assert [consistency(nodes, m, size) for m in range(1, size + 1, step)] == [
        rfc9162.proof(m, entries) for m in range(1, size + 1, step)
    ]


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_nothing_else_passes_for_an_inclusion_proof(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, MOST))
    index = data.draw(st.integers(0, size - 1))
    path = inclusion(Tiles(tree().fetch), index, size)
    leaf = leaf_hash(ENTRIES[index])
    forged = list(path)
    how = data.draw(st.sampled_from(["leaf", "index", "bit", "short", "long"]))
    if how == "leaf":
        leaf = bytes([leaf[0] ^ 1]) + leaf[1:]
    elif how == "index":
        index = data.draw(st.integers(-1, size).filter(lambda other: other != index))
    elif how == "long":
        forged.insert(data.draw(st.integers(0, len(path))), b"x" * 32)
    elif not path:
        return
    elif how == "short":
        del forged[data.draw(st.integers(0, len(path) - 1))]
    else:
        at = data.draw(st.integers(0, len(path) - 1))
        forged[at] = forged[at][:31] + bytes([forged[at][31] ^ 128])

    assert root_by_inclusion(leaf, index, size, forged) != mth(0, size)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_nothing_else_passes_for_a_consistency_proof(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, MOST))
    old = data.draw(st.integers(1, size - 1))
    path = consistency(Tiles(tree().fetch), old, size)
    before, after = mth(0, old), mth(0, size)
    forged = list(path)
    how = data.draw(st.sampled_from(["before", "after", "bit", "short", "long", "order"]))
    at = data.draw(st.integers(0, len(path) - 1))
    if how == "before":
        before = after
    elif how == "after":
        after = before
    elif how == "bit":
        forged[at] = forged[at][:31] + bytes([forged[at][31] ^ 128])
    elif how == "short":
        del forged[at]
    elif how == "long":
        forged.insert(at, b"x" * 32)
    else:
        forged.reverse()
        if forged == path:
            return

    assert not is_consistent(old, before, size, after, forged)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_what_is_not_in_the_tree_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="is not in a tree of"):
        inclusion(Tiles(tree().fetch), index, size)
    with pytest.raises(ValueError, match="is no beginning of"):
        consistency(Tiles(tree().fetch), size + 1, size)
