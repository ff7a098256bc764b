"""Which applications a change touches, and so which are judged."""

from collections.abc import Mapping

import pytest

from core.check.repository import URL, application, checked, tree_of
from kilde.core.check.affected import affected
from kilde.core.check.here import Named, OnlyTree
from kilde.core.check.renderer import Plan
from kilde.core.check.rendering import rendered

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {}\n"
SET = (
    "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata:\n  name: teams\n  namespace: argocd\nspec:\n  generators:\n"
    f"    - git:\n        repoURL: {URL}\n        revision: HEAD\n        directories:\n          - path: teams/*\n  template:\n"
    "    metadata:\n      name: '{{path.basename}}'\n    spec:\n      project: default\n      source:\n"
    f"        repoURL: {URL}\n        targetRevision: HEAD\n        path: '{{{{path}}}}'\n      destination:\n"
    "        server: https://kubernetes.default.svc\n        namespace: '{{path.basename}}'\n"
)
FILES = {
    "root.yaml": application("root", "argocd"),
    "argocd/web.yaml": application("web", "overlays/web"),
    "argocd/api.yaml": application("api", "overlays/api"),
    "argocd/set.yaml": SET,
    "overlays/web/kustomization.yaml": "resources: [../../base]\nnamePrefix: web-\n",
    "overlays/api/kustomization.yaml": "resources: [../../base]\nnamePrefix: api-\n",
    "base/kustomization.yaml": "resources: [a.yaml]\n",
    "base/a.yaml": CONFIG_MAP.format("a"),
    "teams/red/a.yaml": CONFIG_MAP.format("red"),
    "teams/blue/a.yaml": CONFIG_MAP.format("blue"),
    "alone/kustomization.yaml": "resources: [b.yaml]\n",
    "alone/b.yaml": CONFIG_MAP.format("b"),
    "README.md": "hello\n",
}
EVERY = ["api", "blue", "kustomization alone", "red", "root", "web"]


def touched_by(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    tree = tree_of(after)
    plan = Plan(tree=tree, revisions=Named(OnlyTree(tree), (URL,)))
    changed = frozenset(path for path in {*after, *before} if after.get(path) != before.get(path))
    found = affected(rendered(plan), plan, tree_of(before), changed)
    return sorted(unit.name for unit in found.units if unit.affected)


def changed(**texts: str | None) -> dict[str, str]:
    """The files with these replaced (None: gone); a `__` is a slash and a final `_` the ending."""
    files: dict[str, str | None] = {
        **FILES,
        **{name.replace("__", "/") + ".yaml": text for name, text in texts.items()},
    }
    return {path: text for path, text in files.items() if text is not None}


def test_everything_is_found_once() -> None:
    assert touched_by({}, FILES) == EVERY


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param({**FILES, "README.md": "bye\n"}, [], id="a file that nobody reads"),
        pytest.param(changed(base__a=CONFIG_MAP.format("c")), ["api", "web"], id="a base"),
        pytest.param(changed(teams__red__a=CONFIG_MAP.format("c")), ["red"], id="a folder of a set"),
        pytest.param(changed(teams__green__a=CONFIG_MAP.format("c")), ["green"], id="a new folder of a set"),
        pytest.param(changed(teams__blue__a=None), [], id="a folder of a set that went"),
        pytest.param(
            changed(alone__b=CONFIG_MAP.format("c")),
            ["kustomization alone"],
            id="a kustomization that nobody points to",
        ),
        pytest.param(changed(base__new=CONFIG_MAP.format("c")), [], id="a file that no kustomization names"),
        pytest.param(
            changed(argocd__web=application("web", "overlays/web", namespace="other")),
            ["root", "web"],
            id="one of two Applications",
        ),
        pytest.param(changed(argocd__new=application("new", "overlays/web")), ["new", "root"], id="a new Application"),
        pytest.param(
            changed(argocd__set=SET.replace("project: default", "project: team")),
            ["blue", "red", "root"],
            id="a template of a set",
        ),
        pytest.param(changed(argocd__set=SET + "  syncPolicy: {}\n"), ["root"], id="a set that makes the same"),
        pytest.param(
            {**FILES, ".kilde.yaml": "check: {kubernetesVersion: '1.30'}\n"}, EVERY, id="the version that is judged by"
        ),
    ],
)
def test_what_reads_a_file_is_judged_and_nothing_else(after: dict[str, str], expected: list[str]) -> None:
    assert touched_by(FILES, after) == expected


def test_a_finding_of_an_application_that_the_change_does_not_touch_is_not_told() -> None:
    before = changed(teams__red__a=CONFIG_MAP.format("red") + "dat: {}\n")
    after = {**before, "base/a.yaml": CONFIG_MAP.format("c")}

    assert [each.rule for each in checked(after)] == ["schema"]
    assert checked(after, before=before) == ()
    assert [each.rule for each in checked(before, before=FILES)] == ["schema"]
