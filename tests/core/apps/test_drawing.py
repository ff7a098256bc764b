"""Drawings of who waits for whom: whole outputs."""

from typing import Any

from kilde.core.apps.application import Application, read_application
from kilde.core.apps.dependencies.drawing import Node, dot, mermaid, nodes_of, tree, under
from kilde.core.objects.ref import ObjectRef

CRD = ObjectRef("apiextensions.k8s.io", "CustomResourceDefinition", "", "certificates.example.com")


def application(name: str, depends: str = "") -> Application:
    meta: dict[str, Any] = {"name": name, "annotations": {"kilde.dev/depends-on": depends}}
    return read_application({"metadata": meta, "spec": {}})


def fleet() -> list[Node]:
    apps = [
        application("shop", "app/db\napp/certs@synced"),
        application("db", "apiextensions.k8s.io/CustomResourceDefinition certificates.example.com"),
        application("certs"),
        application("alone"),
        application("left", "app/right"),
        application("right", 'app/left\nConfigMap shop/flags ready-when object.data.open == "yes"'),
    ]
    return nodes_of(apps, {("", CRD): "certs"}, {"shop": "OutOfSync, Missing, waits 2m", "db": "Synced, Progressing"})


def test_the_tree() -> None:
    assert "\n".join(tree(fleet())) == """\
shop  OutOfSync, Missing, waits 2m
├─ db  Synced, Progressing
│  └─ certs  (for apiextensions.k8s.io/CustomResourceDefinition certificates.example.com)
└─ certs  (synced)
left
└─ right
   ├─ left  ← waits for itself
   └─ ConfigMap shop/flags  (object.data.open == "yes")"""  # fmt: skip


def test_those_of_other_namespaces_have_theirs_before_their_name() -> None:
    def at(namespace: str, depends: str = "") -> Application:
        meta: dict[str, Any] = {
            "name": "shop",
            "namespace": namespace,
            "annotations": {"kilde.dev/depends-on": depends},
        }
        return read_application({"metadata": meta, "spec": {}}, home="argocd")

    apps = [at("team-a", "app/shop\nConfigMap x/y"), at("argocd", "app/team-b/shop"), at("team-b")]
    owners = {("", ObjectRef("", "ConfigMap", "x", "y")): "team-b_shop"}
    assert tree(nodes_of(apps, owners, {"team-b/shop": "Synced"})) == [
        "team-a/shop",
        "├─ shop",
        "│  └─ team-b/shop  Synced",
        "└─ team-b/shop  Synced  (for ConfigMap x/y)",
    ]


def test_an_object_of_another_cluster_is_drawn_as_whose_it_is_there() -> None:
    def at(name: str, cluster: str, depends: str = "") -> Application:
        meta: dict[str, Any] = {"name": name, "annotations": {"kilde.dev/depends-on": depends}}
        return read_application({"metadata": meta, "spec": {"destination": {"name": cluster, "namespace": "x"}}})

    flags = ObjectRef("", "ConfigMap", "x", "flags")
    owners = {("west", flags): "base", ("https://kubernetes.default.svc", flags): "home"}
    apps = [
        at("front", "in-cluster", "ConfigMap flags on west, ConfigMap x/flags on east"),
        at("edge", "west", "ConfigMap x/flags@present on in-cluster"),
    ]
    assert tree(nodes_of(apps, owners, {})) == [
        "edge",
        "└─ home  (for ConfigMap x/flags on in-cluster, present)",
        "front",
        "├─ base  (for ConfigMap flags on west)",
        "└─ ConfigMap x/flags on east",
    ]


def test_the_tree_below_one() -> None:
    assert tree(under(fleet(), "db"), "db") == [
        "db  Synced, Progressing",
        "└─ certs  (for apiextensions.k8s.io/CustomResourceDefinition certificates.example.com)",
    ]


def test_what_was_drawn_is_not_drawn_again() -> None:
    nodes = nodes_of([application("a", "app/b,app/c"), application("b", "app/c"), application("c", "app/d")], {}, {})
    assert tree(nodes) == ["a", "├─ b", "│  └─ c", "│     └─ d", "└─ c  … as above"]


def test_mermaid() -> None:
    assert "\n".join(mermaid(under(fleet(), "right"))) == """\
flowchart TD
  n0["right"]
  n1["ConfigMap shop/flags"]
  n2["left"]
  n0 -.-> n2
  n0 -->|"object.data.open == #quot;yes#quot;"| n1
  n2 -.-> n0"""  # fmt: skip


def test_dot() -> None:
    assert "\n".join(dot(under(fleet(), "shop"))) == """\
digraph dependencies {
  "shop" [label="shop\\nOutOfSync, Missing, waits 2m"];
  "certs" [label="certs"];
  "db" [label="db\\nSynced, Progressing"];
  "shop" -> "db";
  "shop" -> "certs" [label="synced"];
  "db" -> "certs" [label="for apiextensions.k8s.io/CustomResourceDefinition certificates.example.com"];
}"""  # fmt: skip
