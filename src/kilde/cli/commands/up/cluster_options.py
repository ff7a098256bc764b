"""Options of `kilde up` about the cluster: which one, as whom, how hard; and those of the embedded one."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kilde.cli.option_groups import group
from kilde.cli.parameters import durability_option, kubernetes_version_option

if TYPE_CHECKING:
    from kilde.wiring.up import ClusterSettings, EmbeddedSettings


def _cluster(*, kubeconfig: Path | None, context: str, **asked: Any) -> "ClusterSettings":
    if context and kubeconfig is None:
        raise click.UsageError("--context needs --kubeconfig")
    from kilde.wiring.up import ClusterSettings

    return ClusterSettings(kubeconfig=kubeconfig, context=context, **asked)


def _embedded(**asked: Any) -> "EmbeddedSettings":
    from kilde.wiring.up import EmbeddedSettings

    return EmbeddedSettings(**asked)


cluster_options = group(
    "cluster",
    _cluster,
    click.option(
        "--kubeconfig",
        type=click.Path(path_type=Path),
        help="Keep this cluster in step; without it an embedded one is started.",
    ),
    click.option("--context", default="", help="Of the kubeconfig; its current one if not given."),
    click.option(
        "--as",
        "acting",
        default="",
        metavar="USER",
        help="Act as this user, by impersonation, so that the guard can tell Kilde from people; in the embedded cluster system:kilde.",
    ),
    click.option(
        "--max-api-writes",
        "writes",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Writes a minute to the API server, for a slow etcd: more of them wait. 0: no limit.",
    ),
)

embedded_options = group(
    "embedded",
    _embedded,
    click.option(
        "--api-port", type=click.IntRange(0, 65535), default=0, help="Port of the embedded cluster; any free one if 0."
    ),
    durability_option,
    kubernetes_version_option,
)
