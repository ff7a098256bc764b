"""Whether and why a file of the repository touches an application, found by rendering it and looking at what was looked at."""

from dataclasses import dataclass, replace

from kilde.core.apps.application import Application
from kilde.core.apps.source_overrides import overridden
from kilde.core.basics.errors import InvalidInput, KildeError, PathNotFound
from kilde.core.render import render
from kilde.core.render.inputs import Why, why
from kilde.core.source.tree import TracedTree, join
from kilde.engine.beside.looking import Eyes, resolved, surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`revision` is the commit that was looked at; `failure` is why it cannot be rendered there ("" where it can)."""

    revision: str
    why: Why
    failure: str = ""


async def why_application(eyes: Eyes, app: Application, path: str, *, revision: str = "") -> Answer:
    """Of several sources the first that the file touches is told, else the first that reads a repository.

    Raises KildeError where it cannot be told: the repository is not reached, or the render ends before it could come to the file.
    """
    if not app.sources or app.problems:
        raise InvalidInput("; ".join(app.problems) or "has no source", about=str(app))
    revisions = await resolved(eyes, app, revision=revision)
    answers = [
        await _of(eyes, app, number, revisions, path) for number, source in enumerate(app.sources) if source.renders
    ]
    return next((one for one in answers if one.why.touches), answers[0])


async def _of(eyes: Eyes, app: Application, number: int, revisions: tuple[str, ...], path: str) -> Answer:
    source, sha = app.sources[number], revisions[number]
    tree = await eyes.sources.tree(source.url, sha)
    refs = {
        one.ref: await eyes.sources.tree(one.url, at)
        for one, at in zip(app.sources, revisions, strict=True)
        if one.ref in source.render.refs
    }
    around = replace(surroundings(app, eyes.kustomize), revision=sha, refs=refs)
    traced, failure = TracedTree(tree), ""
    try:
        source = overridden(traced, source, app.name)
        render(traced, source.render, outside=eyes.programs, around=around)
    except (InvalidInput, PathNotFound) as error:
        failure = str(error)
    found = why(tree, traced.trace, join("", source.path.strip("/") or "."), path)
    if failure and not found.touches:
        hint = "mend that first: behind it nothing was read"
        raise KildeError(f"cannot be rendered: {failure}", about=str(app), hint=hint)
    return Answer(revision=sha, why=found, failure=failure)
