"""The options that say which patch is meant."""

from collections.abc import Callable
from typing import Any

import click

_OPTIONS = (
    ("--path", "path", "The file of the patch; not with --patch."),
    ("--patch", "patch", "The text of the patch; not with --path."),
    ("--group", "group", "API group of the target."),
    ("--version", "version", "API version of the target."),
    ("--kind", "kind", "Kind of the target."),
    ("--name", "name", "Name of the target."),
    ("--namespace", "namespace", "Namespace of the target."),
    ("--annotation-selector", "annotationSelector", "Annotations of the target."),
    ("--label-selector", "labelSelector", "Labels of the target."),
)


def target_options(function: Callable[..., None]) -> Callable[..., None]:
    """The command gets `path` and `patch`, and the rest by the names of a target's fields."""
    found: Any = function
    for flag, name, words in reversed(_OPTIONS):
        found = click.option(flag, name, default="", metavar="TEXT", help=words)(found)
    return found  # type: ignore[no-any-return]
