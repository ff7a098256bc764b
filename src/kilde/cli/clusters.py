"""Clusters by name: where each has its folder, which of them run, and the options that say which one is meant."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from kilde.cli.failures import state_folder
from kilde.core.basics.errors import KildeError

NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster's folder; `name` is "" for one that was started with --data-dir."""

    name: str
    folder: Path

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def store(self) -> Path:
        return self.folder / "cluster.db"

    @property
    def shown(self) -> str:
        return self.name or str(self.folder)


def clusters_folder() -> Path:
    """Where clusters with a name have their folders."""
    return state_folder() / "clusters"


def named(name: str) -> Cluster:
    """The cluster of that name, whether there is one or not. UsageError for what cannot be a name."""
    if not NAME.fullmatch(name):
        raise click.UsageError(f"'{name}' cannot name a cluster: use a-z, 0-9 and -")
    return Cluster(name, clusters_folder() / name)


def every() -> list[Cluster]:
    """The clusters that have names, in order."""
    try:
        found = sorted(path for path in clusters_folder().iterdir() if path.is_dir() and NAME.fullmatch(path.name))
    except OSError:
        return []
    return [Cluster(path.name, path) for path in found]


def chosen(name: str | None, data_dir: Path | None) -> Cluster:
    """The cluster that is meant: by name, by folder, or the only one there is. KildeError if there is none."""
    if name and data_dir:
        raise click.UsageError("give a NAME or --data-dir, not both")
    if name:
        cluster = named(name)
    elif data_dir is not None:
        cluster = Cluster("", data_dir.absolute())
    else:
        there = every()
        if len(there) != 1:
            raise click.UsageError("say which cluster: NAME or --data-dir (kilde cluster list shows those with names)")
        cluster = there[0]
    if not cluster.folder.is_dir():
        raise KildeError(
            "there is no such cluster", about=cluster.shown, hint="kilde cluster list shows those with names"
        )
    return cluster


def cluster_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """NAME and `--data-dir`; the command gets `cluster`."""

    @wraps(command)
    def with_cluster(*arguments: Any, name: str | None, data_dir: Path | None, **more: Any) -> Any:
        return command(*arguments, cluster=chosen(name, data_dir), **more)

    argument = click.argument("name", required=False)
    option = click.option(
        "--data-dir",
        type=click.Path(path_type=Path),
        help="Of a cluster without a name: the folder it was started with.",
    )
    return argument(option(with_cluster))
