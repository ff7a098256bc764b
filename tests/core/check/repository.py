"""Repositories of a few files for the rules, and what the rules say of them."""

from collections.abc import Mapping

from kilde.core.check.affected import affected
from kilde.core.check.config import NO_CONFIG, Config
from kilde.core.check.context import Context
from kilde.core.check.finding import Finding
from kilde.core.check.here import Named, OnlyTree
from kilde.core.check.judging import judge
from kilde.core.check.renderer import Plan
from kilde.core.check.rendering import rendered
from kilde.core.check.rules import RULES
from kilde.core.render.outside import Helm, Outside
from kilde.core.source.tree import MemoryTree
from kilde.wiring.check_parts import JudgedSchemas, served

URL = "https://git.example/team/config"


def application(name: str, path: str, *, namespace: str = "", more: str = "", spec: str = "") -> str:
    """An Application of this repository; `more` goes into its source, `spec` below its spec."""
    return (
        f"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\n  namespace: argocd\nspec:\n"
        f"  project: default\n  source:\n    repoURL: {URL}\n    path: {path}\n{more}"
        f"  destination:\n    server: https://kubernetes.default.svc\n    namespace: {namespace or name}\n{spec}"
    )


def deployment(
    name: str, *, image: str = "registry.example/web:1.2.3", pod: str = "", container: str = "", labels: str = ""
) -> str:
    """A Deployment; `pod` goes into the pod's spec, `container` into its container, both indented by the caller to 6 and 10."""
    label = labels or f"{{app: {name}}}"
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\nspec:\n  selector:\n    matchLabels: {label}\n"
        f"  template:\n    metadata:\n      labels: {label}\n    spec:\n{pod}      containers:\n        - name: web\n"
        f"          image: {image}\n{container}"
    )


def checked(
    files: Mapping[str, str],
    *,
    before: Mapping[str, str] | None = None,
    version: str = "1.33",
    helm: Helm | None = None,
    config: Config = NO_CONFIG,
) -> tuple[Finding, ...]:
    """What all rules find; with `before` only of what changed since then."""
    tree = tree_of(files)
    plan = Plan(
        tree=tree,
        revisions=Named(OnlyTree(tree), (URL,)),
        programs=Outside(helm=helm),
        kube_version=f"{version}.0",
        apis=served(version, ()),
        home=config.home,
    )
    rendering = rendered(plan)
    changed = None
    if before is not None:
        changed = frozenset(path for path in {*files, *before} if files.get(path) != before.get(path))
        rendering = affected(rendering, plan, tree_of(before), changed)
    context = Context(
        tree=tree,
        changed=changed,
        rendering=rendering,
        revisions=plan.revisions,
        schemas=JudgedSchemas(version, rendering.definitions),
        today="2026-11-28",
    )
    return judge(context, RULES, config).findings


def tree_of(files: Mapping[str, str]) -> MemoryTree:
    return MemoryTree({path: text.encode() for path, text in files.items()})


def told(findings: tuple[Finding, ...]) -> list[str]:
    """`rule place object: message`, one a finding."""
    return [f"{each.rule} {each.place}{' ' + each.object if each.object else ''}: {each.message}" for each in findings]
