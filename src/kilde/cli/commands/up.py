"""`kilde up`: the controller, with a cluster in the same process unless another one is named."""

import asyncio
from pathlib import Path

import click

from kilde.cli.parameters import (
    ADDRESS,
    DELETION_BUDGET,
    DURATION,
    FLEET_DELETION_BUDGET,
    durability_option,
    kubernetes_version_option,
)
from kilde.cli.serving import begin_log, say_ready, serve_until_signal
from kilde.cli.target import data_dir_option, namespace_option
from kilde.cli.vault_file import read_vault, vault_option
from kilde.cli.witnesses import witness_option
from kilde.core.plan.budget import Budget, FleetBudget


@click.command(
    epilog="Example: kilde up --data-dir state",
    short_help="Run the controller, and a cluster unless one is named.",
)
@data_dir_option
@click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path),
    help="Keep this cluster in step; without it an embedded one is started.",
)
@click.option("--context", default="", help="Of the kubeconfig; its current one if not given.")
@click.option(
    "--as",
    "acting",
    default="",
    metavar="USER",
    help="Act as this user, by impersonation, so that the guard can tell Kilde from people; in the embedded cluster system:kilde.",
)
@click.option(
    "--listen",
    type=ADDRESS,
    metavar="HOST:PORT",
    default="127.0.0.1:8480",
    show_default=True,
    help="Where /readyz, /metrics and /api/webhook are served.",
)
@click.option(
    "--api-port", type=click.IntRange(0, 65535), default=0, help="Port of the embedded cluster; any free one if 0."
)
@click.option(
    "--poll", type=DURATION, default="120s", show_default=True, help="How often repositories are asked for news."
)
@durability_option
@kubernetes_version_option
@namespace_option
@click.option(
    "--wave-delay",
    type=DURATION,
    envvar="ARGOCD_SYNC_WAVE_DELAY",
    default="2s",
    show_default=True,
    help="Pause between two waves or phases of a sync, for other controllers to react.",
)
@click.option(
    "--max-api-writes",
    "writes",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Writes a minute to the API server, for a slow etcd: more of them wait. 0: no limit.",
)
@click.option(
    "--deletion-budget",
    type=DELETION_BUDGET,
    metavar="N,P%",
    envvar="KILDE_DELETION_BUDGET",
    default="5,10%",
    show_default=True,
    help="What a sync may delete unasked: so many objects or so many in a hundred, whichever is more; off: anything.",
)
@click.option(
    "--fleet-deletion-budget",
    "fleet_budget",
    type=FLEET_DELETION_BUDGET,
    metavar="N,P%/TIME",
    envvar="KILDE_FLEET_DELETION_BUDGET",
    default="20,5%/10m",
    show_default=True,
    help="What all applications together may delete unasked within that time; off: anything.",
)
@click.option(
    "--on-degraded",
    type=click.Choice(["hold", "rollback", "off"]),
    envvar="KILDE_ON_DEGRADED",
    default="hold",
    show_default=True,
    help="A commit whose sync fails or that does harm: leave things as they are, go back, or go on as Argo CD does.",
)
@click.option(
    "--undo-retention",
    type=DURATION,
    default="168h",
    show_default=True,
    help="How long what was deleted can be put back by kilde app undo; 0: not at all.",
)
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
    "--raw-secrets",
    "raw",
    type=click.Choice(["refuse", "allow"]),
    default="refuse",
    show_default=True,
    help="What becomes of Secrets that stand in Git in plain text, where an AppProject does not allow them (kilde.dev/raw-secrets).",
)
@click.option(
    "--seal-controller/--no-seal-controller",
    "seals",
    default=None,
    help="Open SealedSecrets too; without either: in the embedded cluster only.",
)
@click.option(
    "--seal-listen",
    type=ADDRESS,
    metavar="HOST:PORT",
    default="127.0.0.1:0",
    help="Where /v1/cert.pem, /v1/verify and /v1/rotate are served; any free port if it is 0.",
)
@click.option(
    "--seal-key-renew-period",
    "seal_renew",
    type=DURATION,
    envvar="SEALED_SECRETS_KEY_RENEW_PERIOD",
    default="720h",
    show_default=True,
    help="Age at which the newest sealing key gets a successor; 0: never.",
)
@click.option(
    "--seal-rate-limit",
    "seal_rate",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Requests a second that /v1/verify and /v1/rotate answer.",
)
@click.option(
    "--seal-keys",
    default="secrets",
    show_default=True,
    metavar="secrets|file:PATH|vault:MOUNT/NAME",
    help="Where the private sealing keys lie; a file's passphrase is in KILDE_KEYS_PASSPHRASE_FILE, KILDE_KEYS_PASSPHRASE, or asked for.",
)
@vault_option
@witness_option
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def command(
    *,
    data_dir: Path,
    kubeconfig: Path | None,
    context: str,
    acting: str,
    listen: tuple[str, int],
    api_port: int,
    poll: float,
    wave_delay: float,
    deletion_budget: Budget,
    fleet_budget: FleetBudget,
    on_degraded: str,
    undo_retention: float,
    helm: str,
    plugins: str,
    raw: str,
    writes: int,
    durability: str,
    kubernetes_version: str,
    namespace: str,
    seals: bool | None,
    seal_listen: tuple[str, int],
    seal_renew: float,
    seal_rate: int,
    seal_keys: str,
    vault: Path | None,
    witnesses: tuple[str, ...],
    verbose: bool,
) -> None:
    """Keeps a cluster in step with its repositories until SIGINT or SIGTERM.

    All state is in the data directory. Without --kubeconfig an embedded cluster is started; its kubeconfig is DIR/kubeconfig,
    written before the line `ready` is printed.
    """
    if context and kubeconfig is None:
        raise click.UsageError("--context needs --kubeconfig")
    from kilde.cli.sealing.key_store import keys_of
    from kilde.wiring import UpSettings, run_up

    keys = keys_of(seal_keys, vault)
    reach = (keys.reach or read_vault(vault)) if vault else None
    begin_log(verbose=verbose)
    settings = UpSettings(
        data_dir=data_dir.absolute(),
        kubeconfig=kubeconfig,
        context=context,
        acting=acting,
        host=listen[0],
        port=listen[1],
        api_port=api_port,
        poll=poll,
        wave_delay=wave_delay,
        deletion_budget=deletion_budget,
        fleet_budget=fleet_budget,
        on_degraded=on_degraded,
        undo_retention=undo_retention,
        raw_secrets=raw == "allow",
        helm=helm,
        plugins=plugins,
        writes=writes,
        durability=durability,
        kubernetes_version=kubernetes_version,
        namespace=namespace,
        seals=seals,
        seal_listen=seal_listen,
        seal_renew=seal_renew,
        seal_rate=seal_rate,
        seal_keys=keys,
        vault=reach,
        witnesses=witnesses,
    )

    async def serve(stop: asyncio.Event) -> None:
        await run_up(settings, say_ready, stop)

    serve_until_signal(serve)
