"""The order of everything."""

from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.change import Action, Change
from kilde.core.plan.order import apply_steps, prune_steps, wave_of


def change(kind: str, name: str = "x", *, wave: int = 0, action: Action = Action.CREATE, last: bool = False) -> Change:
    group = {"Deployment": "apps", "CustomResourceDefinition": "apiextensions.k8s.io"}.get(kind, "")
    ref = ObjectRef(group, kind, "" if kind in ("Namespace", "CustomResourceDefinition") else "shop", name)
    return Change(ref=ref, action=action, why="", version="v1", wave=wave, prune_last=last)


def words(steps: list[tuple[int, list[tuple[Change, ...]]]]) -> list[str]:
    return [
        f"{wave}: " + " | ".join(",".join(f"{c.ref.kind}/{c.ref.name}" for c in group) for group in groups)
        for wave, groups in steps
    ]


def test_waves_come_in_order_and_in_each_the_kinds_in_argo_cds_order() -> None:
    changes = [
        change("Deployment", wave=1),
        change("Deployment"),
        change("Gadget"),
        change("ConfigMap", "b"),
        change("ConfigMap", "a"),
        change("Namespace", "shop", wave=-1),
        change("Service", wave=1),
    ]
    assert words(apply_steps(changes)) == [
        "-1: Namespace/shop",
        "0: ConfigMap/a,ConfigMap/b | Deployment/x | Gadget/x",
        "1: Service/x | Deployment/x",
    ]


def test_a_definition_comes_before_objects_of_any_wave_but_after_namespaces() -> None:
    changes = [
        change("CustomResourceDefinition", "gadgets", wave=5),
        change("Gadget", wave=-2),
        change("Namespace", "shop", wave=-2),
    ]
    assert words(apply_steps(changes)) == ["-2: Namespace/shop | CustomResourceDefinition/gadgets | Gadget/x"]


def test_what_goes_goes_backwards_and_what_asked_for_it_goes_last() -> None:
    changes = [
        change("ConfigMap", "late", action=Action.PRUNE, last=True),
        change("ConfigMap", "a", action=Action.PRUNE),
        change("Deployment", "d", action=Action.PRUNE),
        change("Service", "s", wave=3, action=Action.PRUNE),
        change("Secret", "kept", action=Action.HOLD),
    ]
    steps = [[[c.ref.name for c in group] for group in groups] for groups in prune_steps(changes)]
    assert steps == [[["s"]], [["d"], ["a"]], [["late"]]]


def test_a_wave_that_is_no_whole_number_is_wave_zero() -> None:
    key = "argocd.argoproj.io/sync-wave"
    assert [wave_of({key: text}) for text in ("2", "-3", "soon", "1.5", "")] == [2, -3, 0, 0, 0]
