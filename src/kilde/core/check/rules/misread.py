"""Objects that are rendered, and not as they were meant: a key that is there twice, metadata of a wrong type."""

from collections.abc import Iterator
from dataclasses import replace

from kilde.core.check.context import Context
from kilde.core.check.finding import Problem, Severity
from kilde.core.check.rule import Rule


def _misread(context: Context) -> Iterator[Problem]:
    for unit, item in context.items():
        mistake = item.manifest.mistake
        if mistake is None:
            continue
        about = f"{mistake.about}: " if mistake.about else ""
        found = context.problem(unit, item, f"{about}{mistake.what}", hint=mistake.hint)
        place = mistake.place
        yield found if place is None else replace(found, path=place.file, line=place.line, column=place.column)


MISREAD_OBJECT = Rule(
    id="misread-object",
    title="an object that is not read as it was meant",
    severity=Severity.ERROR,
    docs="A key is there twice, and the last one counts; a name, label or annotation is no text; apiVersion or metadata is missing. "
    "As in Argo CD such a commit is compared all the same, and most of these objects make its sync fail before anything is written.",
    judge=_misread,
)
