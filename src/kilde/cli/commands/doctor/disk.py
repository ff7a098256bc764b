"""`kilde doctor disk`: whether the disk under a directory can bear etcd."""

import sys
from pathlib import Path

import click

from kilde.cli import output as out
from kilde.cli.commands.doctor import showing
from kilde.cli.parameters import DURATION

_WIDTH = 24


@click.command(epilog="Example: kilde doctor disk /var/lib/etcd")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--syncs", type=click.IntRange(min=100), default=2000, show_default=True, help="Stop after so many synced writes."
)
@click.option(
    "--seconds", type=DURATION, default="10s", show_default=True, help="Or after this time, whichever is first."
)
@showing.output_option
def disk(*, folder: Path, syncs: int, seconds: float, output: str) -> int:
    """Writes as etcd does (2,300 bytes, then fdatasync, one after the other) to a temporary file in DIR, and judges how long that takes.

    The file is gone afterwards. Exit code 0: fit; 1: etcd would be unstable there.
    """
    from kilde.core.doctor.durations import drawn, spread, told
    from kilde.wiring.doctoring.here import look_at_disk

    found, durations = look_at_disk(folder, syncs=syncs, seconds=seconds, progress=_progress)
    _progress(None)
    if output:
        showing.show([found], output)
        return showing.exit_code([found])
    for line in drawn(durations):
        click.echo(line)
    click.echo()
    figures = spread(durations)
    named = (
        ("p50", figures.p50),
        ("p90", figures.p90),
        ("p99", figures.p99),
        ("p99.9", figures.p999),
        ("max", figures.most),
    )
    out.table([name for name, _ in named], [[told(value) for _, value in named]])
    click.echo()
    showing.show([found], "")
    return showing.exit_code([found])


def _progress(share: float | None) -> None:
    """A bar on standard error, on a terminal; None takes it away."""
    if not sys.stderr.isatty():
        return
    if share is None:
        click.echo("\r\033[K", err=True, nl=False)
        return
    done = round(min(share, 1.0) * _WIDTH)
    click.echo(f"\rwriting {'█' * done}{'░' * (_WIDTH - done)} {min(share, 1.0):4.0%}", err=True, nl=False)
