"""Kinds of values that options take: durations, addresses."""

from typing import Any

import click

from kilde.core.basics.reading import duration


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
