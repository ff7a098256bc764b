"""Plans as the tests of their forms use them."""

from kilde.core.preview.model import AppPlan, Field, Finding, Preview, SourceAt, Step


def step(name: str = "web", action: str = "update", **more: object) -> Step:
    given = {"phase": "Sync", "wave": 0, "group": "apps", "kind": "Deployment", "namespace": "shop", "version": "v1"}
    return Step(**{**given, "name": name, "action": action, "why": "differs", **more})  # type: ignore[arg-type]


def app(name: str = "shop", **more: object) -> AppPlan:
    source = SourceAt(url="https://git.example/config", path="apps/shop", word="change", sha="b" * 40, base="a" * 40)
    given = {
        "namespace": "argocd",
        "uid": "u-1",
        "sources": (source,),
        "revision": "b" * 40,
        "rendered": "c0",
        "digest": "d1",
    }
    return AppPlan(**{**given, "name": name, **more})  # type: ignore[arg-type]


def preview(*apps: AppPlan, **more: object) -> Preview:
    given = {
        "made_at": "2026-01-02T03:04:05Z",
        "cluster": "c (1.36)",
        "asked": "change against main",
        "applications": apps,
    }
    return Preview(**{**given, **more})  # type: ignore[arg-type]


def hostile(text: str) -> Preview:
    """A plan that says this wherever it says what comes from Git or a cluster."""
    field = Field(path=text, live=text, wanted=text, why=text, owner=text)
    bad = step(
        text, why=text, origin=text, health=text, fields=(field,), diff=f"+{text}\n{text}\n", namespace=text, kind=text
    )
    hook = step(text, "hook", phase=text)
    finding = Finding(kind="refused", text=text, object=text, grave=True)
    source = SourceAt(url=text, path=text, word=text, sha=text, base=text)
    whole = app(
        text,
        sources=(source,),
        steps=(bad, hook),
        findings=(finding,),
        images=(text,),
        health=text,
        sync=text,
        destination=text,
        follows=text,
    )
    return preview(whole, app(text, error=text), asked=text, cluster=text)
