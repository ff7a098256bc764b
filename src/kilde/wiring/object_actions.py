"""What `kilde app actions` needs: the cluster, one application, and the ledger where the data directory has one."""

import contextlib
from collections.abc import AsyncIterator

from kilde.adapters.clock import SystemClock
from kilde.core.apps.application import read_application
from kilde.core.basics.errors import LedgerError
from kilde.core.basics.values import Object
from kilde.engine.accounts import Accounts
from kilde.engine.object_actions import ObjectActions
from kilde.wiring.cluster import open_cluster
from kilde.wiring.ledgers import existing_ledger
from kilde.wiring.settings import LookSettings


@contextlib.asynccontextmanager
async def object_actions(
    settings: LookSettings, body: Object, *, manager: str, recorded: bool
) -> AsyncIterator[tuple[ObjectActions, bool]]:
    """The actions of an application's objects, and whether they are put on record. Raises KildeError."""
    clock, app = SystemClock(), read_application(body)
    with contextlib.ExitStack() as stack:
        accounts = None
        if recorded:
            with contextlib.suppress(LedgerError):
                ledger, _ = stack.enter_context(existing_ledger(settings.data_dir, clock))
                accounts = Accounts(ledger, clock)
        cluster = open_cluster(settings.kubeconfig, context=settings.context)
        try:
            made = ObjectActions(cluster, clock, app, accounts, manager=manager)
            await made.load()
            yield made, accounts is not None
        finally:
            await cluster.close()
