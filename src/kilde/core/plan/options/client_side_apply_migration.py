"""`ClientSideApplyMigration` (on where nothing is said): with `ServerSideApply=true` the fields of a client-side apply become ours.

So a field goes that nobody but kubectl has set and Git does not have. Argo CD's rule (gitops-engine, sync_context.go): once, at the first
sync; of the manager `kubectl-client-side-apply`, or of the one that the Application's annotation names.
"""

from kilde.core.basics.values import Object
from kilde.core.objects.typed.handing_over import handed_over
from kilde.core.plan.options.option import SyncOption, Writing

NAME = "ClientSideApplyMigration"


def ownership(at: Writing) -> list[Object] | None:
    """The managedFields without the former manager's entry; None where there is none, or it is to stay."""
    if at.policy.options.is_off(NAME) or not at.policy.asks("ServerSideApply", at.wanted):
        return None
    return handed_over(at.live, former=at.policy.migrates, manager=at.manager)


OPTION = SyncOption(name=NAME, ownership=ownership)
