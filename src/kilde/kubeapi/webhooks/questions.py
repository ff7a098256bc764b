"""What a webhook is asked, what it replied, and what a write remembers while it waits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar

from kilde.core.basics.values import Object

T = TypeVar("T")


class Target(NamedTuple):
    """Where a webhook listens: the URL to open, the host its certificate must name, and the URL that messages show."""

    url: str
    host: str
    shown: str


class Question(NamedTuple):
    """One call of a webhook. `key` tells it from others: the same question is asked once. `problem` says why it cannot be asked.

    `take` is given the reply; what it raises ends the request that waits.
    """

    key: str
    target: Target
    authority: str  # PEM; "" trusts what the machine trusts
    review: Object
    seconds: int
    problem: str = ""
    take: "Callable[[Reply], None] | None" = None


class Reply(NamedTuple):
    """The decoded answer, or what went wrong in Go's words."""

    body: Any = None
    problem: str = ""


class Work(NamedTuple):
    """What is no question to others but long work: `does` is called in a thread, and what it gives is the reply's body."""

    does: Callable[[], Any]
    take: "Callable[[Reply], None]"


class Asks(Protocol):
    """Somebody who calls webhooks."""

    async def ask(self, question: Question) -> Reply:
        """The reply; never an exception."""
        ...


class Waits(Exception):
    """A write cannot go on before these questions are answered, and this work is done."""

    def __init__(self, questions: Sequence[Question | Work]) -> None:
        super().__init__(f"waits for {len(questions)} answers")
        self.questions = questions


@dataclass(slots=True)
class Memory:
    """What a write finds again when it is run anew: the replies, what was given at random, and long work."""

    replies: dict[str, Reply] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
    outcomes: dict[bytes, Callable[[], Any]] = field(default_factory=dict)  # of long work

    def once(self, name: str, make: Callable[[], T], still: Callable[[T], bool] = lambda value: True) -> T:
        """What `make` gave the first time, for as long as it may `still` be used."""
        found = self.given.get(name)
        if found is None or not still(found):
            found = self.given[name] = make()
        kept: T = found
        return kept
