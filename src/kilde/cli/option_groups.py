"""Options that belong together: a command gets what they make as one value, not each of them."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

Command = Callable[..., Any]
Option = Callable[[Command], Command]


def group(name: str, make: Callable[..., Any], *options: Option) -> Option:
    """Adds the options; the command gets `name`, which `make` builds of their values."""
    own = _names(options)

    def with_options(command: Command) -> Command:
        @wraps(command)
        def with_group(*arguments: Any, **given: Any) -> Any:
            made = make(**{key: given.pop(key) for key in own})
            return command(*arguments, **{name: made}, **given)

        wrapped: Command = with_group
        for option in reversed(options):
            wrapped = option(wrapped)
        return wrapped

    return with_options


def _names(options: tuple[Option, ...]) -> list[str]:
    def bare() -> None: ...

    for option in options:
        option(bare)
    return [str(param.name) for param in click.command()(bare).params]
