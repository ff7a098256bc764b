"""Whether an operation that names a saved plan would do exactly that: asked right before the first write, with every object read anew."""

import msgspec

from kilde.core.apps.application import Application
from kilde.core.plan.change import Change
from kilde.core.plan.digest import basis_digest, basis_of, plan_digest, writes_of
from kilde.core.plan.planner import Plan
from kilde.engine.context import Context
from kilde.engine.requests import persist
from kilde.engine.runtime import Running, Wish
from kilde.ports.cluster import Discovery

_decode = msgspec.json.Decoder(dict).decode
NO_LONGER, HELD = "the saved plan no longer holds", "the saved plan is held"
_AGAIN = "nothing was written; make a new plan"


async def plan_refusal(ctx: Context, *, app: Application, wish: Wish, plan: Plan, running: Running) -> str:
    """Why it may not begin or go on; "" where it may, or names no plan. Raises ClusterError.

    An attempt that this process has begun, and that the cluster cut off, goes on with what is left. After a restart
    nobody knows any more what was agreed: then it ends.
    """
    operation = running.operation
    if not operation.plan:
        return ""
    held = sum(change.over for change in plan.changes)
    if held:
        return f"{HELD}: a budget holds {held} of its deletions; kilde app approve {app.name} tells which, then apply it again"
    writes = writes_of(plan.changes)
    discovery = await ctx.world.cluster.discovery()
    bases = {(one.ref, one.action): await _basis(ctx, one, discovery) for one in writes}
    if running.agreed is not None:
        strange = [str(ref) for (ref, action), basis in bases.items() if running.agreed.get((ref, action)) != basis]
        return f"{NO_LONGER}: {', '.join(strange)} changed while it was carried out" if strange else ""
    if running.since is not None or running.retries:
        return f"{NO_LONGER}: it was cut off by a restart; make a new plan of what is left"
    name = app.place
    found = plan_digest(application=name, revision=wish.sha, rendered=wish.digest, changes=writes)
    if found != operation.plan:
        return f"{NO_LONGER}: what would be done has another digest now, {found}; {_AGAIN}"
    if basis_digest((ref, basis) for (ref, _), basis in bases.items()) != operation.plan_basis:
        return f"{NO_LONGER}: an object that it rests on has changed; {_AGAIN}"
    running.agreed = bases
    return ""


async def _basis(ctx: Context, change: Change, discovery: Discovery) -> str:
    ref = change.ref
    resource = discovery.resource(ref.group, ref.kind)
    if resource is None:
        return basis_of(None)
    raw = await persist(lambda: ctx.world.cluster.get(resource, ref.namespace, ref.name), ctx.world.clock)
    return basis_of(_decode(raw) if raw else None)
