"""What has moved since a plan was made is named, object by object."""

import pytest

from core.preview.plans import app, step
from kilde.core.preview.model import AppPlan
from kilde.core.preview.moved import moved

_HOOK = step("migrate", "hook", phase="PreSync", kind="Job", group="batch")
_THEN = app(steps=(_HOOK, step(basis="u#1"), step("old", "prune", basis="v#1")))


def _now(*steps: object, **more: object) -> AppPlan:
    return app(steps=steps, **more)


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (_THEN, []),
        (
            _now(_HOOK, step(basis="u#1", why="said otherwise"), step("old", "prune", basis="v#1"), step("x", "hold")),
            [],
        ),
        (app(error="cannot be rendered"), ["Application argocd/shop: cannot be rendered"]),
        (app(uid="u-2", steps=_THEN.steps), ["Application argocd/shop: was deleted and made anew"]),
        (
            _now(_HOOK, step(basis="u#2"), step("old", "prune", basis="v#1")),
            ["apps/Deployment shop/web: has changed since the plan was made"],
        ),
        (
            _now(_HOOK, step("old", "prune", basis="v#1")),
            ["apps/Deployment shop/web: the plan would update it, and there is nothing to do any more"],
        ),
        (
            _now(_HOOK, step("web", "create"), step("old", "prune", basis="v#1")),
            ["apps/Deployment shop/web: the plan would update it, now a sync would create it"],
        ),
        (
            _now(_HOOK, *_THEN.steps[1:], step("drifted")),
            ["apps/Deployment shop/drifted: would be changed too, and is not in the plan"],
        ),
        (_now(*_THEN.steps[1:]), ["Application argocd/shop: other hooks would run"]),
        (_now(*_THEN.steps, digest="d2"), ["Application argocd/shop: what would be done has another digest now"]),
        (
            _now(*_THEN.steps, rendered="c1"),
            [
                "Application argocd/shop: what is wanted is rendered otherwise now: its spec, a chart's values or what the "
                "cluster serves has changed"
            ],
        ),
    ],
)
def test_each_move_is_told(now: AppPlan, told: list[str]) -> None:
    assert moved(_THEN, now) == told
