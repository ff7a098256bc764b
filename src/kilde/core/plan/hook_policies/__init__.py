"""The policies of deleting hooks: a file for each, and a line here."""

from kilde.core.plan.hook_policies import before_hook_creation, hook_failed, hook_succeeded
from kilde.core.plan.hook_policies.policy import HookPolicy, Moment

__all__ = ["DEFAULT", "POLICIES", "HookPolicy", "Moment"]

POLICIES: tuple[HookPolicy, ...] = (
    before_hook_creation.POLICY,
    hook_failed.POLICY,
    hook_succeeded.POLICY,
)
DEFAULT = before_hook_creation.POLICY
"""Where nothing known is said."""
