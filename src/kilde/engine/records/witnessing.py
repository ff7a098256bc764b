"""Witnessing: signs a checkpoint whenever the ledger has grown, hands it to the witnesses, and asks them at the start."""

import asyncio
from collections.abc import Sequence

import structlog

from kilde.core.basics.errors import KildeError, LedgerError
from kilde.core.ledger.checkpoint import read_checkpoint
from kilde.core.ledger.evidence import Note
from kilde.core.ledger.merkle import edge_at, root
from kilde.engine.records.notary import Notary
from kilde.ports.clock import Clock
from kilde.ports.records import Ledger
from kilde.ports.witness import Witness

log = structlog.get_logger()
_LAST_WORDS = 2.0  # seconds


async def heard(witnesses: Sequence[Witness]) -> list[Note]:
    """What the witnesses keep. Raises KildeError when one cannot be asked: silence is no testimony."""
    return [Note(witness.name, note) for witness in witnesses for note in await witness.notes()]


def contradictions(ledger: Ledger, notary: Notary, notes: Sequence[Note]) -> list[str]:
    """Which checkpoints the ledger's tree of now contradicts: it was rewound, or it is another one."""
    keys, end, found = notary.verifier_keys(), ledger.end(), []
    for note in notes:
        try:
            checkpoint = read_checkpoint(note.text, keys)
        except LedgerError as error:
            found.append(f"{note.keeper}: {error.what}")
            continue
        if checkpoint.size > end.number:
            found.append(f"{note.keeper}: it has seen {checkpoint.size} records, {end.number} are left")
        elif root(edge_at(ledger.node, checkpoint.size)) != checkpoint.root:
            found.append(f"{note.keeper}: it has seen other records up to {checkpoint.size}")
    return found


class Witnessing:
    """`run` goes on for ever; `publish` does it once more; `last_words` at the end, in no more than a moment."""

    def __init__(
        self, ledger: Ledger, notary: Notary, witnesses: Sequence[Witness], clock: Clock, *, period: float
    ) -> None:
        self._ledger, self._notary, self._witnesses = ledger, notary, witnesses
        self._clock, self._period = clock, period
        self._published: dict[str, int] = {}
        self._failed: dict[str, str] = {}
        self.contradicted: list[str] = []

    async def run(self) -> None:
        await self._ask()
        while True:
            try:
                await self.publish()
            except LedgerError as error:  # what is applied is recorded or refused elsewhere; this may come later
                log.warning("no checkpoint was signed", error=str(error))
            await self._clock.sleep(self._period)

    async def _ask(self) -> None:
        for witness in self._witnesses:
            try:
                self.contradicted += contradictions(self._ledger, self._notary, await heard([witness]))
            except KildeError as error:
                log.warning("a witness of the ledger cannot be asked", witness=witness.name, error=str(error))
        for what in self.contradicted:
            log.error("the ledger is not the one that was witnessed", what=what)

    async def publish(self) -> None:
        """Signs the ledger as it is now and hands it out; who has it is not told again."""
        size = self._ledger.end().number
        if not size:
            return
        note = self._notary.checkpoint(size)
        late = [witness for witness in self._witnesses if self._published.get(witness.name, 0) < size]
        await asyncio.gather(*(self._hand(witness, note, size) for witness in late))

    async def last_words(self) -> None:
        """Hands out the ledger as it ended, to whoever takes it within two seconds: the program is about to end."""
        try:
            async with asyncio.timeout(_LAST_WORDS):
                await self.publish()
        except (TimeoutError, LedgerError) as error:
            log.warning("the last checkpoint was not handed out", error=str(error) or "a witness took too long")

    async def _hand(self, witness: Witness, note: str, size: int) -> None:
        try:
            await witness.publish(note, size=size)
        except KildeError as error:
            if self._failed.get(witness.name) != str(error):
                log.warning("a checkpoint was not witnessed", witness=witness.name, error=str(error))
            self._failed[witness.name] = str(error)
            return
        self._failed.pop(witness.name, None)
        self._published[witness.name] = size
