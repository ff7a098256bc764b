"""Whether and why a file of the repository touches an application, found by rendering it and looking at what was looked at."""

from dataclasses import dataclass

from kilde.core.apps.application import Application
from kilde.core.apps.sources import Source
from kilde.core.basics.errors import InvalidInput, KildeError, PathNotFound
from kilde.core.render import render
from kilde.core.render.inputs import Why, why
from kilde.core.source.tree import TracedTree, join
from kilde.engine.looking import Choose, resolved
from kilde.ports.sources import Sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`revision` is the commit that was looked at; `failure` is why it cannot be rendered there ("" where it can)."""

    revision: str
    why: Why
    failure: str = ""


async def why_application(
    sources: Sources, app: Application, credentials: Choose, path: str, *, revision: str = ""
) -> Answer:
    """Of several sources the first that the file touches is told, else the first that reads a repository.

    Raises KildeError where it cannot be told: the repository is not reached, or the render ends before it could come to the file.
    """
    if not app.sources or app.problems:
        raise InvalidInput("; ".join(app.problems) or "has no source", about=str(app))
    revisions = await resolved(sources, app, credentials, revision=revision)
    answers = [
        await _of(sources, app, source, sha, path)
        for source, sha in zip(app.sources, revisions, strict=True)
        if source.renders
    ]
    return next((one for one in answers if one.why.touches), answers[0])


async def _of(sources: Sources, app: Application, source: Source, sha: str, path: str) -> Answer:
    tree = await sources.tree(source.url, sha)
    traced, failure = TracedTree(tree), ""
    try:
        render(traced, source.render)
    except (InvalidInput, PathNotFound) as error:
        failure = str(error)
    found = why(tree, traced.trace, join("", source.path.strip("/") or "."), path)
    if failure and not found.touches:
        hint = "mend that first: behind it nothing was read"
        raise KildeError(f"cannot be rendered: {failure}", about=str(app), hint=hint)
    return Answer(revision=sha, why=found, failure=failure)
