"""What the command line needs to put deleted objects back: the store in the data directory, the cluster, the ledger."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from kilde.adapters.clock import SystemClock
from kilde.adapters.store.sqlite_undo import SqliteUndo
from kilde.core.apply.outcome import Outcome
from kilde.core.apps.application import read_application
from kilde.core.apps.clusters import IN_CLUSTER
from kilde.core.apps.names import place_of
from kilde.core.basics.errors import KildeError
from kilde.engine.beside.undoing import Undoing
from kilde.engine.fleet.applications import APPLICATIONS
from kilde.engine.records.accounts import Accounts
from kilde.engine.settings import EngineSettings
from kilde.ports.records import Ledger
from kilde.ports.undo import Deleted
from kilde.wiring.cluster import open_cluster
from kilde.wiring.ledgers import existing_ledger
from kilde.wiring.reaching import destinations
from kilde.wiring.settings import LookSettings
from kilde.wiring.undo_store import open_undo


@contextlib.contextmanager
def _existing(data_dir: Path) -> Iterator[SqliteUndo]:
    if not (data_dir / "undo.sqlite").is_file():
        raise KildeError("nothing was kept here", about=str(data_dir), hint="name the data directory of kilde up")
    with open_undo(data_dir) as store:
        yield store


def what_can_be_undone(settings: LookSettings, name: str) -> Sequence[Deleted]:
    """What is kept of an application, the newest first. Raises KildeError."""
    with _existing(settings.data_dir) as store:
        return store.operations("/".join(place_of(name, settings.namespace)))


async def undo_application(settings: LookSettings, name: str, *, operation: int | None, by: str) -> Outcome:
    """Puts back what the operation deleted, the newest if none is named. Raises KildeError."""
    clock, place = SystemClock(), place_of(name, settings.namespace)
    about = "/".join(place)
    with _existing(settings.data_dir) as store, existing_ledger(settings.data_dir, clock) as (ledger, _):
        known = [one.operation for one in store.operations(about)]
        if not known or operation not in (None, *known):
            what = (
                "nothing that was deleted is kept"
                if not known
                else f"operation {operation} deleted nothing that is kept"
            )
            raise KildeError(what, about=about, hint=f"kilde app undo {name} --list")
        kept = store.read(about, operation or known[0])
        cluster = open_cluster(settings.kubeconfig, context=settings.context)
        try:
            raw = await cluster.get(APPLICATIONS, *place)
            meta = {"metadata": {"name": place[1], "namespace": place[0]}}
            async with destinations(cluster, settings.namespace) as there:
                body = msgspec.json.decode(raw) if raw else meta
                app = read_application(body, there.clusters, home=settings.namespace)
                target = there.at(_server_of(ledger, kept[0].operation))
                accounts = Accounts(ledger, clock)
                undoing = Undoing(cluster, target, clock, accounts, manager=EngineSettings().manager)
                return await undoing.undo(app, kept, asked_by=by, exists=raw is not None)
        finally:
            await cluster.close()


def _server_of(ledger: Ledger, operation: int) -> str:
    """The cluster that an operation deleted from, wherever its application deploys to by now."""
    record = next(iter(ledger.read(first=operation, last=operation)), None)
    destination = record.body.get("destination") if record is not None else None
    return str(destination.get("server") or IN_CLUSTER) if isinstance(destination, dict) else IN_CLUSTER
