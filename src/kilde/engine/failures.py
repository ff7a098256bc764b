"""Passes that failed: counted, logged, told in the status, and tried again, each time a little later."""

import traceback

import structlog

from kilde.core.apps.application import Application
from kilde.core.apps.conditions import cluster_error
from kilde.core.apps.status import Verdict
from kilde.core.basics.backoff import Backoff
from kilde.core.basics.errors import ClusterError, LedgerError
from kilde.engine.context import Context
from kilde.engine.sources.wishes import UNMANAGED
from kilde.engine.verdicts import Verdicts

log = structlog.get_logger()

_FAULTS = Backoff(first=1.0, factor=2.0, ceiling=30.0)


class Failures:
    """Of the applications of one cluster. What is asked for each kind of failure gives the seconds until the next try."""

    def __init__(self, ctx: Context, verdicts: Verdicts) -> None:
        self._ctx, self._verdicts = ctx, verdicts
        self._in_a_row: dict[str, int] = {}

    def forget(self, name: str) -> None:
        """A pass went well, or the application is gone."""
        self._in_a_row.pop(name, None)

    async def cluster(self, app: Application, error: ClusterError) -> float:
        """The cluster refused, or did not answer: told where the status can be written meanwhile."""
        failures = self._failed(app)
        log.warning("pass cut off by the cluster", application=app.name, error=str(error), failures=failures)
        tells = error.status or error.reason == UNMANAGED or not self._ctx.is_home
        return await self._again(app, failures, cluster_error(error) if tells and failures > 1 else None)

    async def ledger(self, app: Application, error: LedgerError) -> float:
        """What cannot be written down is not done: told, and tried again."""
        failures = self._failed(app)
        log.error("the ledger cannot be written", application=app.name, error=str(error), failures=failures)
        return await self._again(app, failures, ("SyncError", f"what cannot be recorded is not done: {error}"))

    async def defect(self, app: Application, error: Exception) -> float:
        """A fault of ours that only this application meets: told, and tried again. Its words may hold values: only its kind is shown."""
        failures = self._failed(app)
        kind = type(error).__name__
        log.error("defect in a pass", application=app.name, error=kind, at=_where(error), failures=failures)
        text = f"Kilde has a defect that this application meets ({kind} at {_where(error)}); nothing was changed since"
        return await self._again(app, failures, ("UnknownError", text))

    def _failed(self, app: Application) -> int:
        """Counts: how many passes over it have failed in a row."""
        self._in_a_row[app.name] = self._in_a_row.get(app.name, 0) + 1
        return self._in_a_row[app.name]

    async def _again(self, app: Application, failures: int, condition: tuple[str, str] | None) -> float:
        """Tells why a pass failed, where that can be told; gives the seconds until the next try."""
        if condition is not None:
            verdict = Verdict(sync="Unknown", health="Unknown", revisions=app.unresolved, conditions=(condition,))
            try:
                await self._verdicts.tell(app, verdict)
            except ClusterError:
                log.warning("status not written", application=app.name)
        return _FAULTS.delay(failures, dice=self._ctx.world.clock.dice())


def _where(error: Exception) -> str:
    """The innermost line that raised it: `desired.py:80`."""
    last = traceback.extract_tb(error.__traceback__, limit=-1)
    return f"{last[0].filename.rpartition('/')[2]}:{last[0].lineno}" if last else "an unknown place"
