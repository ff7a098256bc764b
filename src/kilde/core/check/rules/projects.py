"""AppProjects: one that is missing, and what one does not permit to its Applications."""

from collections.abc import Iterator

from kilde.core.access.project import Project, destination_refusal, permissive, read_project
from kilde.core.apps.application import IN_CLUSTER
from kilde.core.basics.errors import Place
from kilde.core.check.context import Context
from kilde.core.check.finding import Problem, Severity
from kilde.core.check.places import field_path
from kilde.core.check.renderer import cluster_of
from kilde.core.check.rule import Rule
from kilde.core.check.units import Unit
from kilde.core.objects.kinds import is_namespaced
from kilde.core.objects.manifest import Manifest
from kilde.core.source.repository_url import redact

_DEFAULT = "default"


def _judge(context: Context) -> Iterator[Problem]:
    if not context.rendering.projects:
        return  # they are managed elsewhere
    projects = {(_home(context, one), one.name): read_project(one.body) for one in context.rendering.projects}
    yield from _wrong(context)
    for unit in context.judged:
        if unit.app is None:
            continue
        project = projects.get((unit.home, unit.app.project))
        if project is None and unit.app.project == _DEFAULT:
            project = permissive(_DEFAULT)
        if project is None:
            known = ", ".join(sorted({_DEFAULT} | {name for home, name in projects if home == unit.home}))
            message = f"there is no AppProject '{unit.app.project}'"
            yield context.declared(unit, message, path=("spec", "project"), hint=f"there are: {known}")
            continue
        yield from _forbidden(context, unit, project)


def _forbidden(context: Context, unit: Unit, project: Project) -> Iterator[Problem]:
    app = unit.app
    assert app is not None
    where = app.destination
    server, name = (IN_CLUSTER, "in-cluster") if not cluster_of(app) else (where.server, where.name)
    for number, source in enumerate(app.sources):
        if not project.permits_repository(source.url):
            at = ("spec", "sources", number, "repoURL") if app.several else ("spec", "source", "repoURL")
            message = f"repository {redact(source.url)} is not permitted in project '{project.name}'"
            yield context.declared(unit, message, path=at, hint="add it to sourceRepos of the AppProject")
    if not project.permits_destination(server, name, where.namespace) and not _may_be_named_otherwise(unit, project):
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
        elif in_namespace and not (
            project.permits_destination(server, name, item.namespace) or _may_be_named_otherwise(unit, project)
        ):
            message = f"namespace '{item.namespace}' is not permitted in project '{project.name}'"
            yield context.problem(
                unit, item, message, path=("metadata", "namespace"), hint="see destinations of the AppProject"
            )


def _home(context: Context, manifest: Manifest) -> str:
    return context.rendering.home(manifest.origin.file) if manifest.origin else ""


def _wrong(context: Context) -> Iterator[Problem]:
    """Projects that cannot be read whole: what cannot be read permits nothing."""
    for manifest in context.rendering.projects:
        file = manifest.origin.file if manifest.origin else ""
        for problem in read_project(manifest.body).problems if context.concerns(file) else ():
            place = context.places.at(manifest.origin or Place(""), field_path(problem.partition(": ")[0]))
            yield Problem(
                message=problem,
                path=place.file,
                line=place.line,
                column=place.column,
                object=f"AppProject {manifest.name}",
            )


def _may_be_named_otherwise(unit: Unit, project: Project) -> bool:
    """Whether the project calls clusters by addresses and the Application by a name, or the other way round: only a cluster knows both."""
    assert unit.app is not None
    if not cluster_of(unit.app):
        return False
    by_name = bool(unit.app.destination.name)
    return any(
        target.server and not target.name if by_name else target.name and not target.server
        for target in project.targets
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
