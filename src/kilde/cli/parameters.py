"""Kinds of values that options take: durations, addresses."""

from collections.abc import Callable
from typing import Any

import click

from kilde.core.basics.reading import duration
from kilde.core.plan.budget import Budget, FleetBudget, read_budget, read_fleet_budget


class Duration(click.ParamType[float]):
    """`90s`, `5m`, `1h30m`; a bare number is seconds. Gives seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, (int, float)):
            return float(value)
        text = str(value)
        seconds = float(text) if text.isdigit() else duration(text)
        if seconds is None or seconds < 0:
            self.fail(f"'{text}' is not a duration; write 90s, 5m or 1h", param, ctx)
        return seconds


class Address(click.ParamType[tuple[str, int]]):
    """`HOST:PORT`, `[::1]:PORT` or `:PORT` (loopback). Gives host and port."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        if isinstance(value, tuple):
            return value
        host, colon, port = str(value).rpartition(":")
        if not colon or not port.isdigit() or int(port) > 65535:
            self.fail(f"'{value}' is not HOST:PORT", param, ctx)
        return host.strip("[]") or "127.0.0.1", int(port)


DURATION = Duration()
ADDRESS = Address()


class Speed(click.ParamType[float]):
    """`real`, `manual`, or `x10` for ten times as fast. Gives a factor; 0 for manual."""

    name = "speed"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, (int, float)):
            return float(value)
        text = str(value)
        if text in ("real", "manual"):
            return 1.0 if text == "real" else 0.0
        try:
            factor = float(text.removeprefix("x")) if text.startswith("x") else -1.0
        except ValueError:
            factor = -1.0
        if not 0 < factor <= 10_000:
            self.fail(f"'{text}' is not real, manual or xN (x10: ten times as fast)", param, ctx)
        return factor


SPEED = Speed()


class DeletionBudget(click.ParamType[Budget]):
    """`5`, `10%`, `5,10%` or `off`."""

    name = "budget"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Budget:
        found = value if isinstance(value, Budget) else read_budget(str(value))
        if found.problem:
            self.fail(found.problem, param, ctx)
        return found


class FleetDeletionBudget(click.ParamType[FleetBudget]):
    """`20,5%/10m`, or `off`."""

    name = "budget"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> FleetBudget:
        found = value if isinstance(value, FleetBudget) else read_fleet_budget(str(value))
        if found.budget.problem:
            self.fail(found.budget.problem, param, ctx)
        return found


DELETION_BUDGET = DeletionBudget()
FLEET_DELETION_BUDGET = FleetDeletionBudget()


def kubernetes_version_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--kubernetes-version`; the command gets `kubernetes_version`."""
    return click.option(
        "--kubernetes-version",
        default="1.36",
        show_default=True,
        metavar="1.N",
        help="The Kubernetes version that the embedded API serves: 1.33, 1.34, 1.35 or 1.36.",
    )(command)


def raw_secrets_option(told: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--raw-secrets`, of `kilde up` and of what foresees it; the command gets `raw_secrets`, whether they are allowed."""
    return click.option(
        "--raw-secrets",
        type=click.Choice(["refuse", "allow"]),
        default="refuse",
        show_default=True,
        callback=lambda _context, _parameter, said: said == "allow",
        help=told,
    )


def durability_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--durability`; the command gets `durability`."""
    return click.option(
        "--durability",
        type=click.Choice(["full", "normal"]),
        default="full",
        show_default=True,
        help="A write is answered once it is on the disk (full), or once the system has it (normal: a power cut may lose it).",
    )(command)
