"""`kilde secrets status`: the keys, what is sealed to each, and what nobody can open."""

import time
from pathlib import Path
from typing import Any

import click

from kilde.cli import output as out
from kilde.cli.sealing.key_store import Chosen
from kilde.cli.sealing.repository import options
from kilde.cli.target import others_option

FOUND = 1


@click.command(epilog="Example: kilde secrets status --data-dir state --repo hello-config")
@options
@others_option("Where Applications are, beside --namespace", unsaid="they are looked for in all namespaces")
@click.option(
    "--watched",
    is_flag=True,
    help="Look at every repository and revision that the cluster's Applications watch, and at the cluster, not at --repo.",
)
@out.output_option
def command(
    *, repo: Path, chosen: Chosen, files: tuple[Path, ...], application_namespaces: str, watched: bool, output: str
) -> int:
    """Lists the keys with their age and how many values of the repository need each: what would be lost if it were.

    Exit code 1 if there are values that no key opens, or files that cannot be read.
    """
    from kilde.cli.sealing.repository import Repository, holder
    from kilde.cli.sealing.watching import look
    from kilde.core.secrets import keys

    found = holder(chosen, files)
    seen = look(chosen.target, found.keys, application_namespaces) if watched else Repository(repo).needs(found)
    lost, unread = seen.unopened, seen.problems
    rows: list[dict[str, Any]] = [
        {
            "key": key.name,
            "created": f"{key.not_before:%Y-%m-%d}",
            "ageDays": int((time.time() - key.not_before.timestamp()) // 86_400),
            "expires": f"{key.certificate.not_valid_after_utc:%Y-%m-%d}",
            "values": len(seen.by_key.get(key.name, ())),
            "objects": len(seen.objects.get(key.name, ())),
            "newest": key is found.newest,
        }
        for key in keys.in_order(found.keys)
    ]
    if output:
        out.data({"keys": rows, "unopened": lost, "unread": unread}, output)
    else:
        _tell(rows, lost, unread)
    return FOUND if lost or unread else 0


def _tell(rows: list[dict[str, Any]], lost: list[dict[str, str]], unread: list[str]) -> None:
    cells = (
        (
            row["key"],
            row["created"],
            f"{row['ageDays']}d",
            row["expires"],
            str(row["values"]),
            str(row["objects"]),
            _note(row),
        )
        for row in rows
    )
    out.table(("KEY", "CREATED", "AGE", "EXPIRES", "VALUES", "OBJECTS", "NOTE"), cells)
    if lost:
        click.echo("\nNobody can open:")
        out.table(
            ("WHERE", "OBJECT", "ITEM", "WHY"),
            ((each["place"], each["object"], each["item"], each["why"]) for each in lost),
        )
    for each in unread:
        click.echo(f"cannot be read: {each}", err=True)


def _note(row: dict[str, Any]) -> str:
    if row["newest"]:
        return "newest: what is sealed now is sealed to it"
    return "kilde secrets rotate frees it" if row["values"] else "nothing here needs it"
