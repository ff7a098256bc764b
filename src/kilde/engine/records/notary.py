"""Notary: signs for the ledger: its first key, checkpoints, a new key; and what goes, goes by it: people and old records."""

import base64
from collections.abc import Sequence

from kilde.core.basics.errors import LedgerError
from kilde.core.basics.moment import parse
from kilde.core.ledger.checkpoint import (
    FIRST_KEY,
    NEXT_KEY,
    Checkpoint,
    PublicKey,
    keys_of,
    origin_of,
    rotation_text,
    sign_note,
)
from kilde.core.ledger.evidence import Told, to_keep, unfolded
from kilde.core.ledger.merkle import edge_at, root
from kilde.core.ledger.record import Record
from kilde.ports.records import Ledger
from kilde.ports.signing import SigningKey


class Notary:
    """Signs with the key that the ledger names last; the first one is named by a record of its own."""

    def __init__(self, ledger: Ledger, key: SigningKey, *, now: float) -> None:
        """Introduces the key to a ledger that has none, and takes up a rotation that a crash cut off. Raises LedgerError."""
        self._ledger, self._key = ledger, key
        known = self.verifier_keys()
        if not known:
            first = PublicKey(origin_of(key.public), key.public)
            ledger.append(FIRST_KEY, {"origin": first.name, "key": str(first)}, at=now)
            known = [first]
        if known[-1].public != key.public:
            following = key.next()
            if known[-1].public != following.public:
                hint = "put the ledger's own key there; without it nothing more can be signed in its name"
                raise LedgerError(f"the signing key is not the ledger's, which is {known[-1]}", hint=hint)
            self._key = key.advance()

    def _told(self) -> list[Told]:
        return [(record.number, record.kind, record.body) for record in self._ledger.notices()]

    def verifier_keys(self) -> Sequence[PublicKey]:
        """The ledger's verifier keys, oldest first."""
        return keys_of(unfolded(self._told()))[0]

    def checkpoint(self, size: int = 0) -> str:
        """A signed checkpoint of the first `size` records (0: of all), kept with the ledger."""
        size = size or self._ledger.end().number
        kept = self._ledger.checkpoint(size)
        if kept is not None:
            return kept
        key = self.verifier_keys()[-1]
        text = Checkpoint(key.name, size, root(edge_at(self._ledger.node, size))).text
        note = sign_note(text, key, self._key.sign)
        self._ledger.keep_checkpoint(size, note)
        return note

    def sign(self, text: str) -> str:
        """A note of another kind, signed with the ledger's key."""
        return sign_note(text, self.verifier_keys()[-1], self._key.sign)

    def rotate(self, *, now: float) -> PublicKey:
        """Hands over to a new key, by a record that the old one signs."""
        old, following = self.verifier_keys()[-1], self._key.next()
        new = PublicKey(old.name, following.public)
        signature = base64.b64encode(self._key.sign(rotation_text(old.name, str(old), str(new)))).decode()
        self._ledger.append(NEXT_KEY, {"origin": old.name, "key": str(new), "signature": signature}, at=now)
        self._key = self._key.advance()
        return new

    def erase(self, person: str, *, reason: str, by: str, now: float) -> list[Record]:
        """Forgets everybody whose text is `person`, or names that address, or that reference. Raises LedgerError when nobody does."""
        wanted = person.strip().casefold()
        found = [
            ref
            for ref, known in self._ledger.people().items()
            if wanted in (ref, known.text.casefold()) or f"<{wanted}>" in known.text.casefold()
        ]
        if not wanted or not found:
            hint = "give the whole text, the mail address, or the reference"
            raise LedgerError("the ledger knows no such person", about=person, hint=hint)
        return [self._ledger.erase(ref, reason=reason, by=by, at=now) for ref in found]

    def prune(self, before: float, *, reason: str, by: str, now: float) -> Record:
        """Gives up the records from before a moment (seconds since the epoch), behind a signed checkpoint."""
        last = self._ledger.pruned()
        opened = min((record.number for record in self._ledger.open_operations()), default=self._ledger.end().number)
        for record in self._ledger.read(first=last + 1, last=opened - 1):
            if (parse(record.at) or before) >= before:
                break
            last = record.number
        if last <= self._ledger.pruned():
            raise LedgerError("there is no record from before then that can be given up")
        note = self.checkpoint(last)
        kept = to_keep(self._told(), last)
        return self._ledger.prune(last, checkpoint=note, kept=kept, reason=reason, by=by, at=now)
