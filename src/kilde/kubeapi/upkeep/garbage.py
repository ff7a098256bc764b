"""Garbage: objects whose owners are gone, are going (foreground), or let them go (orphan); by ownerReferences and their uids."""

from collections.abc import Iterable
from typing import NamedTuple

from kilde.core.basics.values import Object
from kilde.kubeapi.logic.deletion import FOREGROUND, ORPHAN
from kilde.kubeapi.storage.records import Change, Key, Record
from kilde.kubeapi.upkeep.remove import remove, rewrite
from kilde.kubeapi.webhooks.questions import Memory
from kilde.kubeapi.world import World


class _Node(NamedTuple):
    key: Key
    owners: tuple[str, ...]
    going: bool


class Garbage:
    """The graph of owners and dependents, kept in step with the store; `attend` acts on one object."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._nodes: dict[str, _Node] = {}
        self._dependents: dict[str, set[str]] = {}
        self.waiting: dict[str, None] = {}
        for resource in world.store.resources():
            for record in world.store.all(resource):
                self._know(record)

    def changed(self, change: Change) -> None:
        """Takes a change into the graph and remembers whom it concerns."""
        if change.after is not None:
            self._know(change.after)
        elif change.before is not None:
            self._forget(change.before)

    def _know(self, record: Record) -> None:
        if b'"ownerReferences"' not in record.data and b'"finalizers"' not in record.data:
            uid = uid_of(record)
            known = self._nodes.get(uid)
            if known is None or known.owners:
                self._place(uid, _Node(record.key, (), going=False))
            return
        obj = record.object()
        meta = obj["metadata"]
        uid, owners = meta["uid"], tuple(owner["uid"] for owner in meta.get("ownerReferences") or ())
        finalizers = meta.get("finalizers") or ()
        going = bool(meta.get("deletionTimestamp")) and (FOREGROUND in finalizers or ORPHAN in finalizers)
        self._place(uid, _Node(record.key, owners, going))
        if going or (owners and not all(owner in self._nodes for owner in owners)):
            self.waiting[uid] = None
        if meta.get("deletionTimestamp"):
            self.waiting.update(dict.fromkeys(owners))

    def _place(self, uid: str, node: _Node) -> None:
        before = self._nodes.get(uid)
        if before is not None and before.owners != node.owners:
            for owner in before.owners:
                self._dependents.get(owner, set()).discard(uid)
        self._nodes[uid] = node
        for owner in node.owners:
            self._dependents.setdefault(owner, set()).add(uid)

    def _forget(self, record: Record) -> None:
        uid = uid_of(record)
        node = self._nodes.pop(uid, None)
        if node is None:
            return
        for owner in node.owners:
            self._dependents.get(owner, set()).discard(uid)
            self.waiting[owner] = None
        self.waiting.update(dict.fromkeys(self._dependents.get(uid, ())))
        if not self._dependents.get(uid):
            self._dependents.pop(uid, None)

    def attend(self, uid: str, memory: Memory) -> None:
        """Does what is due for one object. Waits."""
        node = self._nodes.get(uid)
        record = self._world.store.get(node.key) if node else None
        if node is None or record is None:
            return
        meta = record.object()["metadata"]
        if meta["uid"] != uid:
            return
        if node.going:
            self._let_go(uid, node, meta, memory)
        elif node.owners:
            self._check_owners(uid, node, meta, memory)

    def _check_owners(self, uid: str, node: _Node, meta: Object, memory: Memory) -> None:
        """Deletes what no owner is left of; otherwise drops the references to those that are gone."""
        references = meta.get("ownerReferences") or []
        solid = [each for each in references if each["uid"] in self._nodes]
        if solid and len(solid) == len(references):
            return
        if solid:
            rewrite(self._world, node.key, {"ownerReferences": solid})
        elif not meta.get("deletionTimestamp"):
            remove(self._world, node.key, uid=uid, memory=memory)

    def _let_go(self, uid: str, node: _Node, meta: Object, memory: Memory) -> None:
        finalizers = list(meta.get("finalizers") or ())
        dependents = [self._nodes[each] for each in sorted(self._dependents.get(uid, ())) if each in self._nodes]
        if ORPHAN in finalizers:
            self._orphan(uid, dependents)
            finalizers.remove(ORPHAN)
            rewrite(self._world, node.key, {"finalizers": finalizers})
        elif self._foreground(uid, dependents, memory):
            finalizers.remove(FOREGROUND)
            rewrite(self._world, node.key, {"finalizers": finalizers})

    def _orphan(self, uid: str, dependents: Iterable[_Node]) -> None:
        for node in dependents:
            record = self._world.store.get(node.key)
            if record is not None:
                kept = [each for each in record.object()["metadata"].get("ownerReferences") or () if each["uid"] != uid]
                rewrite(self._world, node.key, {"ownerReferences": kept})

    def _foreground(self, uid: str, dependents: Iterable[_Node], memory: Memory) -> bool:
        """Deletes the dependents; whether none is left that blocks its owner."""
        free = True
        for node in dependents:
            record = self._world.store.get(node.key)
            if record is None:
                continue
            meta = record.object()["metadata"]
            references = meta.get("ownerReferences") or ()
            blocks = any(each["uid"] == uid and each.get("blockOwnerDeletion") for each in references)
            others = [each for each in references if each["uid"] != uid and each["uid"] in self._nodes]
            if others:
                rewrite(self._world, node.key, {"ownerReferences": others})
                continue
            if not meta.get("deletionTimestamp"):
                has_own = bool(self._dependents.get(meta["uid"]))
                propagation = "Foreground" if has_own else "Background"
                remove(self._world, node.key, uid=meta["uid"], propagation=propagation, memory=memory)
            if blocks and self._world.store.get(node.key) is not None:
                free = False
        return free


def uid_of(record: Record) -> str:
    """The uid, found without reading the whole object."""
    start = record.data.find(b'"uid":"', record.data.find(b'"metadata":'))
    found = record.data[start + 7 : start + 43]
    if start >= 0 and record.data[start + 43 : start + 44] == b'"':
        guess = found.decode("ascii", "replace")
        if b'"ownerReferences"' not in record.data:
            return guess
    return str(record.object()["metadata"]["uid"])
