"""`--vault FILE`: how Vault is reached; without it, the variables that Vault's own command reads."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from kilde.core.secrets.vault.settings import VaultSettings

VARIABLE = "KILDE_VAULT"
HELP = "How Vault is reached, a YAML file (docs/secrets.md); without it as VAULT_ADDR, VAULT_TOKEN, VAULT_CACERT and VAULT_NAMESPACE say."
_LARGEST = 1 << 20


def vault_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--vault`; the command gets `vault`."""
    kind = click.Path(path_type=Path, dir_okay=False)
    return click.option("--vault", type=kind, envvar=VARIABLE, metavar="FILE", help=HELP)(command)


def read_vault(file: Path | None) -> "VaultSettings | None":
    """What the file says, or the environment; None where neither does. InvalidInput."""
    from kilde.cli.no_core_dumps import forbid_core_dumps
    from kilde.core.secrets.vault.settings import from_environment, read_settings

    forbid_core_dumps()
    if file is None:
        return from_environment(os.environ)
    found = read_settings(_content(file), about=str(file))
    login = found.login
    beside = file.absolute().parent
    return replace(
        found,
        ca_file=_from(beside, found.ca_file),
        login=replace(login, token_file=_from(beside, login.token_file), secret_file=_from(beside, login.secret_file)),
    )


def _content(file: Path) -> Any:
    from kilde.core.basics.errors import InvalidInput
    from kilde.core.objects.yaml_reader import read_documents

    try:
        with file.open("rb") as opened:
            data = opened.read(_LARGEST + 1)
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", about=str(file)) from None
    documents = list(read_documents(data[:_LARGEST], file=str(file)))
    if len(documents) != 1 or len(data) > _LARGEST:
        raise InvalidInput("is not one YAML document of at most 1 MiB", about=str(file))
    return documents[0].value


def _from(folder: Path, name: str) -> str:
    """A file's name as it is meant where the settings are."""
    return str(folder / name) if name else ""
