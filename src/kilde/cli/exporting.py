"""Writes the archive that an auditor takes away: records, proofs, keys, people, commits, and the verifier."""

import base64
import hashlib
import json
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from kilde.cli.auditor import script
from kilde.cli.auditor.archive import directory, local_header
from kilde.cli.auditor.audit import CHECKPOINT, EARLIER, KEYS, MANIFEST, PEOPLE, PROOFS, RECORDS, SEAL
from kilde.core.basics.errors import LedgerError
from kilde.core.basics.values import canonical
from kilde.core.ledger.checkpoint import FIRST_KEY, NEXT_KEY, PublicKey, keys_of, read_checkpoint
from kilde.core.ledger.evidence import unfolded
from kilde.core.ledger.merkle import consistency, inclusion
from kilde.core.ledger.people import references
from kilde.core.ledger.record import GENESIS, Record
from kilde.engine.records.notary import Notary
from kilde.ports.records import Ledger

_CHUNK = 1 << 20
_LARGEST = 0xFFFFFFFF
_README = """This archive holds a part of the ledger of a Kilde, and what proves it.

To check it:  python3 verify.py {name}
(Python 3.8 or newer, with the package cryptography. Take verify.py from a place you trust, not from here.)

records.txt       one record a line: its SHA-256, and the text that it is the SHA-256 of
proofs.txt        for each record, the path to the signed root (RFC 9162)
checkpoint.txt    size and root of the whole ledger when this was exported, signed
earlier.jsonl     earlier checkpoints, each with the proof that the ledger goes on from it
keys.json         the keys that signed, each vouched for by the one before
people.json       the names that references in the records stand for
bundles/          the Git commits that the records name; read one with: git clone FILE
manifest.json     the SHA-256 of each of these files; manifest.sig.txt is the signature over it
"""
Bundles = Callable[[set[tuple[str, str]], Path], dict[str, set[str]]]
"""(repository, commit)s and a folder → which commits each file that was made there holds."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What went into an archive."""

    first: int
    last: int
    commits: int
    missing: tuple[str, ...]


def export(ledger: Ledger, notary: Notary, target: Path, *, first: int, last: int, bundles: Bundles) -> Exported:
    """Writes records `first` to `last` with everything that proves them. Raises LedgerError."""
    note = notary.checkpoint()
    size = ledger.end().number
    if not ledger.pruned() < first <= last <= size:
        hint = f"there are records {ledger.pruned() + 1} to {size}"
        raise LedgerError(f"records {first} to {last} cannot be exported", hint=hint)
    try:
        with tempfile.TemporaryDirectory(prefix=".kilde-export-", dir=target.parent) as name:
            folder = Path(name)
            made = _gather(ledger, notary, folder, note=note, size=size, first=first, last=last, bundles=bundles)
            (folder / "README.txt").write_text(_README.format(name=target.name))
            _seal(notary, folder, made, previous=_previous(ledger, first))
            with (folder / "archive").open("wb") as file:
                _pack(file, folder)
            (folder / "archive").replace(target)
    except OSError as error:
        raise LedgerError(f"the export cannot be written: {error.strerror}", about=str(target)) from error
    return made


def _previous(ledger: Ledger, first: int) -> str:
    return next((record.previous for record in ledger.read(first=first, last=first)), GENESIS)


def _gather(
    ledger: Ledger, notary: Notary, folder: Path, *, note: str, size: int, first: int, last: int, bundles: Bundles
) -> Exported:
    named: set[str] = set()
    commits: set[tuple[str, str]] = set()
    with (folder / RECORDS).open("wb") as records, (folder / PROOFS).open("wb") as proofs:
        for record in ledger.read(first=first, last=last):
            records.write(_line(record))
            proofs.write(b" ".join(map(base64.b64encode, inclusion(ledger.node, record.number - 1, size))) + b"\n")
            named |= references(record.body)
            commits |= _commits(record)
    people = {ref: person._asdict() for ref, person in ledger.people().items() if ref in named}
    (folder / PEOPLE).write_text(_json(people))
    (folder / CHECKPOINT).write_text(note)
    (folder / KEYS).write_text(_json(_keys(ledger)))
    (folder / EARLIER).write_bytes(b"".join(_earlier(ledger, notary.verifier_keys(), first, size)))
    (folder / "verify.py").write_text(script())
    (folder / "bundles").mkdir()
    held: set[str] = set().union(*bundles(commits, folder / "bundles").values())
    wanted = {sha for _, sha in commits}
    return Exported(first, last, len(wanted & held), tuple(sorted(wanted - held)))


def _line(record: Record) -> bytes:
    said = {
        "at": record.at,
        "body": record.body,
        "kind": record.kind,
        "number": record.number,
        "previous": record.previous,
    }
    return record.hash.encode() + b" " + canonical(said) + b"\n"


def _commits(record: Record) -> set[tuple[str, str]]:
    revision, source = record.body.get("revision"), record.body.get("source")
    if isinstance(revision, dict) and isinstance(source, dict) and revision.get("sha"):
        return {(str(source.get("repoURL", "")), str(revision["sha"]))}
    return set()


def _keys(ledger: Ledger) -> list[dict[str, str]]:
    told = unfolded((record.number, record.kind, record.body) for record in ledger.notices())
    known = {str(key) for key in keys_of(told)[0]}
    bodies = [body for _, kind, body in told if kind in (FIRST_KEY, NEXT_KEY) and body.get("key") in known]
    return [{"key": str(body["key"]), "signature": str(body.get("signature", ""))} for body in bodies]


def _earlier(ledger: Ledger, keys: Sequence[PublicKey], first: int, size: int) -> Iterator[bytes]:
    for note in ledger.checkpoints():
        old = read_checkpoint(note, keys).size
        if first <= old < size:
            proof = [base64.b64encode(step).decode() for step in consistency(ledger.node, old, size)]
            yield canonical({"note": note, "proof": proof}) + b"\n"


def _seal(notary: Notary, folder: Path, made: Exported, *, previous: str) -> None:
    files = {name: _digest(folder / name) for name in _names(folder)}
    manifest = {
        "version": 1,
        "first": made.first,
        "last": made.last,
        "previous": previous,
        "missingCommits": list(made.missing),
        "files": files,
    }
    (folder / MANIFEST).write_text(_json(manifest))
    (folder / SEAL).write_text(notary.sign(f"kilde.dev/ledger-export\n{_digest(folder / MANIFEST)}\n"))


def _names(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def _pack(file: BinaryIO, folder: Path) -> None:
    members = []
    for name in [one for one in _names(folder) if one != "archive"]:
        size, crc = (folder / name).stat().st_size, 0
        for chunk in _chunks(folder / name):
            crc = zlib.crc32(chunk, crc)
        if file.tell() + size > _LARGEST:
            raise LedgerError("the export is larger than 4 GiB", hint="export a shorter time")
        file.write(local_header(name, crc, size))
        for chunk in _chunks(folder / name):
            file.write(chunk)
        members.append((name, crc, size))
    file.write(directory(members))


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    for chunk in _chunks(path):
        digest.update(chunk)
    return digest.hexdigest()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _json(value: object) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def number_at(ledger: Ledger, text: str, *, end: bool) -> int:
    """A record's number, or the number of the first record at or after a time (`end`: the last one at or before it)."""
    from kilde.core.basics.moment import parse

    if text.isdigit():
        return int(text)
    moment = parse(text)
    if moment is None:
        raise LedgerError("this is neither a record's number nor a time (RFC 3339)", about=text)
    return _search(ledger.read(), moment, end=end, last=ledger.end().number)


def _search(records: Iterable[Record], moment: float, *, end: bool, last: int) -> int:
    from kilde.core.basics.moment import parse

    for record in records:
        at = parse(record.at) or 0.0
        if at > moment or (at == moment and not end):
            return record.number - 1 if end else record.number
    return last if end else last + 1
