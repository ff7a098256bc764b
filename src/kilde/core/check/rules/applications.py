"""Applications that cannot work whatever they render to: a spec that is wrong, a name that is taken, a source that points nowhere."""

from collections import defaultdict
from collections.abc import Iterator

from kilde.core.basics.errors import Place
from kilde.core.check.context import Context
from kilde.core.check.finding import Problem, Severity
from kilde.core.check.places import field_path
from kilde.core.check.renderer import problems_of
from kilde.core.check.rule import Rule
from kilde.core.check.rules.rendering import points_nowhere
from kilde.core.check.units import Unit
from kilde.core.objects.yaml_reader import Path
from kilde.core.source.repository_url import redact, same_repository


def _spec(context: Context) -> Iterator[Problem]:
    by_name: dict[tuple[str, str, str], list[Unit]] = defaultdict(list)
    for unit in context.rendering.units:
        if unit.app is not None:
            by_name[unit.home, unit.app.namespace, unit.app.name].append(unit)
        if unit.app is None or not unit.affected or unit.unjudged:
            continue
        for problem in problems_of(unit.app):
            field, colon, what = problem.partition(": ")
            yield context.declared(unit, problem if colon else what or field, path=field_path(field) if colon else ())
    for same in by_name.values():
        first = same[0]
        for unit in same[1:]:
            if unit.affected or first.affected:
                yield context.declared(
                    unit, f"another Application has this name: {first.declared}", path=("metadata", "name")
                )
    for one in context.rendering.sets:
        if one.error and one.affected:
            place = one.declared or Place("")
            yield Problem(message=f"ApplicationSet {one.name}: {one.error}", path=place.file, line=place.line)


def _source(context: Context) -> Iterator[Problem]:
    revisions = context.revisions
    for unit in context.judged:
        if unit.app is None:
            continue
        if points_nowhere(unit) and unit.failure is not None:
            number = next((n for n, one in enumerate(unit.app.sources) if one.path == unit.failure.about), 0)
            hint = "mend the path, or delete the Application"
            yield context.declared(
                unit,
                f"its path '{unit.failure.about}' is not in the repository",
                path=_at(unit, number, "path"),
                hint=hint,
            )
        for number, source in enumerate(unit.app.sources):
            here = any(same_repository(source.url, own) for own in context.rendering.own_urls)
            if here and revisions is not None and revisions.complete and revisions.at(source.target_revision) is None:
                yield context.declared(
                    unit,
                    f"its revision '{redact(source.target_revision)}' is not in the repository",
                    path=_at(unit, number, "targetRevision"),
                    hint="name a branch, a tag or a commit that is pushed",
                )


def _at(unit: Unit, number: int, field: str) -> Path:
    several = unit.app is not None and unit.app.several
    return ("spec", "sources", number, field) if several else ("spec", "source", field)


APPLICATION = Rule(
    id="application",
    title="an Application or ApplicationSet is wrong",
    severity=Severity.ERROR,
    docs="A field has the wrong type, something that is needed is missing, a generator fails, or two Applications have "
    "one name. The controller "
    "would refuse it with these words, or take one of the two.",
    judge=_spec,
)
APPLICATION_SOURCE = Rule(
    id="application-source",
    title="an Application points nowhere",
    severity=Severity.ERROR,
    docs="The path or the revision that an Application names is not in this repository. A revision is only judged in a "
    "whole clone: fetch all "
    "branches and tags (fetch-depth: 0).",
    judge=_source,
)
