"""Options of `kilde up` about secrets: the controller of SealedSecrets, its keys, and Vault."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kilde.cli.option_groups import group
from kilde.cli.parameters import ADDRESS, DURATION
from kilde.cli.vault_file import read_vault, vault_option

if TYPE_CHECKING:
    from kilde.core.secrets.vault.settings import VaultSettings
    from kilde.wiring.sealing import SealSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """`seals`: whether SealedSecrets are opened; None: where the cluster is ours."""

    seals: bool | None
    sealing: "SealSettings"
    vault: "VaultSettings | None"


def _secrets(
    *,
    seals: bool | None,
    seal_listen: tuple[str, int],
    seal_renew: float,
    seal_rate: int,
    seal_keys: str,
    vault: Path | None,
) -> Secrets:
    from kilde.cli.sealing.key_store import keys_of
    from kilde.engine.sealing.settings import SealingSettings
    from kilde.wiring.sealing import SealSettings

    keys = keys_of(seal_keys, vault)
    sealing = SealSettings(
        sealing=SealingSettings(renew_period=seal_renew), listen=seal_listen, rate=seal_rate, burst=seal_rate, keys=keys
    )
    return Secrets(seals=seals, sealing=sealing, vault=(keys.reach or read_vault(vault)) if vault else None)


secret_options = group(
    "secrets",
    _secrets,
    click.option(
        "--seal-controller/--no-seal-controller",
        "seals",
        default=None,
        help="Open SealedSecrets too; without either: in the embedded cluster only.",
    ),
    click.option(
        "--seal-listen",
        type=ADDRESS,
        metavar="HOST:PORT",
        default="127.0.0.1:0",
        help="Where /v1/cert.pem, /v1/verify and /v1/rotate are served; any free port if it is 0.",
    ),
    click.option(
        "--seal-key-renew-period",
        "seal_renew",
        type=DURATION,
        envvar="SEALED_SECRETS_KEY_RENEW_PERIOD",
        default="720h",
        show_default=True,
        help="Age at which the newest sealing key gets a successor; 0: never.",
    ),
    click.option(
        "--seal-rate-limit",
        "seal_rate",
        type=click.IntRange(min=1),
        default=2,
        show_default=True,
        help="Requests a second that /v1/verify and /v1/rotate answer.",
    ),
    click.option(
        "--seal-keys",
        default="secrets",
        show_default=True,
        metavar="secrets|file:PATH|vault:MOUNT/NAME",
        help="Where the private sealing keys lie; a file's passphrase: KILDE_KEYS_PASSPHRASE_FILE, KILDE_KEYS_PASSPHRASE, or asked for.",
    ),
    vault_option,
)
