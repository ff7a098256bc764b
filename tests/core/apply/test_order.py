"""The order in which the objects of one wave are written: by the kind's name, whatever its group, then by name, as in Argo CD."""

from itertools import permutations

from kilde.core.apply.tasks import Task, arrange
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.change import Action, Change


def made(group: str, kind: str, name: str, wave: int = 0) -> Task:
    ref = ObjectRef(group, kind, "shop", name)
    return Task(change=Change(ref=ref, action=Action.CREATE, why="", version="v1"), wave=wave)


def test_kinds_nobody_listed_are_one_rank_and_a_known_name_counts_in_any_group() -> None:
    wanted = [
        made("example.com", "Widget", "z", wave=-1),
        made("", "ConfigMap", "z"),
        made("example.com", "Role", "a"),  # of a known name: where a Role of RBAC goes
        made("rbac.authorization.k8s.io", "Role", "b"),
        made("serving.example.com", "Service", "a"),
        made("", "Service", "z"),
        made("example.com", "Widget", "a"),
        made("a.example.com", "Anvil", "b"),
        made("z.example.com", "Zebra", "c"),
        made("a.example.com", "Anvil", "d"),
    ]
    for first in permutations(wanted, 2):
        rest = [task for task in reversed(wanted) if task not in first]
        assert arrange([*first, *rest], {}) == wanted
