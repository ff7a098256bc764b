"""YAML files that cannot be read, and that nothing has tried to read: whoever points an application at them will not get far."""

import posixpath
from collections.abc import Iterator

from kilde.core.basics.errors import InvalidInput, InvalidYaml, Place
from kilde.core.check.context import Context, Text
from kilde.core.check.finding import Problem, Severity
from kilde.core.check.rule import Rule
from kilde.core.objects.yaml_reader import read_documents
from kilde.core.source.tree import Tree

_YAML = (".yaml", ".yml")
_OTHERS = (
    "{{",
    "{%",
    "<%",
    "<<<<<<< ",
)  # a template, which is YAML only when it was filled in; a conflict, which another rule tells


def _judge(context: Context) -> Iterator[Problem]:
    known = {path for unit in context.rendering.units for path in unit.seen}
    known |= {error.place.file for error in context.rendering.unread if error.place is not None}
    for file in context.texts():
        if not file.path.endswith(_YAML) or file.path in known or any(word in file.text for word in _OTHERS):
            continue
        error = _error(file)
        if error is not None and not _is_in_chart(context.tree, file.path):
            place = error.place or Place(file.path)
            yield Problem(
                message=f"is not YAML: {error.what}",
                path=file.path,
                line=place.line,
                column=place.column,
                hint="mend it, or delete it if nobody needs it",
            )


def _error(file: Text) -> InvalidYaml | None:
    try:
        for _ in read_documents(file.text.encode(), file=file.path):
            pass
    except InvalidYaml as error:
        return error
    except InvalidInput:
        return None  # too large or too deep to be judged in passing
    return None


def _is_in_chart(tree: Tree, path: str) -> bool:
    """Whether helm is the one to read it."""
    folder = path
    while folder:
        folder = posixpath.dirname(folder)
        if tree.entry(posixpath.join(folder, "Chart.yaml")) is not None:
            return True
    return False


INVALID_YAML = Rule(
    id="invalid-yaml",
    title="not YAML, and read by nothing",
    severity=Severity.WARNING,
    docs="A .yaml or .yml file that no Application, kustomization or chart reads cannot be read: nobody would hear of it before one does. "
    "Files with marks of a template ({{, {%, <%) and files of charts are passed over.",
    judge=_judge,
)
