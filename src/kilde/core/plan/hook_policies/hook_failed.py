"""`HookFailed`: takes hooks away once something went wrong, whichever of them it was."""

from kilde.core.plan.hook_policies.policy import HookPolicy, Moment

POLICY = HookPolicy(name="HookFailed", helm="hook-failed", moments=frozenset({Moment.SYNC_FAILED}))
