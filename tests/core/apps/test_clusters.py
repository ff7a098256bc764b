"""Clusters: which one a destination means, in Argo CD's words where there is none."""

from kilde.core.apps.clusters import HOME, NOWHERE, UNTOLD, Clusters, KnownCluster

EAST = KnownCluster(name="east", server="https://east.example")
OTHER_EAST = KnownCluster(name="east", server="https://other.example")
RENAMED = KnownCluster(name="mine", server="https://kubernetes.default.svc")


def test_a_destination_is_found_by_server_or_name() -> None:
    clusters = Clusters(known=(EAST,))
    assert [clusters.find(*asked) for asked in (("https://east.example/", ""), ("", "east"))] == [(EAST, "")] * 2
    assert [clusters.find(*asked) for asked in ((HOME.server, ""), ("", "in-cluster"))] == [(HOME, "")] * 2
    renamed = Clusters(known=(RENAMED,))
    asked = ((HOME.server, ""), ("", "in-cluster"), ("", "mine"))
    assert [renamed.find(*each) for each in asked] == [(RENAMED, "")] * 3


def test_there_is_none_of_the_name_or_several_or_it_is_disabled_or_nobody_can_tell() -> None:
    not_found = 'error getting cluster by server "{0}": rpc error: code = NotFound desc = cluster "{0}" {1}'
    assert Clusters().find("", "east") == (NOWHERE, "there are no clusters with this name: east")
    assert Clusters().find(EAST.server, "") == (NOWHERE, not_found.format(EAST.server, "not found"))
    assert Clusters(known=(EAST, OTHER_EAST)).find("", "east") == (
        NOWHERE,
        "there are 2 clusters with the same name: [https://east.example https://other.example]",
    )
    closed = Clusters(known=(RENAMED,), in_cluster=False)
    assert closed.find(HOME.server, "") == (NOWHERE, not_found.format(HOME.server, "is disabled"))
    assert closed.find("", "mine") == (NOWHERE, "there are no clusters with this name: mine")
    unread = Clusters(problem="the cluster Secrets cannot be read: forbidden")
    words = "there are no clusters with this name: east (the cluster Secrets cannot be read: forbidden)"
    assert (unread.find("", "east"), unread.find("", "in-cluster")) == ((UNTOLD, words), (HOME, ""))


def test_a_secret_may_leave_most_of_a_cluster_out() -> None:
    some = KnownCluster(name="east", server=EAST.server, namespaces=("a", "b"))
    assert some.unmanaged("ConfigMap", "a", "x") == ""
    assert some.unmanaged("ConfigMap", "c", "x") == 'Namespace "c" for ConfigMap "x" is not managed'
    words = 'Cluster level ClusterRole "x" can not be managed when in namespaced mode'
    assert some.unmanaged("ClusterRole", "", "x") == words
    whole = KnownCluster(name="east", server=EAST.server, namespaces=("a",), cluster_resources=True)
    assert (whole.unmanaged("ClusterRole", "", "x"), EAST.unmanaged("ConfigMap", "c", "x")) == ("", "")
