"""How findings are shown: a table for people, JSON and YAML for programs, the Prometheus text format for dashboards."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kilde.cli import output as out
from kilde.cli.printable import printable

if TYPE_CHECKING:
    from kilde.core.doctor.finding import Finding

Command = TypeVar("Command", bound=Callable[..., Any])
BAD = 1
_COLOURS = {"good": out.GOOD, "watch": out.WAITING, "bad": out.BAD, "unknown": out.DIM}


def output_option(command: Command) -> Command:
    """`-o json|yaml|prometheus`; the command gets `output`, "" for people."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(["json", "yaml", "prometheus"]),
        default=None,
        help="Print JSON, YAML or the Prometheus text format instead of a table.",
        callback=lambda _ctx, _option, value: value or "",
    )(command)


def show(findings: "Sequence[Finding]", output: str) -> None:
    """Prints them."""
    if output == "prometheus":
        click.echo(metrics(findings), nl=False)
    elif output:
        out.data([asdict(each) for each in findings], output)
    else:
        _table(findings)


def _table(findings: "Sequence[Finding]") -> None:
    width = max((len(f"{each.area} {each.check}") for each in findings), default=0)
    for each in findings:
        word = click.style(f"{each.verdict:<7}", fg=_COLOURS[each.verdict], bold=each.verdict == "bad")
        click.echo(f"{word} {f'{each.area} {each.check}':<{width}}  {printable(each.says)}")
        if each.hint:
            click.echo(f"{'':7} {'':<{width}}  → {printable(each.hint)}")


def metrics(findings: "Sequence[Finding]") -> str:
    """The findings as gauges: the verdict as a state set, and each number (seconds, bytes, shares) by name."""
    lines = ["# HELP kilde_doctor_verdict How a thing is: 1 for its verdict.", "# TYPE kilde_doctor_verdict gauge"]
    for each in findings:
        for verdict in _COLOURS:
            labels = f'area="{each.area}",check="{_escaped(each.check)}",verdict="{verdict}"'
            lines.append(f"kilde_doctor_verdict{{{labels}}} {int(each.verdict == verdict)}")
    lines += ["# HELP kilde_doctor_number What it was judged by.", "# TYPE kilde_doctor_number gauge"]
    for each in findings:
        for name, value in each.numbers.items():
            labels = f'area="{each.area}",check="{_escaped(each.check)}",number="{_escaped(name)}"'
            lines.append(f"kilde_doctor_number{{{labels}}} {value:.9g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def exit_code(findings: "Sequence[Finding]") -> int:
    """1 if something is bad."""
    return BAD if any(each.verdict == "bad" for each in findings) else 0
