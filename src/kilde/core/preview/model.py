"""The document that `kilde plan` makes: for each application what would be done, in its order, with what is known against it.

Plain values, so that text, Markdown, HTML and a saved plan are made of the same. Secret values are taken out before anything comes here.
Decoding is strict, and bounded by the shape: nothing here nests without an end.
"""

import msgspec

from kilde.core.objects.ref import ObjectRef


class Field(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field that would change. Values as JSON, cut where they are long; "" where a side has nothing."""

    path: str
    live: str = ""
    wanted: str = ""
    why: str = ""
    owner: str = ""


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One object in its place of the order.

    `action`: create, update, replace (deleted and made anew), prune, hold (should go, and stays) or hook. `cause`: "commit" where
    the commit changes what is wanted, "before" where the cluster differs already from what was wanted before. `basis`: what
    it rests on (core/plan/digest.py).
    """

    phase: str
    wave: int
    group: str
    kind: str
    namespace: str
    name: str
    version: str
    action: str
    why: str
    cause: str = "commit"
    origin: str = ""
    health: str = ""
    uid: str = ""
    basis: str = ""
    fields: tuple[Field, ...] = ()
    diff: str = ""

    @property
    def ref(self) -> ObjectRef:
        return ObjectRef(self.group, self.kind, self.namespace, self.name)

    @property
    def writes(self) -> bool:
        return self.action in ("create", "update", "replace", "prune")


class Finding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that is known against a step. `grave`: it will be refused, stop the sync, or lose data."""

    # docs/plan.md has them all: data-loss, cascade, budget, quarantine, window, signature, immutable, refused, missing, image, …
    kind: str
    text: str
    object: str = ""
    grave: bool = False


class SourceAt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One source: the word that was resolved (a branch, a tag, a commit), and the commits on both sides ("" where there is no other)."""

    url: str
    path: str
    word: str
    sha: str
    base: str = ""


class AppPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What would be done to one application. `error`: why that cannot be told; then there is nothing else."""

    name: str
    namespace: str
    uid: str = ""
    project: str = ""
    destination: str = ""
    sources: tuple[SourceAt, ...] = ()
    revision: str = ""
    rendered: str = ""
    digest: str = ""
    basis: str = ""
    automated: bool = False
    prune: bool = False
    health: str = ""
    sync: str = ""
    steps: tuple[Step, ...] = ()
    unchanged: int = 0
    findings: tuple[Finding, ...] = ()
    images: tuple[str, ...] = ()  # that the commit brings in
    follows: str = ""  # the application whose sync changes this one's spec first: it cannot be applied before
    error: str = ""

    @property
    def changes(self) -> bool:
        """Whether anything would be written, deleted or run that is not as it is."""
        return any(step.writes or step.action == "hold" for step in self.steps)

    def count(self, *actions: str) -> int:
        return sum(1 for step in self.steps if step.action in actions)


class Preview(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A plan over applications. `judged`/`not_judged`: what was looked into, and what was not, in words."""

    made_at: str
    cluster: str
    asked: str
    applications: tuple[AppPlan, ...] = ()
    untouched: int = 0  # applications that read nothing the commit changes
    judged: tuple[str, ...] = ()
    not_judged: tuple[str, ...] = ()

    @property
    def changed(self) -> tuple[AppPlan, ...]:
        return tuple(app for app in self.applications if app.changes)

    @property
    def failed(self) -> tuple[AppPlan, ...]:
        return tuple(app for app in self.applications if app.error)


def totals(preview: Preview) -> dict[str, int]:
    """How many objects each action is about, over all applications."""
    actions = ("create", "update", "replace", "prune", "hold", "hook")
    return {action: sum(app.count(action) for app in preview.changed) for action in actions}
