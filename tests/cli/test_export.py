"""`kilde ledger export`, and the verifier in it: any changed byte is found and its place named; an untouched export is never accused.

`KILDE_TAMPERINGS=1000` tries more; `KILDE_SEED` others.
"""

import asyncio
import os
import random
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cli.command_line import Kilde, Said
from kilde.adapters.clock import SystemClock
from kilde.adapters.git.sources import GitSources
from kilde.adapters.store.key_file import KeyFile
from kilde.adapters.store.sqlite_ledger import SqliteLedger
from kilde.cli.auditor import script
from kilde.cli.auditor.audit import Audit
from kilde.engine.records.notary import Notary
from kilde.ports.sources import Credentials

COUNT = int(os.environ.get("KILDE_TAMPERINGS", "200"))
SEED = int(os.environ.get("KILDE_SEED", "1"))
NOW = 1_767_225_600.0  # 2026-01-01T00:00:00Z
UPDATED = {"object": "ConfigMap shop/a", "verb": "update", "outcome": "Synced"}
GIT = {
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@example.org",
    "GIT_COMMITTER_NAME": "Ann", "GIT_COMMITTER_EMAIL": "ann@example.org",
}  # fmt: skip


def commits(repository: Path, count: int) -> list[str]:
    """A repository with so many commits; their ids."""
    found = []
    environment = {**os.environ, **GIT}
    run = ["git", "-C", str(repository)]
    subprocess.run(["git", "init", "-q", "-b", "main", str(repository)], check=True, env=environment)
    for number in range(count):
        (repository / "file").write_text(f"{number}\n")
        subprocess.run([*run, "add", "-A"], check=True, env=environment)
        subprocess.run([*run, "commit", "-q", "-m", f"Change {number}"], check=True, env=environment)
        done = subprocess.run([*run, "rev-parse", "HEAD"], check=True, env=environment, capture_output=True, text=True)
        found.append(done.stdout.strip())
    return found


async def mirror(data_dir: Path, url: str) -> None:
    sources = GitSources(data_dir / "git", clock=SystemClock())
    await sources.fetch(url, Credentials())
    await sources.close()


def live(data_dir: Path, repository: Path, operations: int = 12) -> None:
    """A ledger that has lived: operations of commits that are in a mirror, checkpoints, a second key, an erasure."""
    shas = commits(repository, 3)
    url = f"file://{repository}"
    asyncio.run(mirror(data_dir, url))
    with SqliteLedger(data_dir / "ledger.sqlite") as ledger:
        notary = Notary(ledger, KeyFile(data_dir / "ledger.key"), now=NOW)
        for number in range(operations):
            opened = {
                "application": "argocd/web",
                "askedBy": f"user{number % 3}@desk",
                "source": {"repoURL": url, "path": "."},
                "revision": {"sha": shas[number % 3], "author": "Ann <ann@example.org>", "subject": "Änderung"},
            }
            opening = ledger.append("operation-opened", opened, at=NOW + 60 * number)
            closed = {"operation": opening.number, "phase": "Succeeded", "results": [UPDATED]}
            ledger.append("operation-closed", closed, at=NOW + 60 * number + 1)
            if number % 4 == 0:
                notary.checkpoint()
        notary.rotate(now=NOW + 3600)
        notary.checkpoint()
        notary.erase("user1@desk", reason="asked for it", by="me@desk", now=NOW + 3601)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lived")
    live(folder / "data", folder / "config")
    return folder / "data"


@pytest.fixture
def archive(kilde: Kilde, data_dir: Path, tmp_path: Path) -> Path:
    path = tmp_path / "audit.zip"
    assert kilde("ledger", "export", "--data-dir", data_dir, "--out", path).code == 0
    return path


def verify(archive: Path, *options: str) -> Said:
    """As an auditor does: another folder, another interpreter, nothing of Kilde's in reach."""
    program = archive.with_name("from-elsewhere") / "verify.py"
    program.parent.mkdir(exist_ok=True)
    program.write_text(script())
    command = [sys.executable, "-I", str(program), str(archive), *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=program.parent, env={"PATH": ""}, timeout=100)
    return Said(done.returncode, done.stdout, done.stderr)


def findings(archive: Path, **given: str) -> list[str]:
    audit = Audit(archive, say=lambda text: None, **given)
    assert audit.run() == (not audit.findings)
    return audit.findings


def test_it_is_one_archive_that_any_program_opens(archive: Path, data_dir: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == [
            "README.txt", "bundles/1.bundle", "checkpoint.txt", "earlier.jsonl", "keys.json", "manifest.json",
            "manifest.sig.txt", "people.json", "proofs.txt", "records.txt", "verify.py",
        ]  # fmt: skip
        assert opened.read("verify.py").decode() == script()
        people = opened.read("people.json").decode()
        everything = b"".join(opened.read(name) for name in opened.namelist())
    assert "user0@desk" in people
    assert b"user1@desk" not in everything  # who was erased
    assert (data_dir / "ledger.key").read_bytes().split(b"\n")[1] not in everything


def test_the_verifier_alone_on_another_machine_finds_it_intact(archive: Path, kilde: Kilde, data_dir: Path) -> None:
    key = kilde("ledger", "checkpoint", "--data-dir", data_dir, "--key").out.split("\n")[0]
    checkpoint = archive.with_name("kept.txt")
    checkpoint.write_text(kilde("ledger", "checkpoint", "--data-dir", data_dir).out)

    said = verify(archive, "--key", key, "--checkpoint", str(checkpoint))

    origin = key.partition("+")[0]
    assert said == Said(
        0,
        f"keys: 2, the first is {key}\n"
        "files: 9, 0 of them changed\n"
        f"checkpoint: 27 records of {origin}, signed\n"
        "records: 27, from 1 to 27\n"
        "proofs: 27 records are in the signed ledger\n"
        "your checkpoint of 27 records: the ledger goes on from it\n"
        "earlier checkpoints: 4\n"
        "commits: 3 in Git bundles, 0 not at hand when it was exported\n"
        "INTACT: every record is what it was when it was signed\n",
        "",
    )


def test_the_commits_can_be_read_with_git(archive: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        opened.extract("bundles/1.bundle", tmp_path)
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--no-checkout", str(tmp_path / "bundles/1.bundle"), str(clone)], check=True)
    log = subprocess.run(
        ["git", "-C", str(clone), "log", "--format=%s", "--all"], check=True, capture_output=True, text=True
    )
    assert sorted(log.stdout.splitlines()) == sorted(["Change 0", "Change 1", "Change 2"])


@pytest.mark.parametrize(
    ("options", "records"),
    [
        (("--from", "5", "--to", "9"), "records: 5, from 5 to 9"),
        (("--from", "2026-01-01T00:02:00Z"), "records: 22, from 6 to 27"),
        (("--to", "2026-01-01T00:02:00Z"), "records: 6, from 1 to 6"),
        (("--from", "2026-01-01T00:01:30Z", "--to", "2026-01-01T00:02:30Z"), "records: 2, from 6 to 7"),
    ],
)
def test_a_part_of_it_is_proved_as_well(
    kilde: Kilde, data_dir: Path, tmp_path: Path, options: tuple[str, ...], records: str
) -> None:
    path = tmp_path / "part.zip"
    assert kilde("ledger", "export", "--data-dir", data_dir, "--out", path, *options).code == 0

    said = verify(path)

    assert (said.code, said.err) == (0, "")
    assert records in said.out.split("\n")


def test_what_is_not_there_cannot_be_exported(kilde: Kilde, data_dir: Path, tmp_path: Path) -> None:
    for options, error in (
        (("--from", "9", "--to", "5"), "records 9 to 5 cannot be exported"),
        (("--to", "999"), "records 1 to 999 cannot be exported"),
        (("--from", "tomorrow"), "tomorrow: this is neither a record's number nor a time (RFC 3339)"),
    ):
        said = kilde("ledger", "export", "--data-dir", data_dir, "--out", tmp_path / "x.zip", *options)
        assert said.code == 3
        assert said.err.startswith(f"error: {error}")
    assert list(tmp_path.glob("*.zip")) + list(tmp_path.glob(".kilde*")) == []


def changed(content: bytes, dice: random.Random) -> tuple[bytes, int, str]:
    """One byte changed, taken out or put in; where, and how."""
    at = dice.randrange(len(content))
    how = dice.choice(["changed", "changed", "changed", "removed", "inserted"])
    other = bytes([content[at] ^ (1 << dice.randrange(8))])
    if how == "changed":
        return content[:at] + other + content[at + 1 :], at, how
    if how == "removed":
        return content[:at] + content[at + 1 :], at, how
    return content[:at] + other + content[at:], at, how


def place_of(archive: Path, at: int) -> tuple[str, int]:
    """The file in the archive whose content has that byte, and where in it; "" between files."""
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            begin = info.header_offset + 30 + len(info.filename)
            if begin <= at < begin + info.file_size:
                return info.filename, at - begin
    return "", 0


def test_every_changed_byte_is_found_and_its_place_named(archive: Path, tmp_path: Path) -> None:
    content, path, missed = archive.read_bytes(), tmp_path / "changed.zip", []
    with zipfile.ZipFile(archive) as opened:
        records = opened.read("records.txt")
    for number in range(COUNT):
        forged, at, how = changed(content, random.Random(f"{SEED}-{number}"))
        path.write_bytes(forged)
        found = findings(path)
        name, offset = place_of(archive, at)
        if not name or how != "changed":  # the archive itself does not fit together any more
            placed = any(re.search(r"bytes? \d+|damaged|is missing|file twice", finding) for finding in found)
        elif name == "records.txt":
            record = records.count(b"\n", 0, offset) + 1
            placed = any(f"record {record}" in finding or f"record {record + 1}" in finding for finding in found)
        else:
            placed = any(name in finding for finding in found)
        if not found or not placed:
            missed.append((number, at, how, name, found[:3]))

    assert missed == []


def test_a_record_that_was_rewritten_with_everything_that_its_writer_can_rewrite_is_found(
    archive: Path, tmp_path: Path
) -> None:
    """Somebody who knows the format, without the key: hash, chain and check sums fit again."""
    import hashlib
    import json
    import zlib

    from kilde.cli.auditor.archive import directory, local_header

    with zipfile.ZipFile(archive) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    lines, previous = [], None
    for line in files["records.txt"].decode().splitlines():
        record = json.loads(line[65:])
        record["previous"] = previous or record["previous"]
        if record["number"] == 5:
            record["body"]["application"] = "argocd/other"
        said = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        previous = hashlib.sha256(said.encode()).hexdigest()
        lines.append(f"{previous} {said}\n")
    files["records.txt"] = "".join(lines).encode()
    manifest = json.loads(files["manifest.json"])
    manifest["files"]["records.txt"] = hashlib.sha256(files["records.txt"]).hexdigest()
    files["manifest.json"] = (json.dumps(manifest, indent=1, sort_keys=True) + "\n").encode()
    path, members, out = tmp_path / "forged.zip", [], b""
    for name, content in files.items():
        out += local_header(name, zlib.crc32(content), len(content)) + content
        members.append((name, zlib.crc32(content), len(content)))
    path.write_bytes(out + directory(members))

    said = verify(path)

    assert said.code == 1
    assert "WRONG: manifest.json: it is not the one that was signed\n" in said.out
    assert "WRONG: proofs.txt: record 5: it is not proved to be in the signed ledger\n" in said.out
    assert "record 4: it is not proved" not in said.out
    assert said.out.endswith("NOT INTACT\n")


def test_another_ledgers_export_is_found_by_the_key_and_by_a_kept_checkpoint(
    archive: Path, kilde: Kilde, tmp_path: Path
) -> None:
    with SqliteLedger(tmp_path / "other" / "ledger.sqlite") as ledger:
        notary = Notary(ledger, KeyFile(tmp_path / "other" / "ledger.key"), now=NOW)
        key, note = str(notary.verifier_keys()[0]), notary.checkpoint()

    assert findings(archive, key=key, kept=note) == [
        "keys.json: the key that you were given is not among the ledger's: it is another ledger's export",
        "the checkpoint that you kept: no key of the ledger signed it: it is another ledger's export",
    ]


def test_none_that_nobody_touched_is_accused(kilde: Kilde, tmp_path: Path) -> None:
    accused = []
    for number in range(3 if COUNT < 1000 else 20):
        folder = tmp_path / str(number)
        live(folder / "data", folder / "config", operations=2 + 3 * number)
        with SqliteLedger(folder / "data" / "ledger.sqlite") as ledger:
            size = ledger.end().number
        for part in range(5 if COUNT < 1000 else 50):
            dice = random.Random(f"{SEED}-{number}-{part}")
            first = dice.randint(1, size)
            asked = ("--from", str(first), "--to", str(dice.randint(first, size)))
            path = folder / "audit.zip"
            assert kilde("ledger", "export", "--data-dir", folder / "data", "--out", path, *asked).code == 0
            if found := findings(path):
                accused.append((number, asked, found[:3]))

    assert accused == []
