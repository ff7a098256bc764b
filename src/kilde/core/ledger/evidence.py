"""Judges a whole ledger: the chain, the tree, the keys, the checkpoints, the people and what retention gave up.

One walk over the records, as they are stored, decides whether anything is wrong; only then the slower judgement of chain.py says which
record, and what was done to it.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import NamedTuple, TypeAlias

import msgspec

from kilde.core.basics.errors import LedgerError
from kilde.core.basics.values import canonical
from kilde.core.ledger import chain
from kilde.core.ledger.chain import START, Anchor, Finding, Tampering, Verdict
from kilde.core.ledger.checkpoint import FIRST_KEY, NEXT_KEY, PublicKey, keys_of, read_checkpoint
from kilde.core.ledger.growth import leaf_of
from kilde.core.ledger.merkle import Edge, grown, root
from kilde.core.ledger.people import Person, is_true, references
from kilde.core.ledger.record import Record

Row: TypeAlias = tuple[int, str, str, str, str, str]
"""A record as it is stored: number, at, kind, body (canonical JSON), previous, hash."""
PRUNED = "records-pruned"
ERASED = "person-erased"
_KEYS = frozenset({FIRST_KEY, NEXT_KEY})
NOTICES = _KEYS | {PRUNED, ERASED}
"""Kinds of records that are about the ledger itself."""
_quoted = msgspec.json.encode


class Note(NamedTuple):
    """A checkpoint that somebody keeps, and who: what they have signed for cannot be unsaid."""

    keeper: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything a store holds. `rows` are those after `pruned`, whose leaves are kept; it can be read twice."""

    rows: Callable[[], Iterable[Row]]
    anchors: Sequence[Anchor] = ()
    edge: Edge | None = None
    nodes: Mapping[tuple[int, int], bytes] = field(default_factory=dict)
    has_tree: bool = True
    pruned: Sequence[str] = ()
    """The hashes of the records that retention gave up, from the first one on."""
    people: Mapping[str, Person] = field(default_factory=dict)
    notes: Sequence[Note] = ()
    trusted: PublicKey | None = None
    """A key that was given to us elsewhere: it must be among the ledger's own."""


class _Walk:
    """One pass over the rows: hashes, the tree and what records of our own kinds say."""

    def __init__(self, evidence: Evidence, sizes: Iterable[int]) -> None:
        self._sizes, self._marks = frozenset(sizes), {anchor.number for anchor in evidence.anchors}
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.roots: dict[int, bytes] = {0: root(())}
        self.hashes: dict[int, str] = {}
        self.told: list[tuple[int, str, dict[str, object]]] = []
        self.named: dict[str, int] = {}
        self.edge: Edge = ()
        self.number, self.hash = START.number, START.hash
        for hash_ in evidence.pruned:
            self._grow(hash_)
        self.clean = self._follow(evidence.rows())
        self.told = unfolded(self.told)

    def _follow(self, rows: Iterable[Row]) -> bool:
        clean = True
        for number, at, kind, body, previous, hash_ in rows:
            said = b'{"at":%b,"body":%b,"kind":%b,"number":%d,"previous":%b}' % (
                _quoted(at),
                body.encode("utf-8", "surrogatepass"),
                _quoted(kind),
                number,
                _quoted(previous),
            )
            if sha256(said).hexdigest() != hash_ or number != self.number + 1 or previous != self.hash:
                clean = False
            self._grow(hash_)
            if kind in NOTICES or '"person:' in body:
                self._note(number, kind, body)
        return clean

    def _grow(self, hash_: str) -> None:
        self.edge, done = grown(self.edge, self.number, leaf_of(hash_))
        self.number, self.hash = self.number + 1, hash_
        for level, place, value in done:
            self.nodes[level, place] = value
        if self.number in self._sizes:
            self.roots[self.number] = root(self.edge)
        if self.number in self._marks:
            self.hashes[self.number] = hash_

    def _note(self, number: int, kind: str, text: str) -> None:
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            return
        if isinstance(body, dict):
            if kind in NOTICES:
                self.told.append((number, kind, body))
            for ref in references(body):
                self.named.setdefault(ref, number)


def judge(evidence: Evidence) -> Verdict:
    """The verdict on everything. Findings are ordered by the record they are about; 0: about no single one."""
    walk = _Walk(evidence, _sizes(evidence.notes))
    base = Anchor(len(evidence.pruned), evidence.pruned[-1]) if evidence.pruned else START
    count = walk.number - base.number
    if walk.clean and _held(evidence.anchors, walk, base):
        head = Anchor(walk.number, walk.hash) if walk.number else None
        verdict = Verdict(count, head, ())
    else:
        verdict = chain.verify(map(record_of, evidence.rows()), evidence.anchors, base=base)
    findings = list(verdict.findings)
    keys, wrong = keys_of(walk.told)
    findings += [Finding(Tampering.ALTERED, number, what) for number, what in wrong]
    if not findings:
        findings += _tree(evidence, walk)
    findings += _retention(evidence, walk, keys)
    findings += _persons(evidence, walk)
    findings += _trust(evidence, keys)
    findings += _witnessed(evidence.notes, walk, keys)
    return replace(verdict, findings=tuple(sorted(findings, key=lambda one: (one.number, one.tampering, one.what))))


def record_of(row: Row) -> Record:
    """The record that a row says; a body that is no text of ours is kept as such, and its hash will say so."""
    number, at, kind, text, previous, hash_ = row
    try:
        body = json.loads(text)
        ours = isinstance(body, dict) and canonical(body).decode() == text
    except (ValueError, RecursionError, OverflowError):
        ours = False
    if not ours:
        body = {"altered": text}
    return Record(number=number, at=at, kind=kind, body=body, previous=previous, hash=hash_)


Told: TypeAlias = tuple[int, str, dict[str, object]]
"""Number, kind and body of a record of one of our own kinds."""


def unfolded(told: Iterable[Told]) -> list[Told]:
    """The same, begun by the keys and erasures of given-up records, which the record that gave them up repeats."""
    found = list(told)
    for number, kind, body in reversed(found):
        if kind == PRUNED:
            kept = body.get("kept")
            items = kept if isinstance(kept, list) else []
            said = [item for item in items if isinstance(item, dict) and isinstance(item.get("body"), dict)]
            return [*((number, str(item.get("kind")), item["body"]) for item in said), *found]
    return found


def to_keep(told: Iterable[Told], last: int) -> list[object]:
    """What a record that gives up the records up to `last` must repeat."""
    found = list(told)
    gone = next((number for number, kind, _ in reversed(found) if kind == PRUNED), 0)
    return [
        {"kind": kind, "body": body}
        for number, kind, body in unfolded(found)
        if kind in _KEYS | {ERASED} and (number <= last or number == gone)
    ]


def _sizes(notes: Iterable[Note]) -> set[int]:
    return {size for note in notes if (size := _claimed_size(note.text)) is not None}


def _claimed_size(text: str) -> int | None:
    lines = text.split("\n", 2)
    return int(lines[1]) if len(lines) > 1 and lines[1].isdigit() and len(lines[1]) < 16 else None


def _held(anchors: Iterable[Anchor], walk: _Walk, base: Anchor) -> bool:
    return all(
        anchor.number < base.number
        or (
            walk.hashes.get(anchor.number, START.hash if not anchor.number else "") == anchor.hash
            and (anchor.number == walk.number or not anchor.exact)
        )
        for anchor in anchors
    )


def _tree(evidence: Evidence, walk: _Walk) -> Iterator[Finding]:
    if not evidence.has_tree:
        return
    for key in sorted(walk.nodes.keys() | evidence.nodes.keys()):
        if walk.nodes.get(key) != evidence.nodes.get(key):
            level, place = key
            begin, end = (place << level) + 1, (place + 1) << level
            yield Finding(Tampering.ALTERED, begin, f"the tree's node over records {begin} to {end} is not theirs", end)
    if evidence.edge != walk.edge:
        yield Finding(Tampering.ALTERED, walk.number, "the tree's edge is not that of the records")


def _retention(evidence: Evidence, walk: _Walk, keys: Sequence[PublicKey]) -> Iterator[Finding]:
    """What is gone was given up by a record that says so, behind a signed checkpoint."""
    gone = len(evidence.pruned)
    if not gone:
        return
    said = [(number, body) for number, kind, body in walk.told if kind == PRUNED and body.get("last") == gone]
    if not said:
        yield Finding(
            Tampering.REMOVED, 1, f"records 1 to {gone} are missing, and no record says that they were given up", gone
        )
        return
    number, body = said[-1]
    edge: Edge = ()
    for size, hash_ in enumerate(evidence.pruned):
        edge, _ = grown(edge, size, leaf_of(hash_))
    try:
        checkpoint = read_checkpoint(str(body.get("checkpoint", "")), keys)
    except LedgerError as error:
        yield Finding(Tampering.ALTERED, number, f"the checkpoint behind which records were given up: {error}")
        return
    if (checkpoint.size, checkpoint.root) != (gone, root(edge)):
        yield Finding(
            Tampering.ALTERED, 1, f"the hashes of records 1 to {gone} are not those of the signed checkpoint", gone
        )


def _persons(evidence: Evidence, walk: _Walk) -> Iterator[Finding]:
    erased = {str(body.get("person")) for _, kind, body in walk.told if kind == ERASED}
    for ref, person in evidence.people.items():
        if not is_true(ref, person):
            yield Finding(
                Tampering.ALTERED, walk.named.get(ref, 0), "the person it names is not the one it was made with"
            )
        elif ref in erased:
            yield Finding(
                Tampering.INSERTED, walk.named.get(ref, 0), "the person it names was erased, and is there again"
            )
    for ref, number in walk.named.items():
        if ref not in evidence.people and ref not in erased:
            yield Finding(
                Tampering.REMOVED, number, "the person it names is missing, and no record says that they were erased"
            )


def _trust(evidence: Evidence, keys: Sequence[PublicKey]) -> Iterator[Finding]:
    if evidence.trusted is not None and evidence.trusted not in keys:
        yield Finding(
            Tampering.FORKED, 0, f"the key {evidence.trusted} is not among the ledger's own: it is another ledger"
        )


def _witnessed(notes: Iterable[Note], walk: _Walk, keys: Sequence[PublicKey]) -> Iterator[Finding]:
    for note in notes:
        try:
            checkpoint = read_checkpoint(note.text, keys)
        except LedgerError as error:
            yield Finding(Tampering.FORKED, 0, f"a checkpoint kept by {note.keeper}: {error.what}")
            continue
        if checkpoint.size > walk.number:
            what = f"{note.keeper} keeps a checkpoint of {checkpoint.size} records, {walk.number} are left"
            yield Finding(Tampering.TRUNCATED, walk.number + 1, what, checkpoint.size)
        elif walk.roots.get(checkpoint.size) != checkpoint.root:
            what = f"{note.keeper} keeps a checkpoint of the first {checkpoint.size} records, and these are others"
            yield Finding(Tampering.FORKED, checkpoint.size, what)
