"""A config repository's working copy: the SealedSecrets in it, the keys that open them, and one commit for what was changed."""

import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from kilde.cli.no_core_dumps import forbid_core_dumps
from kilde.cli.sealing.key_store import Chosen, key_options
from kilde.core.basics.errors import InvalidInput
from kilde.core.secrets import documents, keys, needs
from kilde.core.secrets.in_files import Found, Item
from kilde.core.secrets.keys import SealingKey
from kilde.core.secrets.needs import Needs
from kilde.core.secrets.surveying import ENDINGS, LARGEST, Survey, survey

_PATH = click.Path(path_type=Path)


@dataclass(frozen=True, slots=True)
class Holder:
    """The keys to work with, and the namespaces that an overlay may give to an object without one."""

    keys: tuple[SealingKey, ...] = field(repr=False)

    @property
    def newest(self) -> SealingKey:
        """What to seal to. InvalidInput where there is no key."""
        found = keys.newest(self.keys)
        if found is None:
            raise InvalidInput("there is no sealing key", hint="give --private-key, or start the controller")
        return found


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Where the repository and the keys are; the command gets `repo`, `chosen` and `files`."""

    chosen = (
        click.option("--repo", type=_PATH, default=Path(), help="The working copy; the current folder if not given."),
        click.option(
            "--private-key",
            "files",
            type=_PATH,
            multiple=True,
            help="Key Secrets in a file (a backup), instead of those in the cluster; may be repeated.",
        ),
    )
    for option in chosen:
        command = option(command)
    return key_options(command)


def holder(chosen: Chosen, files: Sequence[Path] = ()) -> Holder:
    """The keys of the files, or of where the flags say that they lie. KildeError."""
    forbid_core_dumps()
    if files:
        return Holder(tuple(key for file in files for key in _of_file(file)))
    return Holder(tuple(_key(one.name, one.private, one.certificate) for one in chosen.load()))


def _of_file(file: Path) -> Iterator[SealingKey]:
    from kilde.cli.sealing.actions import read_file

    for secret in documents.read(read_file(str(file)), file=str(file)):
        values = documents.secret_values(secret, about=str(file))
        name = str((secret.get("metadata") or {}).get("name", ""))
        if "tls.key" not in values or "tls.crt" not in values:
            hint = "give a backup of the key Secrets (kubectl get secret -l …/sealed-secrets-key -o yaml)"
            raise InvalidInput(f"Secret '{name}' has no tls.key and tls.crt", about=str(file), hint=hint)
        yield _key(name, values["tls.key"], values["tls.crt"])


def _key(name: str, private: bytes, certificate: bytes) -> SealingKey:
    return SealingKey(keys.read_private_key(private, about=name), keys.read_certificate(certificate, about=name), name)


class Repository:
    """A working copy; what Git tracks in it counts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.unread: list[str] = []
        top = self._git("rev-parse", "--show-toplevel").strip()
        self.folder = Path(top)

    def sealed(self) -> dict[str, list[Found]]:
        """File → the SealedSecrets in it."""
        return self._survey().sealed

    def items(self, key_holder: Holder) -> list[Item]:
        """Every sealed value, with the key that opens it. A file that cannot be read is put down in `unread`."""
        return list(self._survey().items(key_holder.keys))

    def needs(self, key_holder: Holder) -> Needs:
        """Which key is needed for what."""
        return needs.needs({"": self._survey()}, (), key_holder.keys)

    def _survey(self) -> Survey:
        names = self._git("ls-files", "-z").split("\0")
        found = survey((name, data) for name in names if (data := self._read(name)) is not None)
        self.unread = found.unread
        return found

    def change(self, files: dict[str, bytes], message: str, *, commit: bool) -> str:
        """Writes files, each whole, and commits them and nothing else; the commit's id ("" without one). InvalidInput."""
        from kilde.cli.sealing.actions import replace_file

        dirty = self._git("status", "--porcelain", "--untracked-files=no", "--", *files).strip()
        if dirty:
            hint = "commit or restore them first"
            raise InvalidInput(f"there are changes of yours in the files to be written:\n{dirty}", hint=hint)
        for name, data in files.items():
            replace_file(str(self.folder / name), data.decode())
        return self.commit(list(files), message) if commit else ""

    def commit(self, names: Sequence[str], message: str) -> str:
        """Commits these files and nothing else; the commit's id. InvalidInput."""
        self._git("commit", "-q", "-m", message, "--", *names)
        return self._git("rev-parse", "HEAD").strip()

    def read(self, name: str) -> bytes:
        """A file that is there."""
        return (self.folder / name).read_bytes()

    def _read(self, name: str) -> bytes | None:
        path = self.folder / name
        if not name.endswith(ENDINGS) or path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST:
            return None
        return path.read_bytes()

    def _git(self, *arguments: str) -> str:
        try:
            done = subprocess.run(  # noqa: S603
                ["git", "-C", str(self.folder), *arguments],  # noqa: S607  # the user's git, in the user's own working copy
                capture_output=True,
                text=True,
                check=False,
            )
        except OSError as error:
            raise InvalidInput(f"git cannot be run: {error.strerror}") from None
        if done.returncode != 0:
            raise InvalidInput(done.stderr.strip() or f"git ended with {done.returncode}", about=str(self.folder))
        return done.stdout


def unopened(items: Iterable[Item]) -> list[dict[str, str]]:
    """What nobody can open: place, object, item, why."""
    return [needs.unopened(item) for item in items if item.key is None]
