"""`kilde cluster restore`: a cluster out of a snapshot."""

from pathlib import Path

import click

from kilde.cli.clusters import Cluster, named
from kilde.core.basics.errors import KildeError


@click.command(
    "restore",
    epilog="Example: kilde cluster restore ready.kilde --name ci",
    short_help="Make a cluster out of a snapshot.",
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--name", help="The cluster's name.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Its folder, for a cluster without a name.")
@click.option("--force", is_flag=True, help="Replace the objects that the cluster has.")
def command(*, file: Path, name: str | None, data_dir: Path | None, force: bool) -> None:
    """Puts the objects of FILE into a cluster that does not run; start it afterwards with the same --name or --data-dir."""
    if (name is None) == (data_dir is None):
        raise click.UsageError("say which cluster: --name or --data-dir")
    cluster = named(name) if name is not None else Cluster("", (data_dir or Path()).absolute())
    try:
        data = file.read_bytes()
    except OSError as error:
        raise KildeError(f"cannot be read: {error.strerror}", about=str(file)) from error
    click.echo(f"{cluster.shown}: {_restored(cluster, data, str(file), force=force)} objects")


def _restored(cluster: Cluster, data: bytes, about: str, *, force: bool) -> int:
    from kilde.kubeapi.occupied import occupied
    from kilde.kubeapi.storage.snapshot import restored
    from kilde.kubeapi.storage.sqlite_journal import SqliteJournal

    cluster.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with occupied(cluster.folder):
        if cluster.store.exists() and not force:
            raise KildeError("has objects already", about=cluster.shown, hint="give --force to replace them")
        new = cluster.store.with_name("restoring.db")
        _remove(new)
        try:
            journal = SqliteJournal(new)
            try:
                head = restored(data, about, journal)
            finally:
                journal.close()
            _remove(cluster.store)
            new.replace(cluster.store)
        finally:
            _remove(new)
    return head.objects


def _remove(store: Path) -> None:
    for tail in ("", "-wal", "-shm"):
        store.with_name(store.name + tail).unlink(missing_ok=True)
