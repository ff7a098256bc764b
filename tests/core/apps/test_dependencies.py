"""Dependencies: how they are written, cycles and order of their graph, conditions and what those may cost, and the words for waiting."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.apps.application import read_application
from kilde.core.apps.dependencies.graph import cycle_through, cycles, ordered, reaches
from kilde.core.apps.dependencies.objects import ranks
from kilde.core.apps.dependencies.reading import ANNOTATION, MOST, Dependency, read
from kilde.core.apps.dependencies.waiting import application_lack, object_lack
from kilde.core.apps.dependencies.words import drawn_cycle, held_words, is_waiting_message, waiting_since, waiting_words
from kilde.core.apps.status import compared_to
from kilde.core.health.assess import assess
from kilde.core.objects.ref import ObjectRef

WEB = ObjectRef("apps", "Deployment", "shop", "web")


def test_one_item_a_line_or_between_commas() -> None:
    text = """
      app/db, app/cache@synced
      # what people write for people
      apps/Deployment shop/web@present on edge-1
      Namespace shop
      ConfigMap flags ready-when object.data.open in ['yes', 'oui']
    """
    assert read(text).problems == ()
    assert read(text).items == (
        Dependency(item=1, application="db"),
        Dependency(item=2, application="cache", until="synced"),
        Dependency(item=3, ref=WEB, until="present", cluster="edge-1"),
        Dependency(item=4, ref=ObjectRef("", "Namespace", "", "shop")),
        Dependency(item=5, ref=ObjectRef("", "ConfigMap", "", "flags"), ready="object.data.open in ['yes', 'oui']"),
    )


def test_an_application_of_another_namespace() -> None:
    text = "app/team-a/db@synced, app/team-a_db, app/argocd/db, app/argocd_db\napp/db"
    assert [(item.application, item.until) for item in read(text, "argocd").items] == [
        ("team-a_db", "synced"),
        ("team-a_db", ""),
        *3 * [("db", "")],
    ]
    assert [item.application for item in read("- {application: team-a/db}\n- app/db", "").items] == ["team-a_db", "db"]
    assert str(read("app/team-a/db", "argocd").items[0]) == "application team-a/db"
    assert read("app/team-a/b/c, app/-/b, app/a/_, app//b", "argocd").problems == (
        f"{ANNOTATION} item 1: 'app/team-a/b/c' is not understood (write app/[NAMESPACE/]NAME, or [GROUP/]KIND [NAMESPACE/]NAME)",
        f"{ANNOTATION} item 2: '-' is no namespace's name",
        f"{ANNOTATION} item 3: '_' is no application's name",
        f"{ANNOTATION} item 4: 'app//b' is not understood (write app/[NAMESPACE/]NAME, or [GROUP/]KIND [NAMESPACE/]NAME)",
    )


def test_a_list_in_yaml() -> None:
    text = """
      - app/db@healthy
      - {application: cache}
      - group: apps
        kind: Deployment
        namespace: shop
        name: web
        cluster: edge-1
        ready: object.status.readyReplicas >= 2
    """
    assert read(text).items == (
        Dependency(item=1, application="db", until="healthy"),
        Dependency(item=2, application="cache"),
        Dependency(item=3, ref=WEB, cluster="edge-1", ready="object.status.readyReplicas >= 2"),
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("db", " item 1: 'db' is not understood (write app/[NAMESPACE/]NAME, or [GROUP/]KIND [NAMESPACE/]NAME)"),
        ("app/db@redy", " item 1: until 'redy' is neither synced nor healthy"),
        ("apps/Deployment web@synced", " item 1: until 'synced' is neither present nor healthy"),
        ("app/db@", " item 1: nothing stands after '@'"),
        ("app/db ready-when true", " item 1: an application has no ready; of an application, until says what is waited for"),
        ("ConfigMap a ready-when", " item 1: nothing stands after 'ready-when'"),
        ("ConfigMap a@present ready-when true", " item 1: has both until and ready"),
        ("- {aplication: db}", " item 1: unknown field 'aplication' (did you mean 'application'?)"),
        ("- {kind: ConfigMap}", " item 1: names neither an application nor an object (name is missing)"
                                " (write app/[NAMESPACE/]NAME, or [GROUP/]KIND [NAMESPACE/]NAME)"),
        ("- {kind: 3, name: a}", " item 1: kind must be a string"),
        ("- 3", " item 1: must be a text or an object (write app/[NAMESPACE/]NAME, or [GROUP/]KIND [NAMESPACE/]NAME)"),
        ("app/a,app/a..", " item 2: 'a..' is no application's name"),
        (",".join(["app/a"] * (MOST + 1)), f": {MOST + 1} items, and {MOST} are the most"),
        ("app/a\n" * 10_000, ": longer than 16384 characters"),
        (f"ConfigMap a ready-when {'1' * 1001}", " item 1: its condition is longer than 1000 characters"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_item(text: str, problem: str) -> None:
    assert read(text).problems == (f"{ANNOTATION}{problem}",)


@given(st.text(max_size=200))
def test_reading_never_raises(text: str) -> None:
    found = read(text) if text.strip() else None
    assert found is None or len(found.items) <= MOST


NODES = "abcdefg"
graphs = st.dictionaries(st.sampled_from(NODES), st.lists(st.sampled_from(NODES), max_size=4), max_size=len(NODES)).map(
    lambda found: {node: found.get(node, []) for node in NODES}
)


def on_a_cycle(graph: dict[str, list[str]]) -> set[str]:
    """Warshall's way."""
    way = {(a, b) for a in graph for b in graph[a]}
    for middle in graph:
        way |= {(a, b) for a in graph for b in graph if (a, middle) in way and (middle, b) in way}
    return {node for node in graph if (node, node) in way}


@given(graphs)
def test_cycles_are_found_exactly_and_drawn_along_edges(graph: dict[str, list[str]]) -> None:
    knotted = on_a_cycle(graph)
    for node in graph:
        way = cycle_through(node, graph.__getitem__)
        assert bool(way) == (node in knotted) == reaches(node, node, graph.__getitem__)
        assert all(b in graph[a] for a, b in pairwise(way))
        assert not way or (way[0] == way[-1] == node and len(set(way)) == len(way) - 1)
    assert {node for way in cycles(graph) for node in way} <= knotted
    assert bool(cycles(graph)) == bool(knotted)


@given(graphs)
def test_the_order_is_topological_and_lacks_only_what_cycles_hold_up(graph: dict[str, list[str]]) -> None:
    depths = dict(ordered(graph))
    assert all(depths[target] < depths[node] for node in depths for target in graph[node])
    assert all(depths[node] == 1 + max((depths[t] for t in graph[node]), default=-1) for node in depths)
    knotted = on_a_cycle(graph)
    held_up = {node for node in graph if any(reaches(node, goal, graph.__getitem__) for goal in knotted)}
    assert graph.keys() - depths.keys() == held_up


def test_a_cycle_says_where_its_edges_stand() -> None:
    text = drawn_cycle(("a", "b", "a"), lambda a, b: f"item of {a} for {b}")
    assert text == "depends on itself: a → b → a (a: item of a for b; b: item of b for a)"


def _application(**status: Any) -> Any:
    source = {"repoURL": "https://git.example/x", "path": "a", "targetRevision": "main"}
    destination = {"server": "https://kubernetes.default.svc", "namespace": "x"}
    raw = {"metadata": {"name": "db"}, "spec": {"source": source, "destination": destination}, "status": status}
    app = read_application(raw)
    assert compared_to(app)
    return app


@pytest.mark.parametrize(
    ("status", "until", "lack"),
    [
        ({"sync": {"status": "Synced"}, "health": {"status": "Healthy"}}, "", ""),
        ({"sync": {"status": "OutOfSync"}, "health": {"status": "Healthy"}}, "", "is OutOfSync"),
        ({"sync": {"status": "OutOfSync"}, "health": {"status": "Healthy"}}, "healthy", ""),
        ({"sync": {"status": "Synced"}, "health": {"status": "Degraded"}}, "", "is Degraded"),
        ({"sync": {"status": "Synced"}, "health": {"status": "Degraded"}}, "synced", ""),
        ({"sync": {"status": "Synced"}, "operationState": {"phase": "Running"}}, "synced", "is being synced"),
        ({"sync": {"status": "Synced"}, "operationState": {"phase": "Failed"}}, "", "failed its last sync"),
        ({}, "", "is Unknown"),
    ],
)
def test_what_an_application_lacks(status: dict[str, Any], until: str, lack: str) -> None:
    assert application_lack(_application(**status), until, at_newest=True) == lack
    newest = "has yet to be compared with its newest revision"
    assert application_lack(_application(**status), until, at_newest=False) == newest
    assert application_lack(None, until, at_newest=True) == "does not exist"


def test_what_an_object_lacks() -> None:
    wanted = Dependency(item=1, ref=ObjectRef("", "ConfigMap", "", "a"))
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    assert object_lack(None, wanted, assess) == "does not exist"
    assert object_lack(body, wanted, assess) == ""
    going = {**body, "metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}
    assert object_lack(going, wanted, assess) == "is being deleted"
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {}, "status": {"phase": "Lost"}}
    assert object_lack(claim, wanted, assess).startswith("is Degraded")


def test_the_words_for_waiting_can_be_read_again() -> None:
    text = waiting_words({"application db": "is Progressing", "Namespace x": "does not exist"}, 1_700_000_000.0)
    assert (
        text
        == "waits since 2023-11-14T22:13:20Z for application db, which is Progressing; Namespace x, which does not exist"
    )
    assert is_waiting_message(text)
    assert waiting_since({"conditions": [{"type": "DependencyWaiting", "message": text}]}) == 1_700_000_000.0
    assert waiting_since({"conditions": [{"type": "DependencyWaiting", "message": "by hand"}]}) is None
    assert waiting_since({}) is None


def test_the_words_for_a_held_deletion() -> None:
    assert held_words(["a", "b"], []) == "deletion waits for a, b, which depend on it and are being deleted"
    assert held_words(["a"], ["b", "c"]) == (
        "deletion is held: b, c depend on it and stay (delete them too, take the dependency away, or annotate this one with "
        'kilde.dev/delete-despite-dependants: "true")'
    )


def test_objects_get_their_places_within_a_wave() -> None:
    a, b, c, d = (ObjectRef("", "ConfigMap", "shop", name) for name in "abcd")
    waves = {a: 0, b: 0, c: 0, d: -1}
    found = ranks({b: "ConfigMap a\nConfigMap shop/d", c: "ConfigMap b, ConfigMap a"}, waves, "shop")
    assert (dict(found.of), found.problems) == ({b: 1, c: 2}, ())
    later = ranks({d: "ConfigMap a"}, waves, "shop")
    assert later.problems == (
        "ConfigMap shop/d: kilde.dev/depends-on item 1: ConfigMap shop/a is in wave 0, after this one (-1)",
    )
    knotted = ranks({a: "ConfigMap b", b: "ConfigMap a", c: "ConfigMap a"}, waves, "shop")
    assert knotted.problems == (
        "kilde.dev/depends-on: objects wait for each other: ConfigMap shop/a → ConfigMap shop/b → ConfigMap shop/a",
    )
    assert dict(knotted.of) == {}
