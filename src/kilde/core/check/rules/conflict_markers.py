"""A merge that was not finished: lines that Git puts around both sides of a conflict."""

from collections.abc import Iterator

from kilde.core.check.context import Context
from kilde.core.check.finding import Problem, Severity
from kilde.core.check.rule import Rule

_OURS, _THEIRS = "<<<<<<< ", ">>>>>>> "
_MIDDLE = "======="  # alone it underlines a heading


def _judge(context: Context) -> Iterator[Problem]:
    for file in context.texts():
        if _OURS not in file.text or _THEIRS not in file.text:
            continue
        lines = file.text.split("\n")
        begun = 0
        for number, line in enumerate(lines, start=1):
            if line.startswith(_OURS):
                begun = number
            elif (
                line.startswith(_THEIRS)
                and begun
                and _MIDDLE in (one.rstrip("\r") for one in lines[begun : number - 1])
            ):
                hint = "choose a side, then delete the three marker lines"
                yield Problem(message="a merge conflict was committed", path=file.path, line=begun, column=1, hint=hint)
                begun = 0


CONFLICT_MARKERS = Rule(
    id="conflict-markers",
    title="a merge conflict was committed",
    severity=Severity.ERROR,
    docs="Git writes both sides of a conflict into the file, between lines of <<<<<<<, ======= and >>>>>>>. Such a file is neither side, "
    "and where it is YAML it does not render. Choose a side and delete the markers.",
    judge=_judge,
)
