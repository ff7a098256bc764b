"""The tree of who waits for whom, drawn: as text, as Mermaid, and as DOT. What is waited for hangs below who waits."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from kilde.core.apps.application import Application
from kilde.core.apps.clusters import IN_CLUSTER, IN_CLUSTER_NAME
from kilde.core.apps.dependencies.graph import reaches
from kilde.core.apps.dependencies.reading import depends_on
from kilde.core.apps.names import said
from kilde.core.objects.ref import ObjectRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An application, or an object of none. `below`: what it waits for, each with what is asked of it."""

    name: str
    state: str = ""
    below: tuple[tuple[str, str], ...] = ()


def nodes_of(
    apps: Iterable[Application], owners: Mapping[tuple[str, ObjectRef], str], states: Mapping[str, str]
) -> list[Node]:
    """A node for each application that waits or is waited for, and for objects of none. `owners`: whose an object of a server is."""
    below: dict[str, dict[str, str]] = {}
    for app in sorted(apps, key=lambda one: one.name):
        for item in depends_on(app.annotations, app.home).items:
            name, asked = said(item.application), item.until
            if item.ref is not None:
                owner = said(_owner(app, item.ref, item.cluster, owners))
                name = owner or str(item)
                what = str(item) if owner else ""
                asked = ", ".join(filter(None, (what and f"for {what}", item.until, item.ready)))
            below.setdefault(said(app.name), {})[name] = asked
    names = dict.fromkeys((*below, *(name for targets in below.values() for name in targets)))
    return [
        Node(name=name, state=states.get(name, ""), below=tuple(below.get(name, {}).items())) for name in sorted(names)
    ]


def _owner(app: Application, ref: ObjectRef, cluster: str, owners: Mapping[tuple[str, ObjectRef], str]) -> str:
    """Whose an object of that cluster, or of the application's own, is; "" where it is nobody's."""
    where = _known_as(cluster) if cluster else cluster_of(app)
    refs = (ref, ref if ref.namespace else replace(ref, namespace=app.destination.namespace))
    return next((owners[key] for one in refs if (key := (where, one)) in owners), "")


def cluster_of(app: Application) -> str:
    """The cluster of an application, as it names it."""
    return _known_as(app.destination.name) or app.destination.server


def _known_as(name: str) -> str:
    return IN_CLUSTER if name == IN_CLUSTER_NAME else name


def under(nodes: Sequence[Node], name: str) -> list[Node]:
    """The nodes that a node reaches, itself first."""
    known = {node.name: node for node in nodes}
    found, left = dict[str, Node](), [name]
    while left:
        node = known.get(left.pop())
        if node is not None and node.name not in found:
            found[node.name] = node
            left += [target for target, _ in node.below]
    return list(found.values())


def tree(nodes: Sequence[Node], top: str = "") -> list[str]:
    """Lines; those that nobody waits for stand at the left. What was drawn before is not drawn again, and a cycle says so."""
    known = {node.name: node for node in nodes}
    waited_for = {target for node in nodes for target, _ in node.below}
    lines: list[str] = []
    drawn: set[str] = set()

    def draw(name: str, asked: str, way: tuple[str, ...], lead: str, stem: str) -> None:
        node = known[name]
        told = [node.state, f"({asked})" if asked else ""]
        told.append("← waits for itself" if name in way else "… as above" if name in drawn and node.below else "")
        lines.append("  ".join((lead + name, *filter(None, told))))
        if name in way or name in drawn:
            return
        drawn.add(name)
        for number, (target, wanted) in enumerate(node.below, 1):
            last = number == len(node.below)
            draw(target, wanted, (*way, name), stem + ("└─ " if last else "├─ "), stem + ("   " if last else "│  "))

    first = [name for name in known if name not in waited_for]
    knotted = [name for name in known if known[name].below]
    for name in [top] if top else [*first, *knotted]:
        if name not in drawn:
            draw(name, "", (), "", "")
    return lines


def mermaid(nodes: Sequence[Node]) -> list[str]:
    """A flowchart; edges of cycles are dotted."""
    numbers = {node.name: f"n{number}" for number, node in enumerate(nodes)}
    lines = ["flowchart TD"]
    for node in nodes:
        label = "<br/>".join(filter(None, (node.name, node.state)))
        lines.append(f"  {numbers[node.name]}[{_mermaid(label)}]")
    for node, target, asked in _edges(nodes):
        arrow = "-.->" if _is_of_a_cycle(nodes, node.name, target) else "-->"
        lines.append(f"  {numbers[node.name]} {arrow}{f'|{_mermaid(asked)}|' if asked else ''} {numbers[target]}")
    return lines


def _mermaid(text: str) -> str:
    return '"' + text.replace("&", "#amp;").replace('"', "#quot;") + '"'


def dot(nodes: Sequence[Node]) -> list[str]:
    """A digraph for Graphviz; edges of cycles are red."""
    lines = ["digraph dependencies {"]
    for node in nodes:
        label = "\n".join(filter(None, (node.name, node.state)))
        lines.append(f"  {json.dumps(node.name)} [label={json.dumps(label, ensure_ascii=False)}];")
    for node, target, asked in _edges(nodes):
        marks = [f"label={json.dumps(asked, ensure_ascii=False)}"] if asked else []
        marks += ["color=red"] if _is_of_a_cycle(nodes, node.name, target) else []
        shown = f" [{', '.join(marks)}]" if marks else ""
        lines.append(f"  {json.dumps(node.name)} -> {json.dumps(target)}{shown};")
    return [*lines, "}"]


def _edges(nodes: Sequence[Node]) -> Iterable[tuple[Node, str, str]]:
    return ((node, target, asked) for node in nodes for target, asked in node.below)


def _is_of_a_cycle(nodes: Sequence[Node], name: str, target: str) -> bool:
    below = {node.name: [one for one, _ in node.below] for node in nodes}
    return name == target or reaches(target, name, lambda node: below.get(node, ()))
