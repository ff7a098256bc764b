"""Operations that do not begin: refused, or (the status says that they run) waiting for something."""

from typing import Any

from kilde.core.apply.outcome import Phase
from kilde.core.apps.application import Application
from kilde.core.apps.operation import Operation
from kilde.core.apps.status import OperationState, Verdict, render_operation, render_status, told_operation
from kilde.core.basics.moment import rfc3339
from kilde.engine.context import Context
from kilde.engine.runtime import Running

WINDOW_POLL = 15.0  # seconds: windows open and close by the minute


async def tell(ctx: Context, app: Application, running: Running, verdict: Verdict, refresh: str, message: str) -> None:
    """Says that the operation waits; its start, and how far it was when it was cut off, stay as they were told."""
    operation = running.operation
    state = OperationState(
        operation=operation.raw,
        phase=Phase.RUNNING,
        message=message,
        started_at=running.started_at,
        revisions=operation.revisions,
        sources=operation.sources or None,
        has_result=True,
    )

    def build(newest: Application) -> dict[str, Any]:
        status = render_status(newest, verdict, now=ctx.now())
        told = newest.status.get("operationState") or {}
        if (told.get("phase"), told.get("message")) == (Phase.RUNNING, message):
            return status
        same = told.get("phase") == Phase.RUNNING and told.get("operation") == told_operation(running.operation.raw)
        return {**status, "operationState": {**told, "message": message} if same else render_operation(state, newest)}

    await ctx.reporter.write(app.name, build, begins=running.operation.asked, refreshed=refresh)


def is_ended(app: Application) -> bool:
    """Whether somebody has ended the operation that waits."""
    state = app.status.get("operationState")
    return isinstance(state, dict) and state.get("phase") == Phase.TERMINATING


async def ended(ctx: Context, app: Application, running: Running) -> bool:
    """Ends an operation that was to be tried again, if somebody says so between two attempts; whether it did."""
    if not is_ended(app):
        return False
    ctx.runtime(app.name).running = None
    told = f"Operation terminated (retried {running.retries} times)."

    def build(newest: Application) -> dict[str, Any]:
        state = {**(newest.status.get("operationState") or {}), "phase": str(Phase.FAILED), "message": told}
        return {**newest.status, "operationState": {**state, "finishedAt": rfc3339(ctx.now())}}

    await ctx.reporter.write(app.name, build, ends=running.operation.asked)
    return True


async def refuse(ctx: Context, app: Application, operation: Operation, message: str) -> None:
    """An operation that cannot even begin."""
    now = ctx.now()
    state = OperationState(
        operation=operation.raw,
        phase=Phase.ERROR,
        message=message,
        started_at=now,
        finished_at=now,
        revisions=operation.revisions,
        sources=operation.sources or None,
        has_result=not operation.problem,
    )

    def build(newest: Application) -> dict[str, Any]:
        return {**dict(newest.status), "operationState": render_operation(state, newest)}

    await ctx.reporter.write(app.name, build, ends=operation.asked)
