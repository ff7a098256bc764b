"""Which cluster and which data directory a command is about: options that several commands share."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from kilde.cli.failures import state_folder
from kilde.core.basics.errors import ClusterError, KildeError

_PATH = click.Path(path_type=Path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A cluster and the namespace of its Applications. `kubeconfig` None: as kubectl finds it."""

    kubeconfig: Path | None
    context: str
    namespace: str
    data_dir: Path

    @property
    def where(self) -> str:
        """The cluster as the command line named it."""
        file = str(self.kubeconfig) if self.kubeconfig else "kubectl's own kubeconfig"
        return f"{file}, context {self.context}" if self.context else f"{file}, current context"


def data_dir_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--data-dir`; the command gets `data_dir`."""
    return click.option(
        "--data-dir",
        type=_PATH,
        envvar="KILDE_DATA_DIR",
        default=state_folder,
        show_default="~/.local/state/kilde",
        help="Where kilde up keeps its state. [env: KILDE_DATA_DIR]",
    )(command)


def namespace_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--namespace`; the command gets `namespace`."""
    return click.option(
        "-n", "--namespace", default="argocd", show_default=True, help="The namespace of the Applications."
    )(command)


def others_option(
    told: str, *, unsaid: str = "as argocd-cmd-params-cm says"
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--application-namespaces`, of `kilde up` and of what looks beside it; the command gets `application_namespaces`."""
    return click.option(
        "--application-namespaces",
        metavar="NAMES",
        envvar="ARGOCD_APPLICATION_NAMESPACES",
        default="",
        help=f"{told}: names, globs and /regular expressions/, with commas; else {unsaid}.",
    )


def target_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--data-dir`, `--kubeconfig`, `--context`, `--namespace`; the command gets `target`."""

    @wraps(command)
    def with_target(
        *arguments: Any, data_dir: Path | None, kubeconfig: Path | None, context: str, namespace: str, **more: Any
    ) -> Any:
        folder = (data_dir or state_folder()).absolute()
        file = kubeconfig or (_embedded(data_dir) if data_dir else None)
        target = Target(kubeconfig=file, context=context, namespace=namespace, data_dir=folder)
        try:
            return command(*arguments, target=target, **more)
        except ClusterError as error:
            if data_dir is None or kubeconfig is not None or error.reason != "Unreachable":
                raise
            hint = f"start it: kilde up --data-dir {data_dir}"
            raise KildeError("the embedded cluster does not run", about=str(data_dir), hint=hint) from error

    options = (
        click.option(
            "--data-dir",
            type=_PATH,
            envvar="KILDE_DATA_DIR",
            help="That of a running kilde up: its embedded cluster is meant. [env: KILDE_DATA_DIR]",
        ),
        click.option(
            "--kubeconfig",
            type=_PATH,
            help="The cluster's kubeconfig. Without it and --data-dir: $KUBECONFIG or ~/.kube/config.",
        ),
        click.option("--context", default="", help="Of the kubeconfig; its current one if not given."),
        namespace_option,
    )
    for option in reversed(options):
        with_target = option(with_target)
    return with_target


def _embedded(data_dir: Path) -> Path:
    file = data_dir / "kubeconfig"
    if not file.is_file():
        hint = "start it with kilde up --data-dir, or give --kubeconfig for another cluster"
        raise KildeError("no embedded cluster has been started there", about=str(data_dir), hint=hint)
    return file
