"""What became of one object: results in the making, and what the cluster would not take."""

import msgspec

from kilde.core.apply.outcome import ObjectResult, ResultCode
from kilde.core.apply.retry import worth_another_try
from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.core.objects.images import images_of
from kilde.core.plan.change import Change
from kilde.core.plan.masking import redacted
from kilde.engine.operation.pen import Pen


class _Meta(msgspec.Struct, gc=False):
    resourceVersion: str = ""  # noqa: N815  # the wire's own name


class _Head(msgspec.Struct, gc=False):
    metadata: _Meta


_heads = msgspec.json.Decoder(_Head)


def version_of(raw: bytes) -> str:
    """The resourceVersion of an object as the server sent it."""
    return _heads.decode(raw).metadata.resourceVersion


def result_of(
    change: Change,
    message: str,
    *,
    verb: str,
    code: ResultCode = ResultCode.SYNCED,
    after: str = "",
    images: tuple[str, ...] = (),
) -> ObjectResult:
    """A result in the making: the walk fills in how far the task is."""
    return ObjectResult(
        ref=change.ref,
        version=change.version,
        code=code,
        message=message,
        verb=verb,
        before=change.live_version,
        after=after,
        images=images,
    )


def refused(
    change: Change, error: ClusterError, pen: Pen, *, wanted: Object | None = None, phase: str = "Sync"
) -> ObjectResult:
    """What the cluster would not take; no value of a Secret is in its words. `wanted`: what was to be written, if anything."""
    secret = change.ref.kind == "Secret"
    live = pen.live.get(change.ref) if secret else None
    return ObjectResult(
        ref=change.ref,
        version=change.version,
        code=ResultCode.FAILED,
        message=redacted(error.what, wanted if secret else None, live.body() if live else None),
        verb="refused",
        hook_phase="" if error.reason in ("UnknownKind", "NotPermitted") else "Failed",
        sync_phase=phase,
        before=change.live_version,
        images=images_of([wanted]) if wanted is not None else (),
        unavailable=error.status == 429 or error.status >= 502 or (error.status == 0 and worth_another_try(error)),
        lasting=error.status != 409 and not worth_another_try(error),
    )
