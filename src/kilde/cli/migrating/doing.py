"""What every `kilde migrate` is asked beside its plan: a shadow or a move, of which one at a time is done."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from kilde.cli.migrating.plan import plan_options, present
from kilde.cli.parameters import DURATION, raw_secrets_option
from kilde.cli.target import target_options

if TYPE_CHECKING:
    from kilde.core.migrate.model import Moved
    from kilde.wiring.settings import LookSettings

DIFFERS = 1
Done = Coroutine[Any, Any, None]


class TakeOver(Protocol):
    """Makes another controller's objects ours; `accept`: although the plan says that something needs a person."""

    def __call__(self, settings: "LookSettings", tell: Callable[[str], None], *, accept: bool) -> Done: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line asks for. `raw_secrets`: whether they are allowed in the clear, as `kilde up` would be told."""

    out: Path | None
    output: str
    shadow: bool
    seconds: float
    raw_secrets: bool
    take: bool
    accept: bool
    give: bool

    def check(self) -> None:
        """Raises UsageError where two things are asked for at once."""
        if self.shadow + self.take + self.give > 1 or (self.out and (self.shadow or self.take or self.give)):
            raise click.UsageError("--shadow, --take-over, --hand-back and --out are one at a time")
        if self.accept and not self.take:
            raise click.UsageError("--accept goes with --take-over")

    def shadowed(self, run: Callable[..., Coroutine[Any, Any, Any]], settings: "LookSettings") -> int:
        """Runs a shadow, shows what it saw, and gives the exit code."""
        from kilde.cli.migrating.shadow import show
        from kilde.cli.serving import begin_log

        begin_log(verbose=False)
        seen = asyncio.run(run(settings, seconds=self.seconds, raw_secrets=self.raw_secrets))
        show(seen, self.output)
        return 0 if seen.agrees else DIFFERS

    def done(
        self,
        settings: "LookSettings",
        *,
        plan: Callable[["LookSettings"], Coroutine[Any, Any, "Moved"]],
        take_over: TakeOver,
        hand_back: Callable[["LookSettings", Callable[[str], None]], Done],
    ) -> int:
        """Takes over, hands back, or else shows the plan; gives the exit code."""
        if self.take:
            asyncio.run(take_over(settings, tell, accept=self.accept))
        elif self.give:
            asyncio.run(hand_back(settings, tell))
        else:
            return present(asyncio.run(plan(settings)), self.output, self.out)
        return 0


def move_options(system: str, *, take: str, give: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """All that a move from `system` may be asked; the command gets `target` and `asked`. `take`, `give`: the help of the two ways."""
    options = (
        target_options,
        plan_options,
        click.option(
            "--shadow",
            is_flag=True,
            help=f"Work everything out beside {system} for a while, and compare; nothing is written.",
        ),
        click.option(
            "--for",
            "seconds",
            type=DURATION,
            default="10m",
            show_default=True,
            help="How long the shadow lasts; each application is compared once at least.",
        ),
        raw_secrets_option("Of the shadow, as kilde up would be told."),
        click.option("--take-over", "take", is_flag=True, help=take),
        click.option("--accept", is_flag=True, help="Take over although the plan says that something needs a person."),
        click.option("--hand-back", "give", is_flag=True, help=give),
    )

    def with_options(command: Callable[..., int]) -> Callable[..., int]:
        @wraps(command)
        def with_asked(*, target: Any, **words: Any) -> int:
            asked = Asked(**words)
            asked.check()
            return command(target=target, asked=asked)

        for option in reversed(options):
            with_asked = option(with_asked)
        return with_asked

    return with_options


def tell(text: str) -> None:
    """A sentence for each thing done."""
    from kilde.cli.printable import printable

    click.echo(printable(text))
