"""`kilde ledger show`: one operation, or the answer to what people ask of a ledger."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kilde.cli import output as out
from kilde.cli.target import data_dir_option
from kilde.core.source.revision import shortened

if TYPE_CHECKING:
    from kilde.core.ledger.answers import Event
    from kilde.core.ledger.operation import OperationView


def _moment(_ctx: click.Context, _option: click.Parameter, value: str) -> float | None:
    from kilde.core.basics.moment import parse

    if not value:
        return None
    found = parse(value)
    if found is None:
        raise click.BadParameter("must be RFC 3339, such as 2026-01-31T12:00:00Z")
    return found


@click.command("show", epilog="Example: kilde ledger show --object 'Deployment shop/web' --from 2026-01-01T00:00:00Z")
@click.argument("number", type=click.IntRange(min=1), required=False)
@data_dir_option
@click.option("--object", "wanted", default="", help="Who changed this object: kind, namespace/name, or words of them.")
@click.option("--app", default="", help="Only this application (name, or namespace/name).")
@click.option("--cluster", default="", help="Only this cluster, by its server's address.")
@click.option("--commit", default="", help="Only what this commit caused.")
@click.option("--from", "begin", metavar="TIME", default="", callback=_moment, help="From this time on (RFC 3339).")
@click.option("--to", "end", metavar="TIME", default="", callback=_moment, help="Up to this time.")
@click.option("--by-hand", is_flag=True, help="Only what was done by hand, and put back.")
@click.option("--deletions", is_flag=True, help="Only what was deleted.")
@click.option(
    "--running-at", metavar="TIME", default="", callback=_moment, help="What ran at this time, rebuilt from Git."
)
@click.option(
    "--manifests", type=click.Path(path_type=Path, file_okay=False), help="With --running-at: write the manifests here."
)
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a report with a timeline, one file."
)
@click.option("-o", "--output", type=click.Choice(["json", "yaml", "csv", "oscal"]), help="For programs.")
def command(*, number: int | None, data_dir: Path, html: Path | None, output: str | None, **asked: Any) -> None:
    """Tells one operation (NUMBER, as kilde ledger log lists it), or answers: who changed what, when, and what caused it.

    Without NUMBER every object that was written is listed, oldest first; options narrow that. oscal: OSCAL assessment results, JSON.
    """
    from kilde.core.ledger.operation import operations
    from kilde.wiring.ledgers import ledger_to_read

    if asked["running_at"] is None and asked["manifests"] is not None:
        raise click.UsageError("--manifests needs --running-at")
    with ledger_to_read(data_dir) as ledger:
        found = operations(ledger.read(first=number or 1), ledger.people())
    if number is not None:
        _one(found, number, output or "")
    elif asked["running_at"] is not None:
        _running(found, data_dir, asked["running_at"], asked["cluster"], asked["manifests"], output or "")
    else:
        _events(found, asked, html, output or "")


def _events(found: "Sequence[OperationView]", asked: dict[str, Any], html: Path | None, output: str) -> None:
    from kilde.cli.ledger_formats import csv_of, oscal_of
    from kilde.cli.ledger_report import report
    from kilde.core.ledger import answers

    events = answers.between(answers.events(found), asked["begin"], asked["end"])
    if asked["wanted"]:
        events = answers.of_object(events, asked["wanted"])
    if asked["by_hand"]:
        events = answers.by_hand(events)
    if asked["deletions"]:
        events = answers.deletions(events)
    events = [event for event in events if _concerns(event, asked)]
    if html is not None:
        html.write_text(report(events), encoding="utf-8")
        click.echo(f"wrote {html}: {len(events)} changes")
    elif output == "csv":
        click.echo(csv_of(events), nl=False)
    elif output == "oscal":
        out.data(oscal_of(events), "json")
    elif output:
        out.data([asdict(event) for event in events], output)
    else:
        headings = ("TIME", "OBJECT", "DONE", "OUTCOME", "APPLICATION", "COMMIT", "AUTHOR", "REVIEWED BY", "BY HAND")
        out.table(headings, map(_row, events))


def _concerns(event: "Event", asked: dict[str, Any]) -> bool:
    return (
        asked["app"] in ("", event.application, event.application.rpartition("/")[2])
        and asked["cluster"] in ("", event.cluster)
        and event.commit.startswith(asked["commit"])
    )


def _row(event: "Event") -> tuple[str, ...]:
    hand = ", ".join(event.by_hand)
    return (
        event.at,
        event.object,
        event.verb,
        event.outcome,
        event.application,
        shortened(event.commit),
        event.author,
        ", ".join(event.reviewers),
        f"{', '.join(event.fields)} by {hand}" if hand else "",
    )


def _running(
    found: "Sequence[OperationView]", data_dir: Path, moment: float, cluster: str, manifests: Path | None, output: str
) -> None:
    import asyncio

    from kilde.cli.ledger_formats import write_manifests
    from kilde.core.ledger.answers import running_at
    from kilde.wiring.evidence import rebuild_all

    deployed = running_at(found, moment, cluster)
    rebuilt = asyncio.run(rebuild_all(data_dir.absolute(), [view for _, view in deployed]))
    told = []
    for (one, _), made in zip(deployed, rebuilt, strict=True):
        told.append({**asdict(one), "objects": len(made.objects), "exact": not made.problem, "problem": made.problem})
        if manifests is not None and made.objects:
            write_manifests(manifests, one, made.objects)
    if output in ("json", "yaml"):
        out.data(told, output)
        return
    if output:
        raise click.UsageError(f"--running-at is not told as {output}")
    headings = ("APPLICATION", "CLUSTER", "SINCE", "COMMIT", "OBJECTS", "DIGEST", "REBUILT")
    out.table(headings, (_deployed_row(one) for one in told))


def _deployed_row(one: dict[str, Any]) -> tuple[str, ...]:
    exact = "exactly" if one["exact"] else f"no: {one['problem']}"
    objects = str(one["objects"]) if one["objects"] else ""
    return (
        one["application"],
        one["cluster"],
        one["since"],
        shortened(one["commit"]),
        objects,
        one["digest"][:12],
        exact,
    )


def _one(operations: "Sequence[OperationView]", number: int, output: str) -> None:
    from kilde.core.basics.errors import LedgerError

    found = next((one for one in operations if one.number == number), None)
    if found is None:
        raise LedgerError(f"record {number} opens no operation", hint="kilde ledger log lists those that do")
    if output in ("json", "yaml"):
        out.data(asdict(found), output)
        return
    out.fields(_facts(found))
    if found.planned:
        click.echo()
        out.table(("PLANNED", "ACTION", "WHY"), (_planned(item) for item in found.planned))
    if found.written:
        click.echo()
        rows = ((one.object, one.verb, one.outcome, one.before, one.after, one.message) for one in found.written)
        out.table(("OBJECT", "VERB", "OUTCOME", "BEFORE", "AFTER", "MESSAGE"), rows)


def _facts(one: "OperationView") -> list[tuple[str, str]]:
    revision = one.revision
    closed = f"{one.phase} at {one.closed_at}" if one.closed_at else one.phase
    source = " ".join(one.source[key] for key in ("repoURL", "path", "targetRevision") if one.source.get(key))
    return [
        ("Operation", str(one.number)),
        ("Application", one.application),
        ("Cause", one.cause),
        ("Asked by", one.asked_by),
        ("Source", source),
        ("Commit", revision.get("sha", "")),
        ("Author", revision.get("author", "")),
        ("Reviewed by", ", ".join(one.reviewers)),
        ("Merge request", one.request),
        ("Subject", revision.get("subject", "")),
        ("Signature", " ".join(filter(None, (revision.get("signature", ""), revision.get("signer", ""))))),
        ("Rendered", one.rendered_digest),
        ("Opened", one.opened_at),
        ("Closed", closed),
        ("Message", one.message),
        ("Fields", ", ".join(one.fields)),
        ("Changed by", ", ".join(one.changed_by)),
        ("Saved plan", one.saved_plan),
        ("Unchanged", str(one.unchanged or "")),
    ]


def _planned(item: Any) -> tuple[str, str, str]:
    return str(item.get("object", "")), str(item.get("action", "")), str(item.get("why", ""))
