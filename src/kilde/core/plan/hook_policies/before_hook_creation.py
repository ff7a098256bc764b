"""`BeforeHookCreation`: makes room for the next one of that name."""

from kilde.core.plan.hook_policies.policy import HookPolicy, Moment

POLICY = HookPolicy(name="BeforeHookCreation", helm="before-hook-creation", moments=frozenset({Moment.BEFORE_CREATION}))
