"""`kilde app get`: one application in full."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any

import click

from kilde.cli import output as out
from kilde.cli.applications import REFRESH, Applications, applications, at, name_of, revisions_of, sources_of, under
from kilde.cli.commands.app.listing import destination, health_of, short
from kilde.cli.origins import origins_of
from kilde.cli.parameters import DURATION
from kilde.cli.target import Target, target_options
from kilde.core.basics.errors import KildeError
from kilde.core.basics.moment import age, parse
from kilde.core.basics.values import Object


@click.command(epilog="Example: kilde app get web --data-dir state --refresh", short_help="One application in full.")
@click.argument("name")
@target_options
@click.option("--refresh", is_flag=True, help="Have its repository and its objects looked at anew first.")
@click.option("--hard-refresh", is_flag=True, help="As --refresh, and render anew too.")
@click.option("--timeout", type=DURATION, default="60s", show_default=True, help="How long to wait for the refresh.")
@out.output_option
def command(*, name: str, target: Target, refresh: bool, hard_refresh: bool, timeout: float, output: str) -> None:
    """Tells what NAME is made of, how it is, what happened to it last, and from which file and line each object comes."""
    kind = "hard" if hard_refresh else "normal" if refresh else ""
    app, origins = asyncio.run(_get(target, name, kind, timeout, with_origins=not output))
    if output:
        out.data(app, output)
    else:
        tell(app, origins, now=time.time())


async def _get(
    target: Target, name: str, refresh: str, patience: float, *, with_origins: bool
) -> tuple[Object, Mapping[str, str]]:
    async with applications(target) as apps:
        app = await _refreshed(apps, name, refresh, patience) if refresh else await apps.get(name)
    if not with_origins:
        return app, {}
    return app, await origins_of(target.data_dir, app)


async def _refreshed(apps: Applications, name: str, kind: str, patience: float) -> Object:
    await apps.get(name)
    await apps.patch(name, {"metadata": {"annotations": {REFRESH: kind}}})

    def served(_name: str, app: Object | None) -> bool:
        return app is None or under(app, "metadata", "annotations", REFRESH) is None

    try:
        last = (await apps.until({name}, served, patience=patience))[name]
    except TimeoutError:
        hint = "is a controller running? kilde up"
        raise KildeError(f"it was not refreshed within {patience:g} s", about=name, hint=hint) from None
    if last is None:
        raise KildeError("it was deleted meanwhile", about=name)
    return last


def tell(app: Object, origins: Mapping[str, str], *, now: float) -> None:
    """Prints the application for people. `origins`: `group/kind/namespace/name` → file:line; may lack any of them."""
    out.fields(_facts(app, now))
    _section(("CONDITION", "SINCE", "MESSAGE"), _conditions(app, now))
    _section(("KIND", "NAMESPACE", "NAME", "SYNC", "FROM"), _resources(app, origins))
    _section(("KIND", "NAMESPACE", "NAME", "LAST RESULT", "MESSAGE"), results(app))


def _section(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    kept = list(rows)
    if kept:
        click.echo()
        out.table(headings, kept)


def _facts(app: Object, now: float) -> list[tuple[str, str]]:
    revisions = revisions_of(app)
    sync = at(app, "status", "sync", "status") or "Unknown"
    return [
        ("Name", name_of(app)),
        ("Project", at(app, "spec", "project") or "default"),
        *(("Source", _source(source)) for source in sources_of(app)),
        ("Destination", destination(app)),
        ("Sync policy", _policy(app)),
        ("Sync", f"{sync} to {', '.join(map(short, revisions))}" if revisions else sync),
        ("Health", health_of(app)),
        ("Operation", _operation(app, now)),
        ("Images", ", ".join(under(app, "status", "summary", "images") or ())),
    ]


def _source(source: Object) -> str:
    place = at(source, "path") or at(source, "chart")
    named = f" as ${at(source, 'ref')}" if at(source, "ref") else ""
    return f"{at(source, 'repoURL')}{f' {place}' if place else ''} at {at(source, 'targetRevision') or 'HEAD'}{named}"


def _policy(app: Object) -> str:
    automated = under(app, "spec", "syncPolicy", "automated")
    if automated is None or under(automated, "enabled") is False:
        return "manual"
    words = [word for key, word in (("prune", "prune"), ("selfHeal", "self-heal")) if under(automated, key)]
    return f"automated ({', '.join(words)})" if words else "automated"


def _operation(app: Object, now: float) -> str:
    state = under(app, "status", "operationState")
    if not isinstance(state, dict):
        return "asked for" if under(app, "operation") else ""
    moment = parse(at(state, "finishedAt") or at(state, "startedAt"))
    ago = f", {age(now - moment)} ago" if moment is not None else ""
    message = at(state, "message")
    return at(state, "phase") + ago + (f": {message}" if message else "")


def _conditions(app: Object, now: float) -> Iterable[tuple[str, ...]]:
    for condition in under(app, "status", "conditions") or ():
        since = parse(at(condition, "lastTransitionTime"))
        yield at(condition, "type"), age(now - since) if since is not None else "", at(condition, "message")


def _resources(app: Object, origins: Mapping[str, str]) -> Iterable[tuple[str, ...]]:
    for item in under(app, "status", "resources") or ():
        key = "/".join(at(item, part) for part in ("group", "kind", "namespace", "name"))
        word = at(item, "status") or ("hook" if under(item, "hook") else "")
        # Argo CD says it of all objects while Git cannot be rendered, too
        goes = under(item, "requiresPruning") and word == "OutOfSync"
        notes = [word, "requires pruning" if goes else ""]
        state = ", ".join(note for note in notes if note)
        yield kind_of(item), at(item, "namespace"), at(item, "name"), state, origins.get(key, "")


def results(app: Object) -> Iterable[tuple[str, ...]]:
    """The objects of the last operation: kind, namespace, name, status, message."""
    for item in under(app, "status", "operationState", "syncResult", "resources") or ():
        word = at(item, "status") or at(item, "hookPhase")
        yield kind_of(item), at(item, "namespace"), at(item, "name"), word, at(item, "message")


def kind_of(item: Any) -> str:
    """`Deployment.apps`, as kubectl writes kinds."""
    group = at(item, "group")
    return f"{at(item, 'kind')}.{group}" if group else at(item, "kind")
