"""What `kilde app actions` needs: one application, the cluster it deploys to, and the ledger where the data directory has one."""

import contextlib
from collections.abc import AsyncIterator

from kilde.adapters.clock import SystemClock
from kilde.core.apps.application import read_application
from kilde.core.basics.errors import InvalidInput, LedgerError
from kilde.core.basics.values import Object
from kilde.engine.beside.object_actions import ObjectActions
from kilde.engine.records.accounts import Accounts
from kilde.wiring.cluster import open_cluster
from kilde.wiring.ledgers import existing_ledger
from kilde.wiring.reaching import destinations
from kilde.wiring.settings import LookSettings


@contextlib.asynccontextmanager
async def object_actions(
    settings: LookSettings, body: Object, *, manager: str, recorded: bool
) -> AsyncIterator[tuple[ObjectActions, bool]]:
    """The actions of an application's objects, and whether they are put on record. Raises KildeError."""
    clock = SystemClock()
    async with contextlib.AsyncExitStack() as stack:
        accounts = None
        if recorded:
            with contextlib.suppress(LedgerError):
                ledger, _ = stack.enter_context(existing_ledger(settings.data_dir, clock))
                accounts = Accounts(ledger, clock)
        home = open_cluster(settings.kubeconfig, context=settings.context)
        stack.push_async_callback(home.close)
        there = await stack.enter_async_context(destinations(home, settings.namespace))
        app = read_application(body, there.clusters, home=settings.namespace)
        if not app.destination.cluster.server:
            raise InvalidInput("; ".join(app.problems) or "it has no destination", about=app.name)
        made = ObjectActions(
            there.of(app), clock, app, accounts, manager=manager, home=home, namespace=settings.namespace
        )
        await made.load()
        yield made, accounts is not None
