"""`kilde up`: the controller, with a cluster in the same process unless another one is named."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kilde.cli.commands.up.cluster_options import cluster_options, embedded_options
from kilde.cli.commands.up.engine_options import engine_options
from kilde.cli.commands.up.secret_options import Secrets, secret_options
from kilde.cli.parameters import ADDRESS
from kilde.cli.serving import begin_log, say_ready, serve_until_signal
from kilde.cli.target import data_dir_option
from kilde.cli.witnesses import witness_option

if TYPE_CHECKING:
    from kilde.engine.settings import EngineSettings
    from kilde.wiring.up import ClusterSettings, EmbeddedSettings


@click.command(
    epilog="Example: kilde up --data-dir state",
    short_help="Run the controller, and a cluster unless one is named.",
)
@data_dir_option
@cluster_options
@embedded_options
@click.option(
    "--listen",
    type=ADDRESS,
    metavar="HOST:PORT",
    default="127.0.0.1:8480",
    show_default=True,
    help="Where /readyz, /metrics and /api/webhook are served.",
)
@engine_options
@click.option(
    "--helm-command",
    "helm",
    envvar="KILDE_HELM_COMMAND",
    default="helm",
    show_default=True,
    help="The helm program (3 or 4) that renders charts, by path or name.",
)
@click.option(
    "--plugins",
    metavar="DIR",
    envvar="KILDE_PLUGINS",
    default="",
    help="A folder of config management plugins (plugin.yaml as Argo CD has them); their programs run on what repositories hold.",
)
@click.option(
    "--cluster-exec",
    "cluster_programs",
    metavar="PROGRAM",
    multiple=True,
    help="A credential plugin that cluster Secrets may run (execProviderConfig), as they name it; may be repeated; '*': any.",
)
@secret_options
@witness_option
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def command(
    *,
    data_dir: Path,
    cluster: "ClusterSettings",
    embedded: "EmbeddedSettings",
    listen: tuple[str, int],
    engine: "EngineSettings",
    helm: str,
    plugins: str,
    cluster_programs: tuple[str, ...],
    secrets: Secrets,
    witnesses: tuple[str, ...],
    verbose: bool,
) -> None:
    """Keeps a cluster in step with its repositories until SIGINT or SIGTERM.

    All state is in the data directory. Without --kubeconfig an embedded cluster is started; its kubeconfig is DIR/kubeconfig,
    written before the line `ready` is printed.
    """
    from kilde.wiring.controlling import ControllerSettings
    from kilde.wiring.up import UpSettings, run_up

    begin_log(verbose=verbose)
    settings = UpSettings(
        controller=ControllerSettings(
            data_dir=data_dir.absolute(),
            engine=engine,
            helm=helm,
            plugins=plugins,
            cluster_programs=cluster_programs,
            vault=secrets.vault,
            witnesses=witnesses,
        ),
        cluster=cluster,
        embedded=embedded,
        listen=listen,
        seals=secrets.seals,
        sealing=secrets.sealing,
    )

    async def serve(stop: asyncio.Event) -> None:
        await run_up(settings, say_ready, stop)

    serve_until_signal(serve)
