"""Which ledger, which key and which witnesses: for the controller and for the command line."""

import asyncio
import contextlib
import hashlib
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from kilde.adapters.clock import SystemClock
from kilde.adapters.git.limits import Limits
from kilde.adapters.git.process import Git
from kilde.adapters.git.sources import GitSources
from kilde.adapters.git.witness import GitWitness
from kilde.adapters.store.key_file import KeyFile
from kilde.adapters.store.sqlite_ledger import SqliteLedger
from kilde.adapters.witness.file import FileWitness
from kilde.core.basics.aws_signature import Keys
from kilde.core.basics.errors import InvalidInput, LedgerError, SourceError
from kilde.core.ledger.evidence import Note
from kilde.core.ledger.operation import OperationView
from kilde.engine.records.notary import Notary
from kilde.engine.records.rebuild import Rebuilt, rebuild
from kilde.engine.records.witnessing import heard
from kilde.ports.clock import Clock
from kilde.ports.records import Ledger
from kilde.ports.sources import Credentials
from kilde.ports.witness import Witness

if TYPE_CHECKING:
    from kilde.adapters.store.postgres_ledger import PostgresLedger

SHARED = "KILDE_LEDGER"
"""The environment's variable that names the ledger of several replicas, postgresql://…; it may hold a password, so it is no option."""
CredentialsOf = Callable[[str], Awaitable[Credentials]]
_KINDS = "file:PATH, git:URL[#REF] or s3:ENDPOINT/BUCKET[/PREFIX][?region=…&days=…]"


@contextlib.contextmanager
def open_ledger(data_dir: Path, clock: Clock) -> Iterator[tuple[Ledger, Notary]]:
    """The ledger to append to, of a data directory or the shared one, and who signs for it. Raises LedgerError."""
    shared = os.environ.get(SHARED, "")
    opened = _postgres(shared) if shared else SqliteLedger(data_dir / "ledger.sqlite")
    with opened as ledger:
        yield ledger, Notary(ledger, KeyFile(data_dir / "ledger.key"), now=clock.now())


@contextlib.contextmanager
def existing_ledger(data_dir: Path, clock: Clock) -> Iterator[tuple[Ledger, Notary]]:
    """The same, for the command line: there must be one. Raises LedgerError."""
    if not os.environ.get(SHARED) and not (data_dir / "ledger.sqlite").is_file():
        raise LedgerError("there is no ledger", about=str(data_dir), hint="name the data directory of kilde up")
    with open_ledger(data_dir, clock) as found:
        yield found


@contextlib.contextmanager
def ledger_to_read(data_dir: Path) -> Iterator[Ledger]:
    """The ledger of a controller that may be running. Raises LedgerError."""
    shared = os.environ.get(SHARED, "")
    with _postgres(shared) if shared else SqliteLedger.open_to_read(data_dir / "ledger.sqlite") as ledger:
        yield ledger


def _postgres(address: str) -> "PostgresLedger":
    from kilde.adapters.store.postgres_ledger import PostgresLedger

    return PostgresLedger(address)


async def _nobody(url: str) -> Credentials:
    return Credentials()


@contextlib.contextmanager
def open_witness(text: str, data_dir: Path, clock: Clock, credentials: CredentialsOf = _nobody) -> Iterator[Witness]:
    """A witness as the command line names it. Raises InvalidInput.

    Without `credentials` git acts for the person at the keyboard. S3's keys come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
    AWS_SESSION_TOKEN.
    """
    kind, _, rest = text.partition(":")
    if kind == "file" and rest:
        yield FileWitness(Path(rest).absolute())
    elif kind == "git" and rest:
        url, _, ref = rest.partition("#")
        name = hashlib.sha256(f"{url}#{ref}".encode()).hexdigest()[:16]
        folder = data_dir / ("witness" if credentials is not _nobody else "witness-cli")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        git = Git(folder, Limits(), users=credentials is _nobody)
        yield GitWitness(url, ref, folder / f"{name}.git", git=git, credentials=lambda: credentials(url), clock=clock)
    elif kind == "s3" and rest:
        yield _s3(rest, clock)
    else:
        raise InvalidInput("this names no witness", about=text, hint=_KINDS)


def _s3(text: str, clock: Clock) -> Witness:
    from kilde.adapters.witness.s3 import S3Place, S3Witness

    url, asked = urlsplit(text), parse_qs(urlsplit(text).query)
    bucket, _, prefix = url.path.strip("/").partition("/")
    days = asked.get("days", ["3650"])[0]
    if url.scheme not in ("http", "https") or not bucket or not days.isdigit() or url.username:
        raise InvalidInput("this names no bucket", about=f"s3:{url.hostname}", hint=_KINDS)
    place = S3Place(
        endpoint=f"{url.scheme}://{url.netloc}",
        bucket=bucket,
        prefix=prefix,
        region=asked.get("region", [os.environ.get("AWS_REGION", "us-east-1")])[0],
        keys=Keys(
            access=os.environ.get("AWS_ACCESS_KEY_ID", ""),
            secret=os.environ.get("AWS_SECRET_ACCESS_KEY", ""),
            token=os.environ.get("AWS_SESSION_TOKEN", ""),
        ),
        days=int(days),
    )
    return S3Witness(place, clock)


def bundle_commits(data_dir: Path) -> Callable[[set[tuple[str, str]], Path], dict[str, set[str]]]:
    """What writes (repository, commit)s into Git bundles, from the controller's mirrors; a file of a bundle → the commits in it."""

    async def write(commits: set[tuple[str, str]], folder: Path) -> dict[str, set[str]]:
        held: dict[str, set[str]] = {}
        sources = GitSources(data_dir / "git", clock=SystemClock())
        try:
            for number, url in enumerate(sorted({url for url, _ in commits}), 1):
                shas = frozenset(sha for where, sha in commits if where == url)
                name = f"{number}.bundle"
                with contextlib.suppress(
                    SourceError
                ):  # a mirror that is damaged, or of what is no URL: told as missing
                    held[name] = set(await sources.bundle(url, shas, folder / name))
        finally:
            await sources.close()
        return held

    return lambda commits, folder: asyncio.run(write(commits, folder))


async def rebuild_all(data_dir: Path, views: Sequence[OperationView]) -> list[Rebuilt]:
    """What each operation applied, from the controller's mirrors; nothing is fetched."""
    sources = GitSources(data_dir / "git", clock=SystemClock())
    try:
        return [await rebuild(sources, view) for view in views]
    finally:
        await sources.close()


async def ask_witnesses(texts: Sequence[str], data_dir: Path) -> list[Note]:
    """What the named witnesses keep, asked from the command line. Raises KildeError when one does not answer."""
    with contextlib.ExitStack() as stack:
        return await heard([stack.enter_context(open_witness(text, data_dir, SystemClock())) for text in texts])


async def tell_witnesses(texts: Sequence[str], data_dir: Path, note: str, size: int) -> list[str]:
    """Hands a checkpoint to the named witnesses; their names. Raises KildeError when one does not take it."""
    told = []
    for text in texts:
        with open_witness(text, data_dir, SystemClock()) as witness:
            await witness.publish(note, size=size)
            told.append(witness.name)
    return told
