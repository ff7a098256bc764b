"""Admission plug-ins that concern more than one kind: limits, quotas, pod security. `before` may change, `after` only refuses."""

from collections.abc import Callable

from kilde.core.basics.values import Object
from kilde.kubeapi.admission import limit_ranger, pod_security, policies, quota, webhooks
from kilde.kubeapi.call import Call
from kilde.kubeapi.world import World


def before(world: World, call: Call, obj: Object) -> None:
    """Mutating admission of a new object, after that of its own kind."""
    limit_ranger.fill(world, call, obj)


def mutate(
    world: World, call: Call, obj: Object, old: Object | None, plug_ins: Callable[[Object], None] | None = None
) -> Object:
    """What mutating policies and webhooks make of a write. They come after its ownership is known: what they add is nobody's.

    `plug_ins` may change an object that has become another by that, as they have changed it before.
    """
    made, asked = policies.mutate(world, call, obj, old)

    def again(now: Object) -> Object:
        """The second turn, after the webhooks' first: what was asked sees what came later."""
        if plug_ins is not None and now != obj:
            now = {**now, "metadata": dict(now["metadata"])}
            if isinstance(now.get("spec"), dict):
                now["spec"] = dict(now["spec"])
            plug_ins(now)
        return policies.mutate(world, call, now, old, asked)[0] if asked else now

    found = webhooks.mutate(world, call, made, old, again)
    assert found is not None
    return found


def removal(world: World, call: Call, old: Object) -> None:
    """Admission of a DELETE."""
    webhooks.mutate(world, call, None, old)
    policies.judge(world, call, None, old)
    webhooks.judge(world, call, None, old)


def mutate_body(world: World, call: Call, body: Object) -> Object:
    """The body of a POST to a sub-resource as mutating webhooks want it. ApiError, Waits."""
    made = webhooks.mutate(world, call, body, None)
    assert made is not None
    return made


def judge_body(world: World, call: Call, body: Object) -> None:
    """Validating admission of a POST to a sub-resource. ApiError, Waits."""
    policies.judge(world, call, body, None)
    webhooks.judge(world, call, body, None)


def after(world: World, call: Call, obj: Object, old: Object | None) -> None:
    """Validating admission, once the object is known to be valid. Quotas are charged last."""
    limit_ranger.judge(world, call, obj, old)
    pod_security.admit(world, call, obj, old)
    policies.judge(world, call, obj, old)
    webhooks.judge(world, call, obj, old)
    quota.admit(world, call, obj, old)
