"""`kilde cluster`: the embedded Kubernetes API alone."""

import asyncio
from pathlib import Path

import click

from kilde.cli.serving import begin_log, say_ready, serve_until_signal

_PATH = click.Path(path_type=Path)


@click.command(
    epilog="Example: kilde cluster --data-dir state --controllers off",
    short_help="Run only a Kubernetes API in one process.",
)
@click.option(
    "--data-dir", type=_PATH, envvar="KILDE_DATA_DIR", help="Where the cluster keeps its objects, keys and kubeconfig."
)
@click.option("--ephemeral", is_flag=True, help="Keep everything in memory; gone when it ends.")
@click.option("--api-port", type=click.IntRange(0, 65535), default=0, help="Port to listen on; any free one if 0.")
@click.option("--kubeconfig-out", type=_PATH, help="Write the kubeconfig there, not to DIR/kubeconfig.")
@click.option(
    "--controllers",
    type=click.Choice(["on", "off", "simulate"]),
    default="simulate",
    show_default=True,
    help="off: only the API; on: a control plane's controllers; simulate: also scheduler, kubelet and pretend nodes.",
)
@click.option("--nodes", type=click.IntRange(0, 10_000), default=2, show_default=True, help="How many pretend nodes.")
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def command(
    *,
    data_dir: Path | None,
    ephemeral: bool,
    api_port: int,
    kubeconfig_out: Path | None,
    controllers: str,
    nodes: int,
    verbose: bool,
) -> None:
    """Runs a Kubernetes API server, and what moves in a cluster, until SIGINT or SIGTERM.

    Prints `ready` once it answers and the kubeconfig is written. Its user is in system:masters.
    """
    if ephemeral:
        data_dir = None  # the option wins over KILDE_DATA_DIR
    elif data_dir is None:
        raise click.UsageError("say where it keeps its state: --data-dir DIR, or --ephemeral")
    if data_dir is None and kubeconfig_out is None:
        click.echo("note: nobody can log in without --kubeconfig-out FILE", err=True)
    from kilde.kubeapi.main import serve as serve_api
    from kilde.kubeapi.settings import Controllers, Settings

    begin_log(verbose=verbose)
    settings = Settings(
        data_dir=data_dir.absolute() if data_dir else None,
        port=api_port,
        kubeconfig=kubeconfig_out,
        controllers=Controllers(controllers),
        nodes=nodes,
    )

    async def serve(stop: asyncio.Event) -> None:
        async with serve_api(settings):
            say_ready()
            await stop.wait()

    serve_until_signal(serve)
