"""Checks an exported ledger, on any machine, without Kilde: needs Python 3.8 or newer and the package `cryptography`.

    python3 verify.py EXPORT.zip [--key KEY] [--checkpoint FILE]

It says INTACT and leaves with 0, or NOT INTACT with what is wrong and where, and leaves with 1. Nothing in the archive is executed.
Take this file from somewhere else than the archive that you check: whoever can change one can change the other.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import sys
from pathlib import Path
from typing import Any, Callable, Iterator  # noqa: UP035  # Python 3.8 reads it

from kilde.cli.auditor.archive import Member, Wrong, chunks, read_members
from kilde.cli.auditor.proofs import (
    is_consistent,
    leaf_hash,
    open_note,
    read_checkpoint,
    read_key,
    root_by_inclusion,
    signed,
)

SHOWN = 20  # findings that are printed
RECORDS, PROOFS, EARLIER, PEOPLE, KEYS = "records.txt", "proofs.txt", "earlier.jsonl", "people.json", "keys.json"
CHECKPOINT, MANIFEST, SEAL = "checkpoint.txt", "manifest.json", "manifest.sig.txt"
_CHUNK = 1 << 20


class Audit:
    """One archive and what was found in it. `say` is told of each check."""

    def __init__(self, path: Path, *, key: str = "", kept: str = "", say: Callable[[str], None] = print) -> None:
        self._path, self._key, self._kept, self._say = path, key, kept, say
        self.findings: list[str] = []
        self._keys: list[str] = []
        self._members: dict[str, Member] = {}

    def run(self) -> bool:
        """Whether everything is what it was."""
        try:
            with self._path.open("rb") as file:
                self._file = file
                listed, spoilt = read_members(file, self._path.stat().st_size)
                self._members = {member.name: member for member in listed}
                self._check()
                for name in spoilt:
                    if not any(name in finding for finding in self.findings):
                        self._wrong(f"{name}: its check sum is not that of its content")
                if len(self._members) != len(listed):
                    self._wrong("the archive has a file twice")
        except Wrong as wrong:
            self._wrong(str(wrong))
        except OSError as error:
            self._wrong(f"the archive cannot be read: {error.strerror}")
        return not self.findings

    def _check(self) -> None:
        self._check_keys()
        self._check_seal()
        size, root = self._check_checkpoint()
        hashes, shas = self._check_records()
        self._check_proofs(hashes, size, root)
        self._check_earlier(size, root)
        self._check_bundles(shas)

    def _check_keys(self) -> None:
        for number, item in enumerate(self._json(KEYS, list), 1):
            try:
                name, _, _ = read_key(item["key"])
                if self._keys:
                    before, _, public = read_key(self._keys[-1])
                    handed = f"kilde ledger key rotation\n{before}\n{self._keys[-1]}\n{item['key']}\n".encode()
                    if name != before or not signed(public, handed, base64.b64decode(item["signature"], validate=True)):
                        raise ValueError("the key before did not sign for it")
                self._keys.append(item["key"])
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                self._wrong(f"{KEYS}: key {number}: {error}")
        if self._key and self._key not in self._keys:
            self._wrong(f"{KEYS}: the key that you were given is not among the ledger's: it is another ledger's export")
        self._say(f"keys: {len(self._keys)}, the first is {self._keys[0] if self._keys else 'missing'}")

    def _check_seal(self) -> None:
        """The manifest is signed, and names every file with its digest."""
        text = self._read(MANIFEST)
        try:
            if open_note(self._read(SEAL).decode(), self._keys)[1:] != [hashlib.sha256(text).hexdigest()]:
                self._wrong(f"{MANIFEST}: it is not the one that was signed")
        except (ValueError, IndexError) as error:
            self._wrong(f"{SEAL}: {error}")
        self._manifest = self._json(MANIFEST, dict)
        named = self._manifest.get("files")
        named = named if isinstance(named, dict) else {}
        for name in sorted(set(named) ^ (set(self._members) - {MANIFEST, SEAL})):
            self._wrong(f"{name}: it is {'missing' if name in named else 'not named by the manifest'}")
        self._spoilt = {name for name in named if name in self._members and self._digest(name) != named[name]}
        self._say(f"files: {len(named)}, {len(self._spoilt)} of them changed")

    def _check_checkpoint(self) -> tuple[int, bytes]:
        try:
            origin, size, root = read_checkpoint(self._read(CHECKPOINT).decode(), self._keys)
            self._say(f"checkpoint: {size} records of {origin}, signed")
            return size, root
        except ValueError as error:
            self._wrong(f"{CHECKPOINT}: {error}")
            return 0, b""

    def _check_records(self) -> tuple[list[tuple[int, str]], set[str]]:
        """Each record gives its hash and follows the one before."""
        people = self._json(PEOPLE, dict)
        for ref, person in people.items():
            try:
                made = hmac.new(bytes.fromhex(person["key"]), person["text"].encode(), "sha256").hexdigest()
                if f"person:{made}" != ref:
                    raise ValueError("name and key do not give the reference")
            except (ValueError, KeyError, TypeError) as error:
                self._wrong(f"{PEOPLE}: {ref}: {error}")
        found: list[tuple[int, str]] = []
        shas: set[str] = set()
        number, before = int(self._manifest.get("first", 1)), self._manifest.get("previous")
        for line in self._lines(RECORDS):
            said, raw = line[:64], line[65:]
            own = hashlib.sha256(raw).hexdigest()
            if own.encode() != said or line[64:65] != b" ":
                self._wrong(f"{RECORDS}: record {number}: what it says does not give its hash")
                own = said.decode("ascii", "replace")
            else:
                record = json.loads(raw)
                if (record["number"], record["previous"]) != (number, before):
                    self._wrong(
                        f"{RECORDS}: record {number}: it is numbered {record['number']}, or does not follow the one before"
                    )
                revision = record["body"].get("revision")
                if isinstance(revision, dict) and revision.get("sha"):
                    shas.add(str(revision["sha"]))
            found.append((number, own))
            number, before = number + 1, own
        if number != int(self._manifest.get("last", 0)) + 1:
            self._wrong(f"{RECORDS}: record {number}: it ends here, and should go on to {self._manifest.get('last')}")
        self._say(f"records: {len(found)}, from {self._manifest.get('first')} to {self._manifest.get('last')}")
        return found, shas

    def _check_proofs(self, hashes: list[tuple[int, str]], size: int, root: bytes) -> None:
        proofs = list(self._lines(PROOFS))
        if len(proofs) != len(hashes):
            self._wrong(f"{PROOFS}: {len(proofs)} proofs for {len(hashes)} records")
        wrong = 0
        for (number, hash_), line in zip(hashes, proofs):  # noqa: B905
            try:
                path = [base64.b64decode(step, validate=True) for step in line.split()]
                fits = root_by_inclusion(leaf_hash(hash_), number - 1, size, path) == root
                fits = fits and line == b" ".join(base64.b64encode(step) for step in path)
            except ValueError:
                fits = False
            if not fits:
                wrong += 1
                self._wrong(f"{PROOFS}: record {number}: it is not proved to be in the signed ledger")
        self._say(f"proofs: {len(hashes) - wrong} records are in the signed ledger")

    def _check_earlier(self, size: int, root: bytes) -> None:
        """Every earlier checkpoint is of a beginning of this ledger."""
        seen = {size: root}
        count = 0
        for count, line in enumerate(self._lines(EARLIER), 1):
            try:
                item = json.loads(line)
                _, old, old_root = read_checkpoint(item["note"], self._keys)
                path = [base64.b64decode(step, validate=True) for step in item["proof"]]
                if not is_consistent(old, old_root, size, root, path):
                    raise ValueError(
                        f"the ledger of {size} records does not begin with the {old} that were signed then"
                    )
                seen[old] = old_root
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                self._wrong(f"{EARLIER}: line {count}: {error}")
        for note in self._kept.split("\n" + "=" * 20 + "\n\n"):
            self._compare_kept(note.strip("\n") + "\n", seen, size)
        self._say(f"earlier checkpoints: {count}")

    def _compare_kept(self, note: str, seen: dict[int, bytes], size: int) -> None:
        if not note.strip():
            return
        try:
            _, old, old_root = read_checkpoint(note, self._keys)
        except ValueError as error:
            self._wrong(f"the checkpoint that you kept: {error}: it is another ledger's export")
            return
        if old in seen and seen[old] == old_root:
            self._say(f"your checkpoint of {old} records: the ledger goes on from it")
        elif old in seen:
            self._wrong(f"your checkpoint of {old} records is of other records: the ledger was forked")
        elif old > size:
            self._wrong(
                f"your checkpoint is of {old} records, and the ledger had {size}: it was rewound, or this is older"
            )
        else:
            self._say(f"your checkpoint of {old} records: this export says nothing of it")

    def _check_bundles(self, shas: set[str]) -> None:
        """Git's own check sum over each bundle, and that the commits are in them."""
        there: set[str] = set()
        for name in sorted(self._members):
            if not name.endswith(".bundle"):
                continue
            content = self._read(name)
            head, _, pack = content.partition(b"\n\n")
            if not head.startswith(b"# v2 git bundle\n") or hashlib.sha1(pack[:-20]).digest() != pack[-20:]:  # noqa: S324
                self._wrong(f"{name}: Git's check sum is not that of its content")
            there.update(line.split(b" ")[0].decode("ascii", "replace") for line in head.split(b"\n")[1:])
        missing = self._manifest.get("missingCommits")
        known = there | set(missing if isinstance(missing, list) else ())
        for sha in sorted(shas - known):
            self._wrong(f"commit {sha}: it is in no bundle, and not told to be missing")
        self._say(f"commits: {len(shas & there)} in Git bundles, {len(shas - there)} not at hand when it was exported")
        for name in sorted(self._spoilt):  # last: each check above has a better word for what it finds
            if not any(finding.startswith(f"{name}:") for finding in self.findings):
                self._wrong(f"{name}: it is not what the manifest says")

    def _read(self, name: str) -> bytes:
        member = self._members.get(name)
        if member is None:
            raise Wrong(f"{name}: it is missing")
        return b"".join(chunks(self._file, member.begin, member.size))

    def _json(self, name: str, kind: type) -> Any:
        try:
            found = json.loads(self._read(name))
        except ValueError:
            raise Wrong(f"{name}: it is damaged: no JSON") from None
        if not isinstance(found, kind):
            raise Wrong(f"{name}: it is damaged")
        return found

    def _lines(self, name: str) -> Iterator[bytes]:
        rest = b""
        member = self._members.get(name)
        if member is None:
            raise Wrong(f"{name}: it is missing")
        at, end = member.begin, member.begin + member.size
        while at < end:
            for chunk in chunks(self._file, at, min(_CHUNK, end - at)):
                at += len(chunk)
                *lines, rest = (rest + chunk).split(b"\n")
                yield from lines
        if rest:
            yield rest

    def _digest(self, name: str) -> str:
        member, digest = self._members[name], hashlib.sha256()
        for chunk in chunks(self._file, member.begin, member.size):
            digest.update(chunk)
        return digest.hexdigest()

    def _wrong(self, what: str) -> None:
        self.findings.append(what)


def main() -> int:
    parser = argparse.ArgumentParser(description="Checks an exported ledger of Kilde.")
    parser.add_argument("archive", type=Path, help="the exported file")
    parser.add_argument("--key", default="", help="the ledger's key as it was given to you earlier")
    parser.add_argument("--checkpoint", type=Path, help="a file with checkpoints that you or a witness kept")
    asked = parser.parse_args()
    kept = asked.checkpoint.read_text(encoding="utf-8") if asked.checkpoint else ""
    audit = Audit(asked.archive, key=asked.key, kept=kept)
    intact = audit.run()
    for finding in audit.findings[:SHOWN]:
        print(f"WRONG: {finding}")
    if len(audit.findings) > SHOWN:
        print(f"… and {len(audit.findings) - SHOWN} more")
    print("INTACT: every record is what it was when it was signed" if intact else "NOT INTACT")
    return 0 if intact else 1


if __name__ == "__main__":
    sys.exit(main())
