"""Options that say which objects of an application are meant."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from kilde.engine.beside.object_actions import Pick


def pick_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--group`, `--kind`, `--name`, `--object-namespace`; the command gets `pick`."""

    @wraps(command)
    def with_pick(*arguments: Any, group: str, kind: str, object_name: str, object_namespace: str, **more: Any) -> Any:
        pick = Pick(group=group, kind=kind, namespace=object_namespace, name=object_name)
        return command(*arguments, pick=pick, **more)

    options = (
        click.option("--group", default="", help="The API group of the objects."),
        click.option("--kind", default="", help="Their kind."),
        click.option("--name", "--resource-name", "object_name", default="", help="The name of the one object."),
        click.option("--object-namespace", default="", help="The namespace the objects are in."),
    )
    for option in reversed(options):
        with_pick = option(with_pick)
    return with_pick
