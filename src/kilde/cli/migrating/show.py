"""A move in a terminal, as Markdown and as JSON: the same parts in the same order."""

from collections.abc import Iterator

import click

from kilde.cli import output as out
from kilde.cli.planning.markdown import code
from kilde.cli.printable import printable
from kilde.core.migrate.model import Kind, Mapped, Move, Note

_HEADINGS: dict[Kind, str] = {
    "person": "Needs a person",
    "differs": "Differs",
    "unmapped": "Has no place in Kilde",
}


def show(move: Move, output: str) -> None:
    """Prints all of it."""
    if output == "json":
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(move), indent=2).decode())
    elif output == "markdown":
        click.echo("\n".join(_markdown(move)))
    else:
        _text(move)


def headline(move: Move) -> str:
    """What it comes to, in a sentence or two."""
    kinds: dict[str, int] = {}
    for one in move.mapped:
        kind = one.what.split(" ")[0]
        kinds[kind] = kinds.get(kind, 0) + 1
    told = ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in kinds.items())
    marks = f"{len(move.retracked)} of them get another mark" if move.retracked else "no mark on them changes"
    objects = f"{move.owned} object{'' if move.owned == 1 else 's'} would be Kilde's, {marks}."
    return f"{told or 'nothing'} in {move.system}. {objects}"


def ends(move: Move) -> str:
    """What is to be done now."""
    people = len(move.of("person"))
    if people:
        return f"{people} thing{'s need' if people > 1 else ' needs'} a person before the move."
    return "It can be moved as it is."


def running(move: Move) -> str:
    """Whether the other controller is at work."""
    works = [workload for workload in move.workloads if workload.runs]
    if not works:
        return f"{move.system}'s controllers do not run."
    return (
        "; ".join(f"{workload} runs ({workload.pods} pod{'' if workload.pods == 1 else 's'})" for workload in works)
        + "."
    )


def _text(move: Move) -> None:
    out.heading(f"{move.system} on {move.cluster}")
    click.echo(printable(headline(move)))
    click.echo(printable(running(move)))
    for busy in move.busy:
        click.echo(printable(f"{busy} is in the middle of an operation."))
    if move.mapped:
        click.echo()
        out.table(("GOES ON", "AS"), [(one.what, _becomes(one)) for one in move.mapped])
    for kind, heading in _HEADINGS.items():
        notes = move.of(kind)
        if notes:
            click.echo()
            out.heading(heading)
        for note in notes:
            click.echo(
                printable(f"  {note.about}: {note.text}" + (f"\n    to keep it: {note.keep}" if note.keep else ""))
            )
    if move.retracked:
        click.echo()
        out.heading("Another mark")
        for name in move.retracked:
            click.echo(printable(f"  {name}"))
    click.echo()
    click.echo(ends(move))


def _becomes(one: Mapped) -> str:
    told = f"made by {one.made_by}" if one.made_by else one.becomes or "it is"
    if one.file:
        told += f", written as {one.file}"
    if one.objects:
        told += f", {one.objects} object{'s' if one.objects > 1 else ''}"
    return told


def _markdown(move: Move) -> Iterator[str]:
    yield f"## Move from {move.system}\n"
    yield f"**{ends(move)}** {headline(move)}\n"
    yield f"{code(move.cluster)}: {running(move)}\n"
    yield from (f"* {code(busy)} is in the middle of an operation" for busy in move.busy)
    if move.mapped:
        yield "| goes on | as |\n| --- | --- |"
        yield from (f"| {code(one.what, table=True)} | {code(_becomes(one), table=True)} |" for one in move.mapped)
    for kind, heading in _HEADINGS.items():
        notes = move.of(kind)
        if notes:
            yield f"\n### {heading}\n"
        yield from map(_line, notes)
    if move.retracked:
        yield "\n### Another mark\n"
        yield from (f"* {code(name)}" for name in move.retracked)


def _line(note: Note) -> str:
    return f"* {code(note.about)}: {code(note.text)}" + (f" – to keep it: {code(note.keep)}" if note.keep else "")
