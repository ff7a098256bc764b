"""`kilde cluster snapshot`: all objects of a cluster into one file."""

import contextlib
import os
import time
from pathlib import Path

import click

from kilde.cli.clusters import Cluster, chosen
from kilde.core.basics.errors import KildeError


@click.command(
    "snapshot", epilog="Example: kilde cluster snapshot ready.kilde ci", short_help="Write all objects into a file."
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("name", required=False)
@click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Of a cluster without a name: the folder it was started with."
)
def command(*, file: Path, name: str | None, data_dir: Path | None) -> None:
    """Writes every object of the cluster NAME, running or not, into FILE (readable by you alone: Secrets are in it).

    Keys and certificates are not in it: a restored cluster has its own.
    """
    cluster = chosen(name, data_dir)
    data = _taken(cluster)
    unfinished = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(data)
        unfinished.replace(file)
    except OSError as error:
        raise KildeError(f"cannot be written: {error.strerror}", about=str(file)) from error
    finally:
        unfinished.unlink(missing_ok=True)
    click.echo(f"{file}: {len(data) / 1024:.0f} KiB")


def _taken(cluster: Cluster) -> bytes:
    from kilde.kubeapi.occupied import occupied, running_in
    from kilde.kubeapi.remote import Remote
    from kilde.kubeapi.storage.snapshot import written
    from kilde.kubeapi.storage.sqlite_journal import SqliteJournal
    from kilde.kubeapi.storage.store import Store

    if running_in(cluster.folder) is not None:
        with contextlib.closing(Remote(cluster.kubeconfig)) as remote:
            return remote.snapshot()
    if not cluster.store.is_file():
        raise KildeError("keeps no objects", about=cluster.shown)
    with occupied(cluster.folder):
        store = Store(SqliteJournal(cluster.store))
        try:
            return written(store, time.time())
        finally:
            store.close()
