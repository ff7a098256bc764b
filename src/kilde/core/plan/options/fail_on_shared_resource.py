"""`FailOnSharedResource=true`: a sync of an application fails where another one holds an object of it, before anything is written."""

from collections.abc import Sequence

from kilde.core.plan.options.option import Condition, SyncOption

NAME = "FailOnSharedResource"
CONDITION = "SharedResourceWarning"


def refusal(conditions: Sequence[Condition]) -> str:
    """Argo CD's words, of the first such object."""
    shared = [text for kind, text in conditions if kind == CONDITION]
    return f"Shared resource found: {shared[0]}" if shared else ""


OPTION = SyncOption(name=NAME, refusal=refusal)
