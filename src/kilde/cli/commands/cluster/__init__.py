"""`kilde cluster`: the embedded Kubernetes API alone, and what one does with such clusters."""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kilde.cli.clusters import named
from kilde.cli.commands.cluster.audit_options import audit_options
from kilde.cli.lazy import LazyGroup
from kilde.cli.parameters import SPEED, durability_option, kubernetes_version_option
from kilde.cli.serving import begin_log, say_ready, serve_until_signal

if TYPE_CHECKING:
    from kilde.kubeapi.controllers.node_marks import Marks
    from kilde.kubeapi.settings import AuditLog

_PATH = click.Path(path_type=Path)
_HERE = "kilde.cli.commands.cluster"


@click.group(
    cls=LazyGroup,
    modules={
        "list": f"{_HERE}.listing",
        "stop": f"{_HERE}.stop",
        "kubeconfig": f"{_HERE}.kubeconfig",
        "advance": f"{_HERE}.advance",
        "snapshot": f"{_HERE}.snapshot",
        "restore": f"{_HERE}.restore",
    },
    invoke_without_command=True,
    epilog="Example: kilde cluster --data-dir state --controllers off",
    short_help="Run only a Kubernetes API in one process.",
)
@click.option(
    "--data-dir", type=_PATH, envvar="KILDE_DATA_DIR", help="Where the cluster keeps its objects, keys and kubeconfig."
)
@click.option("--ephemeral", is_flag=True, help="Keep everything in memory; gone when it ends.")
@click.option(
    "--name", help="A name for it, instead of a folder: several run side by side, and the sub-commands know them."
)
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
@click.option(
    "--cloud/--no-cloud",
    default=True,
    show_default=True,
    help="Give addresses to LoadBalancers and Ingresses, volumes to claims, and steady load to autoscalers.",
)
@click.option(
    "--label",
    "labels",
    nargs=2,
    multiple=True,
    metavar="NODE KEY=VALUE",
    help="Register a pretend node with a label.",
)
@click.option(
    "--taint",
    "taints",
    nargs=2,
    multiple=True,
    metavar="NODE KEY=VALUE:EFFECT",
    help="Register a pretend node with a taint: --taint node-1 reserved=yes:NoSchedule",
)
@click.option(
    "--load",
    type=_PATH,
    multiple=True,
    help="Apply the manifests of a file, folder or kustomization before it is ready.",
)
@click.option("--rules", is_flag=True, help="Serve the kind SimulationRule, which says what pretended pods do.")
@click.option(
    "--clock",
    type=SPEED,
    metavar="real|xN|manual",
    default="real",
    show_default=True,
    help="The cluster's time: the machine's, N times as fast, or still until kilde cluster advance moves it.",
)
@audit_options
@durability_option
@kubernetes_version_option
@click.option("-d", "--detach", is_flag=True, help="Leave it running in the background once it is ready; stop ends it.")
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    """Runs a Kubernetes API server, and what moves in a cluster, until SIGINT or SIGTERM.

    Prints `ready` once it answers and the kubeconfig is written. Its user is in system:masters.
    """
    if ctx.invoked_subcommand is None:
        _serve(**options)


def _serve(*, name: str | None, data_dir: Path | None, ephemeral: bool, detach: bool, **options: Any) -> None:
    folder = _folder(name, data_dir, ephemeral=ephemeral)
    if folder is None and options["kubeconfig_out"] is None:
        click.echo("note: nobody can log in without --kubeconfig-out FILE", err=True)
    if detach:
        from kilde.cli.background import start

        if folder is None:
            raise click.UsageError("--detach needs a cluster that can be found again: --name or --data-dir")
        sys.exit(start(_without_detach(sys.argv[1:]), folder))
    _run(folder, in_memory=ephemeral, **options)


def _folder(name: str | None, data_dir: Path | None, *, ephemeral: bool) -> Path | None:
    """Where the cluster lives; None for one that leaves nothing behind, not even a name."""
    if name is not None:
        given = click.get_current_context().get_parameter_source("data_dir")
        if data_dir is not None and given is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError("give --name or --data-dir, not both")
        return named(name).folder
    if ephemeral:
        return None  # the option wins over KILDE_DATA_DIR
    if data_dir is None:
        raise click.UsageError("say where it keeps its state: --data-dir DIR, --name NAME, or --ephemeral")
    return data_dir.absolute()


def _without_detach(arguments: list[str]) -> list[str]:
    return [word for word in arguments if word not in ("-d", "--detach")]


def _of_nodes(found: "Mapping[str, Marks]", nodes: int, *, simulated: bool) -> "Mapping[str, Marks]":
    """The marks, if each is one of a node there will be."""
    from kilde.kubeapi.controllers.nodes import node_names

    for name in found:
        if not simulated or name not in node_names(nodes):
            about = f"of {nodes} (node-0, …)" if simulated else "without --controllers simulate"
            raise click.UsageError(f"--label and --taint are about pretend nodes, and {name} is none {about}")
    return found


def _warn(told: str) -> None:
    click.echo(f"warning: {told}", err=True)


def _run(
    folder: Path | None,
    *,
    in_memory: bool,
    api_port: int,
    kubeconfig_out: Path | None,
    controllers: str,
    nodes: int,
    cloud: bool,
    labels: tuple[tuple[str, str], ...],
    taints: tuple[tuple[str, str], ...],
    load: tuple[Path, ...],
    rules: bool,
    clock: float,
    audit: "AuditLog | None",
    durability: str,
    kubernetes_version: str,
    verbose: bool,
) -> None:
    from kilde.adapters.folder import manifests_of
    from kilde.kubeapi.controllers.node_marks import marks
    from kilde.kubeapi.main import serve as serve_api
    from kilde.kubeapi.resources.release import release
    from kilde.kubeapi.settings import Controllers, Settings
    from kilde.kubeapi.storage.journal import Durability

    begin_log(verbose=verbose)
    settings = Settings(
        data_dir=folder,
        in_memory=in_memory,
        port=api_port,
        kubeconfig=kubeconfig_out,
        controllers=Controllers(controllers),
        nodes=nodes,
        cloud=cloud,
        marks=_of_nodes(marks(labels, taints), nodes, simulated=controllers == Controllers.SIMULATE),
        load=tuple(manifest for path in load for manifest in manifests_of(path, _warn)),
        rules=rules,
        speed=clock,
        audit=audit,
        durability=Durability(durability),
        release=release(kubernetes_version),
    )

    async def serve(stop: asyncio.Event) -> None:
        async with serve_api(settings):
            say_ready()
            await stop.wait()

    serve_until_signal(serve)
