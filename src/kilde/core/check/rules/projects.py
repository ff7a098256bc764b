"""AppProjects: one that is missing, and what one does not permit to its Applications."""

from collections.abc import Iterator

from kilde.core.access.project import Project, destination_refusal, permissive, read_project
from kilde.core.check.context import Context
from kilde.core.check.finding import Problem, Severity
from kilde.core.check.rule import Rule
from kilde.core.check.units import Unit
from kilde.core.objects.kinds import is_namespaced
from kilde.core.source.repository_url import redact

_DEFAULT = "default"


def _judge(context: Context) -> Iterator[Problem]:
    projects = {one.name: read_project(one.body) for one in context.rendering.projects}
    if not projects:
        return  # they are managed elsewhere
    projects.setdefault(_DEFAULT, permissive(_DEFAULT))
    for unit in context.judged:
        if unit.app is None:
            continue
        project = projects.get(unit.app.project)
        if project is None:
            known = ", ".join(sorted(projects))
            message = f"there is no AppProject '{unit.app.project}'"
            yield context.declared(unit, message, path=("spec", "project"), hint=f"there are: {known}")
            continue
        yield from _forbidden(context, unit, project)


def _forbidden(context: Context, unit: Unit, project: Project) -> Iterator[Problem]:
    app = unit.app
    assert app is not None
    where = app.destination
    for number, source in enumerate(app.sources):
        if not project.permits_repository(source.url):
            at = ("spec", "sources", number, "repoURL") if app.several else ("spec", "source", "repoURL")
            message = f"repository {redact(source.url)} is not permitted in project '{project.name}'"
            yield context.declared(unit, message, path=at, hint="add it to sourceRepos of the AppProject")
    if not project.permits_destination(where.server, where.name, where.namespace):
        message = destination_refusal(project, where.server, where.name, where.namespace)
        yield context.declared(
            unit, message, path=("spec", "destination"), hint="add it to destinations of the AppProject"
        )
        return
    for item in unit.items:
        manifest = item.manifest
        namespaced = is_namespaced(manifest.group, manifest.kind)
        in_namespace = bool(item.namespace) if namespaced is None else namespaced
        if not project.permits_kind(manifest.group, manifest.kind, manifest.name, namespaced=in_namespace):
            kind = f"{manifest.group}/{manifest.kind}" if manifest.group else manifest.kind
            listing = "namespaceResourceWhitelist" if in_namespace else "clusterResourceWhitelist"
            message = f"{kind} is not permitted in project '{project.name}'"
            yield context.problem(unit, item, message, path=("kind",), hint=f"see {listing} of the AppProject")
        elif in_namespace and not project.permits_destination(where.server, where.name, item.namespace):
            message = f"namespace '{item.namespace}' is not permitted in project '{project.name}'"
            yield context.problem(
                unit, item, message, path=("metadata", "namespace"), hint="see destinations of the AppProject"
            )


APPLICATION_PROJECT = Rule(
    id="application-project",
    title="an AppProject is missing, or forbids what its Application does",
    severity=Severity.ERROR,
    docs="The project that an Application names is not among the AppProjects of this repository, or does not permit its repository, its "
    "destination, or the kind or namespace of an object. The controller refuses to sync it. Silent where the "
    "repository holds no AppProject.",
    judge=_judge,
)
