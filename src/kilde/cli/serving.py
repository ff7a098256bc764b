"""Commands that last: an event loop, signals that end it, and a log on standard error."""

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable

import click

_IMPATIENT = 130
_YOUNG = 10_000  # new objects between two looks for cycles; at Python's own 700 every tenth write pays for one that finds none

Serve = Callable[[asyncio.Event], Awaitable[None]]


def serve_until_signal(serve: Serve) -> None:
    """Runs `serve` with an event that SIGINT or SIGTERM sets; it then has to end. A second signal ends the process at once."""
    import uvloop

    from kilde.cli.no_core_dumps import forbid_core_dumps

    forbid_core_dumps()
    gc.set_threshold(_YOUNG)

    async def whole() -> None:
        stop = asyncio.Event()

        def on_signal() -> None:
            if stop.is_set():
                os._exit(_IMPATIENT)
            stop.set()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, on_signal)
        await serve(stop)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(whole())


def say_ready() -> None:
    """The line on standard output that scripts wait for."""
    click.echo("ready")
    sys.stdout.flush()


def begin_log(*, verbose: bool) -> None:
    """Structured log to standard error: for people on a terminal, a JSON object a line elsewhere."""
    import structlog

    level = logging.DEBUG if verbose else logging.INFO
    person = sys.stderr.isatty()
    # the default for people shows local variables, and those may hold a Secret's values
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderer = plain if person else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if person else "iso", utc=not person),
            *([] if person else [structlog.processors.format_exc_info]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
