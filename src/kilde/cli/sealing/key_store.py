"""The store of private keys that a command's flags name: the one place that opens it for every command of `kilde secrets`."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kilde.cli.sealing.passphrase import passphrase
from kilde.cli.target import Target, target_options
from kilde.cli.vault_file import read_vault, vault_option
from kilde.core.secrets.key_home import WORDS, read_key_home

if TYPE_CHECKING:
    from kilde.core.secrets.stored import StoredKey
    from kilde.ports.keys import KeyStore
    from kilde.wiring.key_stores import Keys

T = TypeVar("T")
HELP = "Where the private sealing keys lie: Secrets of the cluster, a file that a passphrase locks, or Vault, wrapped by a transit key."


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the flags say: the cluster, the namespace of its key Secrets, the home of the keys, and the file for Vault."""

    target: Target
    space: str
    home: str
    vault: Path | None

    def use(self, work: "Callable[[KeyStore], Awaitable[T]]") -> T:
        """Opens the store, has something done with it, and closes it. KildeError."""
        from kilde.wiring.key_stores import key_store

        keys = keys_of(self.home, self.vault)

        async def whole() -> T:
            target = self.target
            async with key_store(keys, target.kubeconfig, context=target.context, space=self.space) as store:
                return await work(store)

        return asyncio.run(whole())

    def load(self) -> "list[StoredKey]":
        """The active keys. KildeError."""
        return self.use(lambda store: store.load())


def key_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Where the keys lie; the command gets `chosen`."""

    @wraps(command)
    def with_chosen(*arguments: Any, target: Target, space: str, home: str, vault: Path | None, **more: Any) -> Any:
        return command(*arguments, chosen=Chosen(target, space, home, vault), **more)

    options = (
        vault_option,
        click.option("--seal-keys", "home", default="secrets", show_default=True, metavar=WORDS, help=HELP),
        click.option(
            "--controller-namespace",
            "space",
            default="kube-system",
            show_default=True,
            help="Where the cluster has its keys.",
        ),
        target_options,
    )
    wrapped: Callable[..., Any] = with_chosen
    for option in options:
        wrapped = option(wrapped)
    return wrapped


def keys_of(home: str, vault: Path | None) -> "Keys":
    """What `--seal-keys` and `--vault` say, with what opens it. InvalidInput."""
    from kilde.wiring.key_stores import Keys

    place = read_key_home(home)
    return Keys(
        home=place,
        passphrase=passphrase() if place.file else b"",
        reach=read_vault(vault) if place.vault else None,
    )
