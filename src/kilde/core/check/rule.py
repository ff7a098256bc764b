"""Rule: one thing that is looked for, with a stable id and the words that explain it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kilde.core.check.context import Context
from kilde.core.check.finding import Problem, Severity

Judge = Callable[[Context], Iterable[Problem]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`id` is what `.kilde.yaml` and reports name it by, `title` what is wrong in a few words, `docs` why and what to do: sentences.

    `judge` gives the problems of what the context says is to be judged; it changes nothing.
    """

    id: str
    title: str
    severity: Severity
    docs: str
    judge: Judge
