"""Whether what is declared can be rendered, and what could not be judged here."""

from collections.abc import Iterator

from kilde.core.basics.errors import KildeError, PathNotFound, Place
from kilde.core.check.context import Context
from kilde.core.check.finding import Problem, Severity
from kilde.core.check.rule import Rule
from kilde.core.check.units import Unit


def _render(context: Context) -> Iterator[Problem]:
    for unit in context.judged:
        if unit.failure is not None and not points_nowhere(unit):
            yield _failed(unit, unit.failure)
    yield from _unread(context)


def _unread(context: Context) -> Iterator[Problem]:
    """Files that would declare something, and that no render has met."""
    told = [unit.failure for unit in context.judged] + [item.manifest.mistake for _, item in context.items()]
    met = {error.place.file for error in told if error is not None and error.place is not None}
    for error in context.rendering.unread:
        place = error.place or Place("")
        if place.file not in met and context.concerns(place.file):
            about = f"{error.about}: " if error.about else ""
            message = f"cannot be read: {about}{error.what}"
            yield Problem(message=message, path=place.file, line=place.line, column=place.column, hint=error.hint)


def points_nowhere(unit: Unit) -> bool:
    """Whether its folder is missing: another rule tells that."""
    return isinstance(unit.failure, PathNotFound) and unit.failure.what.startswith("app path does not exist")


def _failed(unit: Unit, error: KildeError) -> Problem:
    place = error.place or unit.declared or Place("")
    about = f"{error.about}: " if error.about else ""
    return Problem(
        message=f"does not render: {about}{error.what}",
        path=place.file,
        line=place.line,
        column=place.column,
        hint=error.hint,
        application=unit.name,
    )


def _unjudged(context: Context) -> Iterator[Problem]:
    for unit in context.judged:
        if unit.unjudged:
            yield context.declared(unit, f"is not judged: {unit.unjudged}")
    for one in context.rendering.sets:
        if one.unjudged and one.affected:
            place = one.declared or Place("")
            message = f"ApplicationSet {one.name} is not expanded, nor is what it makes judged: it {one.unjudged}"
            yield Problem(message=message, path=place.file, line=place.line)


RENDER = Rule(
    id="render",
    title="does not render",
    severity=Severity.ERROR,
    docs="The files of an Application, of a kustomization or of a chart cannot be turned into objects, so that nothing "
    "of it would be applied. "
    "Kilde keeps the last good state in the cluster until it renders again.",
    judge=_render,
)
NOT_JUDGED = Rule(
    id="not-judged",
    title="could not be looked into",
    severity=Severity.NOTE,
    docs="What an Application renders to is not known here: its source is another repository, a remote base is not "
    "fetched, there is no helm, "
    "or a set asks clusters or forges. Nothing is said about it, and what is missing beside it is not told either.",
    judge=_unjudged,
)
