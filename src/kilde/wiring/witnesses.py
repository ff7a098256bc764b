"""Which witnesses of the ledger: opened as the command line names them, told, and asked."""

import contextlib
import hashlib
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from kilde.adapters.clock import SystemClock
from kilde.adapters.git.limits import Limits
from kilde.adapters.git.process import Git
from kilde.adapters.git.witness import GitWitness
from kilde.adapters.witness.file import FileWitness
from kilde.core.basics.aws_signature import Keys
from kilde.core.basics.errors import InvalidInput
from kilde.core.ledger.evidence import Note
from kilde.engine.records.witnessing import heard
from kilde.ports.clock import Clock
from kilde.ports.sources import Credentials
from kilde.ports.witness import Witness

CredentialsOf = Callable[[str], Awaitable[Credentials]]
_KINDS = "file:PATH, git:URL[#REF] or s3:ENDPOINT/BUCKET[/PREFIX][?region=…&days=…]"


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
