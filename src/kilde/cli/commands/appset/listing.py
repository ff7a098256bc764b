"""`kilde appset list`: one line a set."""

import time

import click

from kilde.cli import output as out
from kilde.cli.applications import at, called, under
from kilde.cli.sets import all_sets
from kilde.cli.target import Target, target_options
from kilde.core.basics.moment import age, parse
from kilde.core.basics.values import Object

_HEADINGS = ("NAME", "HEALTH", "APPLICATIONS", "GENERATORS", "POLICY", "AGE")


@click.command("list", epilog="Example: kilde appset list --data-dir state", short_help="One line a set.")
@target_options
@click.option("-A", "--all-namespaces", "everywhere", is_flag=True, help="Those of other namespaces, too.")
@out.output_option
def command(*, target: Target, everywhere: bool, output: str) -> None:
    """Lists the ApplicationSets with their health and how many Applications each has."""
    found = all_sets(target, everywhere=everywhere)
    if output:
        out.data(found, output)
        return
    if not found:
        click.echo(f"no ApplicationSets in namespace {target.namespace}", err=True)
        return
    now = time.time()
    out.table(_HEADINGS, (_row(one, now=now, home=target.namespace) for one in found))


def _row(one: Object, *, now: float, home: str) -> tuple[str, ...]:
    created = parse(at(one, "metadata", "creationTimestamp"))
    return (
        called(one, home),
        health_of(one),
        at(one, "status", "resourcesCount") or "0",
        ",".join(generators(one)),
        at(one, "spec", "syncPolicy", "applicationsSync") or "sync",
        age(now - created) if created is not None else "",
    )


def health_of(one: Object) -> str:
    """Its health; "Deleting" while its deletion is under way."""
    if under(one, "metadata", "deletionTimestamp"):
        return "Deleting"
    return at(one, "status", "health", "status") or "Unknown"


def generators(one: Object) -> list[str]:
    """The names of its generators, in their order."""
    found = under(one, "spec", "generators") or []
    return [key for entry in found if isinstance(entry, dict) for key in entry if key != "selector"]
