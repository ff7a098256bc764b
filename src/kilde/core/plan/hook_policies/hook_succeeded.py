"""`HookSucceeded`: takes hooks away once all went well."""

from kilde.core.plan.hook_policies.policy import HookPolicy, Moment

POLICY = HookPolicy(name="HookSucceeded", helm="hook-succeeded", moments=frozenset({Moment.SYNC_SUCCEEDED}))
