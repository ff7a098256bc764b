"""Commands in the place of kustomize's: they end with 1, not 2, when used wrongly, and read flags as its library does."""

from typing import Any, NoReturn

import click

from kilde.cli.printable import printable

_TRUTHS = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}


class UsedWrongly(click.UsageError):
    """A command used wrongly."""

    exit_code = 1


class LikeKustomize(click.Command):
    """A command whose flags may be given a value (`--force=false`)."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, self._with_plain_flags(args))
        except click.UsageError as error:
            raise UsedWrongly(error.format_message(), ctx) from error

    def _with_plain_flags(self, args: list[str]) -> list[str]:
        flags = {
            name
            for option in self.params
            if isinstance(option, click.Option) and option.is_flag
            for name in option.opts
        }
        end = args.index("--") if "--" in args else len(args)
        found: list[str] = []
        for arg in args[:end]:
            name, equals, value = arg.partition("=")
            if arg == "--stack-trace":
                continue  # one of kustomize's own; we have none to print
            if equals and len(name) == 2 and name[0] == "-":  # `-o=PATH`
                found += [name, value]
            elif not equals or name not in flags:
                found.append(arg)
            elif value not in _TRUTHS:
                raise UsedWrongly(f"Invalid value for '{name}': '{value}' is neither true nor false")
            else:  # the last one counts
                found = [one for one in found if one != name] + [name] * _TRUTHS[value]
        return found + args[end:]


class GroupLikeKustomize(click.Group):
    """A group that prints its help, and ends with 0, when no command is named; a wrong one ends with 1."""

    command_class = LikeKustomize

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **{**more, "invoke_without_command": True, "no_args_is_help": False})

    def invoke(self, ctx: click.Context) -> Any:
        if not ctx._protected_args and not ctx.args:
            click.echo(ctx.get_help())
            return 0
        return super().invoke(ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise UsedWrongly(error.format_message(), ctx) from error


def fail(message: str) -> NoReturn:
    """Ends the command with 1 and `Error: …` on standard error."""
    click.echo(f"Error: {printable(message)}", err=True)
    raise click.exceptions.Exit(1)
