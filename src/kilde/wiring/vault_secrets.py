"""The controller of VaultSecrets, put together."""

import os

from kilde.adapters.clock import SystemClock
from kilde.core.secrets.vault.settings import VaultSettings
from kilde.engine.records.accounts import Accounts
from kilde.engine.vault.controller import VaultSecretController
from kilde.engine.vault.resolver import Resolver
from kilde.engine.vault.settings import VaultSecretSettings
from kilde.ports.cluster import Cluster
from kilde.ports.vault import Place, Vault
from kilde.wiring.sealing import render_template


def vault_secret_controller(
    reach: VaultSettings,
    vault: Vault,
    cluster: Cluster,
    *,
    reserved: tuple[Place, ...],
    identity: str,
    lease: float,
    accounts: Accounts | None,
) -> VaultSecretController:
    """Put together, not yet running. `reserved`: where sealing keys lie; `accounts` None: there is no ledger."""
    settings = VaultSecretSettings(
        reads=reach.reads, mounts=reach.mounts, reserved=reserved, identity=identity, lease=lease
    )
    clock = SystemClock()
    resolver = Resolver(
        cluster,
        clock,
        vault,
        settings,
        render=render_template,
        salt=os.urandom(32),
        tell=lambda ref, fields, writers: (
            accounts.secret_restored(ref, fields, writers, kind="VaultSecret") if accounts else None
        ),
        tell_versions=accounts.secret_resolved if accounts else lambda *told: None,
    )
    return VaultSecretController(cluster, clock, resolver, settings)
