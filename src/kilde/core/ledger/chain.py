"""Verifies a chain of records: trust runs backwards from the head, because each hash answers for everything before it.

What is found: a record that was altered, removed, inserted, put elsewhere, and records cut off at the end. What a chain alone cannot
show: that somebody who can write both the records and every copy of the head made the whole of it anew. Against that keep the head's
hash where they cannot write (`kilde ledger verify` prints it, `--head` takes it).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from kilde.core.ledger.record import GENESIS, Record, record_hash


class Tampering(StrEnum):
    """What may have been done to a ledger."""

    ALTERED = "altered"
    REMOVED = "removed"
    INSERTED = "inserted"
    REORDERED = "reordered"
    TRUNCATED = "truncated"
    FORKED = "forked"
    """It is another ledger than the one that was signed, from some record on."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and the number of the record it is about (`last` > `number`: up to that one)."""

    tampering: Tampering
    number: int
    what: str
    last: int = 0


class Anchor(NamedTuple):
    """A head that was written down: the ledger holds at least that record, with that hash."""

    number: int
    hash: str
    exact: bool = False
    """True: it is kept in step with the ledger, so nothing comes after it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found; `head` is the last record that belongs to the chain (None: there is none)."""

    records: int
    head: Anchor | None
    findings: tuple[Finding, ...]

    @property
    def intact(self) -> bool:
        return not self.findings


class _Link(NamedTuple):
    """A record as the chain sees it. `own` is its hash worked out anew; `place` is its position in the file."""

    number: int
    previous: str
    hash: str
    own: str
    place: int
    home: int  # the number under which the content gives the recorded hash; 0: under none that was tried


START = Anchor(0, GENESIS)
"""What every chain begins after, unless its first records were given up on purpose (retention)."""


def verify(records: Iterable[Record], anchors: Sequence[Anchor] = (), *, base: Anchor = START) -> Verdict:
    """Judges records in the order they are stored, those after `base`. Every single change that the chain can show is named."""
    links = [_link(record, base.number + place) for place, record in enumerate(records)]
    walk = _Walk(links, base)
    anchors = [anchor for anchor in anchors if anchor.number > base.number]
    top = _top(links, anchors)
    findings = list(_cut_off(links, anchors, base.number))
    findings += walk.back_from(top, doubted=any(top is not None and f.number == top.number for f in findings))
    findings += _strangers(links, walk.belonging, {f.number for f in findings})
    findings += _out_of_order(links, walk.belonging)
    head = Anchor(top.number, top.own) if top else None
    told = {(finding.number, finding.tampering): finding for finding in reversed(findings)}  # the first word on each
    return Verdict(len(links), head, tuple(told[key] for key in sorted(told)))


def _link(record: Record, place: int) -> _Link:
    def hash_as(number: int) -> str:
        return record_hash(number=number, at=record.at, kind=record.kind, body=record.body, previous=record.previous)

    own = hash_as(record.number)
    home = record.number if own == record.hash else 0
    if not home:
        near = (n for n in (place + 1, record.number - 1, record.number + 1) if n > 0)
        home = next((n for n in near if hash_as(n) == record.hash), 0)
    return _Link(record.number, record.previous, record.hash, own, place, home)


def _top(links: Sequence[_Link], anchors: Sequence[Anchor]) -> _Link | None:
    """Where the walk begins: what an exact anchor names, else the last record that tells the truth about itself."""
    for anchor in anchors:
        if anchor.exact:
            for link in links:
                if anchor.hash in (link.hash, link.own):
                    return link
    honest = [link for link in links if link.own == link.hash] or list(links)
    return max(honest, key=lambda link: (link.number, link.place), default=None)


def _cut_off(links: Sequence[_Link], anchors: Sequence[Anchor], base: int) -> Iterator[Finding]:
    last = max((link.number for link in links), default=base)
    known = {link.number: link for link in links}
    hashes = {link.hash for link in links} | {link.own for link in links}
    for anchor in anchors:
        if anchor.number > last:
            cut = f"the ledger once had {anchor.number} records, {last} are left"
            yield Finding(Tampering.TRUNCATED, last + 1, cut, last=anchor.number)
        elif anchor.number in known and anchor.hash not in hashes:
            yield Finding(Tampering.ALTERED, anchor.number, "its hash is not the one that was written down as the head")
        if anchor.exact:
            for number in sorted(known):
                if number > anchor.number:
                    yield Finding(Tampering.INSERTED, number, "it comes after the head that was written down")


class _Walk:
    """The way from the head to the first record, by the hashes that each record holds of the one before."""

    def __init__(self, links: Sequence[_Link], base: Anchor) -> None:
        self._base = base
        self._by_hash: dict[str, _Link] = {}
        for link in links:
            self._by_hash.setdefault(link.own, link)
            self._by_hash.setdefault(link.hash, link)
        self._by_number: dict[int, list[_Link]] = {}
        for link in links:
            self._by_number.setdefault(link.number, []).append(link)
        self.belonging: dict[int, int] = {}  # place in the file → number in the chain

    def back_from(self, top: _Link | None, *, doubted: bool) -> Iterator[Finding]:
        """Follows the chain down to its first record and tells what is wrong on the way."""
        if top is None:
            return
        number = top.home or top.number
        link: _Link | None = top
        while number > self._base.number:
            gap: list[Finding] = []
            if link is None:
                link, gap = self._resume(number, doubted=doubted)
                if link is None:
                    yield from gap
                    return
                number = link.number
            wrong = [*self._judge(link, number), *gap]
            doubted = (doubted and link is top) or any(finding.number == number for finding in wrong)
            yield from wrong
            self.belonging[link.place] = number
            number -= 1
            link = self._before(link) if number > self._base.number else None

    def _before(self, link: _Link) -> _Link | None:
        found = self._by_hash.get(link.previous)
        return None if found is None or found.place in self.belonging else found

    def _judge(self, link: _Link, number: int) -> Iterator[Finding]:
        if link.own != link.hash:
            if link.home == number and link.number != number:
                what = f"record {number} stands under the number {link.number}"
                yield Finding(Tampering.REORDERED, number, what)
            else:
                yield Finding(Tampering.ALTERED, number, "what it says does not give its hash")
        elif link.number != number:
            yield Finding(Tampering.ALTERED, number, f"it is numbered {link.number}")
        if number == self._base.number + 1 and link.previous != self._base.hash:
            yield Finding(Tampering.ALTERED, number, "it does not begin the chain")

    def _resume(self, number: int, *, doubted: bool) -> tuple[_Link | None, list[Finding]]:
        """No record has the hash that the next one holds: this one was changed, or is gone, or the next one (`doubted`) lies."""
        for candidate in self._by_number.get(number, ()):
            if candidate.place not in self.belonging:
                if doubted and candidate.own == candidate.hash:
                    return candidate, []
                what = f"its hash is not the one that record {number + 1} holds"
                return candidate, [Finding(Tampering.ALTERED, number, what)]
        below = max(
            (n for n, found in self._by_number.items() if n < number and self._free(found)), default=self._base.number
        )
        what = f"record {below + 1} is" if below + 1 == number else f"records {below + 1} to {number} are"
        gone = Finding(Tampering.REMOVED, below + 1, f"{what} missing", last=number)
        free = [link for link in self._by_number.get(below, ()) if link.place not in self.belonging]
        return (free[0] if free else None), [gone]

    def _free(self, links: Sequence[_Link]) -> bool:
        return any(link.place not in self.belonging for link in links)


def _strangers(links: Sequence[_Link], belonging: dict[int, int], told: set[int]) -> Iterator[Finding]:
    for link in links:
        if link.place not in belonging and link.number not in told:
            yield Finding(Tampering.INSERTED, link.number, "no record after it answers for it")


def _out_of_order(links: Sequence[_Link], belonging: dict[int, int]) -> Iterator[Finding]:
    highest = 0
    for link in links:
        number = belonging.get(link.place)
        if number is None:
            continue
        if number < highest:
            yield Finding(Tampering.REORDERED, number, f"it stands after record {highest}")
        highest = max(highest, number)
