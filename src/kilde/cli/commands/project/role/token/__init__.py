"""`kilde project role token`: tokens of a role. One file a command, one line each here."""

import click

from kilde.cli.lazy import LazyGroup

_HERE = "kilde.cli.commands.project.role.token"


@click.group(
    cls=LazyGroup,
    modules={"create": f"{_HERE}.creating", "list": f"{_HERE}.listing", "delete": f"{_HERE}.deleting"},
    epilog="Example: kilde project role token create team ci --expires-in 24h --data-dir state",
    short_help="Tokens of a role.",
)
def command() -> None:
    """Tokens as Argo CD makes them: signed with server.secretkey of argocd-secret, noted in the AppProject by id and times."""
