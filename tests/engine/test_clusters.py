"""Several clusters: applications go to the one that their destination names, and one that is away slows nobody else."""

import asyncio
from collections.abc import Mapping
from typing import Any

from engine.world import APPLICATIONS, SECRETS, Play, config_map, play
from kilde.core.basics.errors import ClusterError
from kilde.core.objects.ref import ObjectRef
from kilde.testing.cluster import FakeCluster

EAST, WEST = "https://east.example", "https://west.example:6443"
AUTO = {"automated": {"prune": True, "selfHeal": True}}


def _data(cluster: FakeCluster, name: str, namespace: str = "shop") -> Mapping[str, str] | None:
    body = cluster.objects().get(ObjectRef("", "ConfigMap", namespace, name))
    return None if body is None else body["data"]


async def _two(one: Play) -> tuple[FakeCluster, FakeCluster]:
    """East and west, each with its Secret."""
    east, west = await one.another_cluster(EAST), await one.another_cluster(WEST)
    await one.cluster_secret("cluster-east", name="east", server=EAST, config="{}")
    await one.cluster_secret("cluster-west", name="west", server=f"{WEST}/", config="{}")
    return east, west


async def _application(one: Play, application: str, /, **destination: str) -> None:
    policy = {**AUTO, "syncOptions": ["CreateNamespace=true"]}
    await one.application(application, destination={"namespace": "shop", **destination}, syncPolicy=policy)


def test_each_application_lands_in_the_cluster_that_its_destination_names() -> None:
    async def story() -> None:
        async with play() as one:
            east, west = await _two(one)
            await one.commit(a=config_map("a", k="1"))
            await _application(one, "in-east", server=EAST)
            await _application(one, "in-west", name="west")
            await _application(one, "at-home", name="in-cluster")
            for name in ("in-east", "in-west", "at-home"):
                await one.until(lambda name=name: one.sync(name) == "Synced", f"{name} in step")
            marks = [
                cluster.objects()[ObjectRef("", "ConfigMap", "shop", "a")]["metadata"]["annotations"]
                for cluster in (east, west, one.cluster)
            ]
            assert [mark["argocd.argoproj.io/tracking-id"] for mark in marks] == [
                "in-east:/ConfigMap:shop/a",
                "in-west:/ConfigMap:shop/a",
                "at-home:/ConfigMap:shop/a",
            ]
            opened = {
                r.body["application"]: r.body["destination"] for r in one.records.read() if "destination" in r.body
            }
            assert opened == {
                "argocd/in-east": {"server": EAST, "namespace": "shop"},
                "argocd/in-west": {"server": WEST, "namespace": "shop"},
                "argocd/at-home": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
            }
            resource = next(k for k in (await west.discovery()).all() if k.kind == "ConfigMap")
            await west.patch(resource, "shop", "a", {"data": {"k": "by hand"}}, manager="kubectl-edit")
            await one.until(lambda: _data(west, "a") == {"k": "1"}, "healed in the west")
            await one.commit(b=config_map("b"))
            await one.until(lambda: _data(east, "a") is None and _data(east, "b"), "pruned in the east")
            await one.cluster.delete(APPLICATIONS, "argocd", "in-east")
            await one.until(lambda: _data(east, "b") is None, "deleted with its application")
            await one.until(lambda: _data(west, "b") is not None, "the others stay")

    asyncio.run(story())


def test_a_destination_that_is_no_cluster_is_refused_in_argocds_words() -> None:
    async def story() -> None:
        async with play() as one:
            await _two(one)
            await one.cluster_secret("cluster-twin", name="east", server="https://twin.example", config="{}")
            await one.commit(a=config_map("a"))
            asked: dict[str, dict[str, Any]] = {
                "by-name": {"name": "north"},
                "by-server": {"server": "https://north.example"},
                "both": {"name": "west", "server": WEST},
                "neither": {},
                "twins": {"name": "east"},
            }
            for name, destination in asked.items():
                await _application(one, name, **destination)
            for name in asked:
                await one.until(lambda name=name: one.conditions(name), name)
            assert {name: one.conditions(name) for name in asked} == {
                "by-name": ["InvalidSpecError: there are no clusters with this name: north"],
                "by-server": [
                    'InvalidSpecError: error getting cluster by server "https://north.example": rpc error: '
                    'code = NotFound desc = cluster "https://north.example" not found'
                ],
                "both": [
                    f"InvalidSpecError: application destination can't have both name and server defined: west {WEST}"
                ],
                "neither": ["InvalidSpecError: Destination server missing from app spec"],
                "twins": [f"InvalidSpecError: there are 2 clusters with the same name: [{EAST} https://twin.example]"],
            }
            assert one.opened == []

    asyncio.run(story())


def test_a_removed_secret_deletes_nothing_and_one_that_comes_back_is_taken_up() -> None:
    async def story() -> None:
        async with play() as one:
            _, west = await _two(one)
            await one.commit(a=config_map("a", k="1"))
            await _application(one, "in-west", name="west")
            await one.until(lambda: one.sync("in-west") == "Synced")
            await one.cluster.delete(SECRETS, "argocd", "cluster-west")
            await one.until(lambda: one.sync("in-west") == "Unknown", "told that there is no such cluster")
            assert one.conditions("in-west") == ["InvalidSpecError: there are no clusters with this name: west"]
            assert [entry["name"] for entry in one.status("in-west")["resources"]] == ["a"]
            assert _data(west, "a") == {"k": "1"}
            await one.cluster_secret("cluster-west", name="west", server=WEST, config='{"bearerToken": "new"}')
            await one.commit(a=config_map("a", k="2"))
            await one.until(lambda: _data(west, "a") == {"k": "2"}, "taken up again")
            await one.until(lambda: one.sync("in-west") == "Synced")
            assert one.opened == [WEST, WEST]

    asyncio.run(story())


def test_an_application_of_no_cluster_can_be_deleted_and_its_objects_stay() -> None:
    async def story() -> None:
        async with play() as one:
            _, west = await _two(one)
            await one.commit(a=config_map("a", k="1"))
            await _application(one, "in-west", name="west")
            await one.until(lambda: one.sync("in-west") == "Synced")
            await one.cluster.delete(SECRETS, "argocd", "cluster-west")
            await one.until(lambda: one.sync("in-west") == "Unknown")
            await one.cluster.delete(APPLICATIONS, "argocd", "in-west")
            gone = ObjectRef("argoproj.io", "Application", "argocd", "in-west")
            await one.until(lambda: gone not in one.cluster.objects(), "the finalizer is let go")
            assert _data(west, "a") == {"k": "1"}

    asyncio.run(story())


def test_a_cluster_that_refuses_or_swallows_everything_slows_nobody_else() -> None:
    async def story() -> None:
        async with play(parallel_passes=2) as one:
            east, west = await _two(one)
            await one.commit(a=config_map("a", k="1"))
            for number in range(6):
                await _application(one, f"east-{number}", server=EAST, namespace=f"shop-{number}")
            await _application(one, "in-west", name="west")
            await _application(one, "at-home", name="in-cluster")
            names = [*(f"east-{number}" for number in range(6)), "in-west", "at-home"]
            await one.until(lambda: all(one.sync(name) == "Synced" for name in names), "all in step")
            never = asyncio.Event()
            east.hold = lambda verb, ref: never  # takes every request and never answers
            east.drop_watches()
            await one.commit(a=config_map("a", k="2"))
            await one.until(lambda: _data(west, "a") == {"k": "2"} and one.data("a") == {"k": "2"}, "the others go on")
            await one.until(lambda: all(one.sync(f"east-{n}") == "Unknown" for n in range(6)), "the east's say so")
            assert one.conditions("east-0") == [
                "ComparisonError: Failed to load live state: cluster east (https://east.example): "
                "no answer from https://east.example within 0.2 s"
            ]
            west.refuse = lambda verb, ref: ClusterError(f"cannot connect to {WEST}: refused", reason="Unreachable")
            await one.commit(a=config_map("a", k="3"))
            await one.until(lambda: one.data("a") == {"k": "3"}, "home goes on")
            await one.until(lambda: one.sync("in-west") == "Unknown", "the west says so")
            never.set()
            east.hold = west.refuse = None
            last = {"k": "3"}
            await one.until(lambda: _data(west, "a") == last == _data(east, "a", "shop-5"), "all is well again")
            await one.until(lambda: all(one.sync(name) == "Synced" and not one.conditions(name) for name in names))

    asyncio.run(story())


def test_an_application_that_moves_leaves_what_it_had_where_it_was() -> None:
    async def story() -> None:
        async with play() as one:
            east, west = await _two(one)
            await one.commit(a=config_map("a", k="1"))
            await _application(one, "shop", server=EAST)
            await one.until(lambda: one.sync() == "Synced")
            await one.patch_application({"spec": {"destination": {"server": WEST}}})
            await one.until(lambda: _data(west, "a") == {"k": "1"} and one.sync() == "Synced", "is in the west")
            assert _data(east, "a") == {"k": "1"}
            await one.commit(a=config_map("a", k="2"))
            await one.until(lambda: _data(west, "a") == {"k": "2"})
            assert _data(east, "a") == {"k": "1"}

    asyncio.run(story())


def test_a_secret_says_which_namespaces_are_looked_at_and_settings_whether_home_is() -> None:
    async def story() -> None:
        async with play() as one:
            await one.another_cluster(EAST)
            await one.cluster_secret("cluster-east", name="east", server=EAST, config="{}", namespaces="other, shop2")
            await one.cluster_secret("here", name="mine", server="https://kubernetes.default.svc", config="{}")
            await one.commit(a=config_map("a"))
            await _application(one, "in-east", server=EAST)
            await _application(one, "renamed", name="mine")
            await one.until(lambda: one.sync("renamed") == "Synced", "home by its own name")
            await one.until(lambda: one.conditions("in-east"), "outside of its namespaces")
            assert one.conditions("in-east") == [
                'ComparisonError: Failed to load live state: Namespace "shop" for ConfigMap "a" is not managed'
            ]
            maps = next(k for k in (await one.cluster.discovery()).all() if k.kind == "ConfigMap")
            body = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "argocd-cm", "namespace": "argocd"},
                "data": {"cluster.inClusterEnabled": "false"},
            }
            await one.cluster.create(maps, body, manager="person")
            await one.until(lambda: one.sync("renamed") == "Unknown", "home is closed")
            assert one.conditions("renamed") == ["InvalidSpecError: there are no clusters with this name: mine"]
            assert one.opened == [EAST]

    asyncio.run(story())


def test_a_project_permits_clusters_by_name_and_server_and_may_ask_for_its_own() -> None:
    async def story() -> None:
        async with play() as one:
            await one.another_cluster(EAST)
            await one.another_cluster(WEST)
            await one.cluster_secret("cluster-east", name="east", server=EAST, config="{}", project="team")
            await one.cluster_secret("cluster-west", name="west", server=WEST, config="{}")
            projects = next(k for k in (await one.cluster.discovery()).all() if k.kind == "AppProject")
            body = {
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "AppProject",
                "metadata": {"name": "team", "namespace": "argocd"},
                "spec": {
                    "sourceRepos": ["*"],
                    "destinations": [
                        {"name": "*", "namespace": "shop"},
                        {"server": "!https://west*", "namespace": "*"},
                    ],
                },
            }
            await one.cluster.create(projects, body, manager="person")
            await one.commit(a=config_map("a"))
            for name, server in (("in-east", EAST), ("in-west", WEST)):
                spec = {"destination": {"server": server, "namespace": "shop"}, "syncPolicy": AUTO, "project": "team"}
                await one.application(name, **spec)
            await one.until(lambda: one.sync("in-east") == "Synced", "permitted by its name")
            await one.until(lambda: one.conditions("in-west"), "denied by its server")
            await one.cluster.patch(
                projects,
                "argocd",
                "team",
                {
                    "spec": {
                        "destinations": [{"name": "*", "namespace": "shop"}],
                        "permitOnlyProjectScopedClusters": True,
                    }
                },
                manager="person",
            )
            await one.quiet(0.2)
            assert one.conditions("in-west") == [
                f"InvalidSpecError: application destination server '{WEST}' and namespace 'shop' do not match any of the "
                "allowed destinations in project 'team'"
            ]
            await one.cluster_secret("cluster-west", name="west", server=WEST, config="{}", project="team")
            await one.until(lambda: one.sync("in-west") == "Synced", "its own by now")

    asyncio.run(story())


def test_an_application_waits_for_one_of_another_cluster_and_goes_before_it() -> None:
    async def story() -> None:
        async with play() as one:
            east, west = await _two(one)
            await one.commit(a=config_map("a"))
            await _application(one, "in-east", name="east")
            await one.until(lambda: one.sync("in-east") == "Synced", "the first commit, which waits for nobody")
            note = {"metadata": {"annotations": {"kilde.dev/depends-on": "app/in-west"}}}
            await one.patch_application(note, "in-east")
            fleet = one.controller.context.fleet
            await one.until(lambda: (app := fleet.get("in-east")) and app.annotations, "is known to wait")
            await one.commit(a=config_map("a", k="2"))
            await one.until(lambda: any("in-west, which does not exist" in text for text in one.conditions("in-east")))
            await _application(one, "in-west", name="west")
            await one.until(lambda: _data(east, "a") == {"k": "2"} and not one.conditions("in-east"), "goes on")
            for name in ("in-west", "in-east"):
                await one.cluster.delete(APPLICATIONS, "argocd", name)
            await one.until(lambda: _data(east, "a") is None or _data(west, "a") is None, "one of them goes")
            assert _data(west, "a") == {"k": "2"}
            await one.until(lambda: _data(west, "a") is None, "and then the other one")

    asyncio.run(story())


def test_an_application_waits_for_an_object_of_another_cluster() -> None:
    async def story() -> None:
        async with play() as one:
            _, west = await _two(one)
            await _application(one, "in-east", name="east")
            note = {"metadata": {"annotations": {"kilde.dev/depends-on": "ConfigMap shop/ready on west"}}}
            await one.patch_application(note, "in-east")
            fleet = one.controller.context.fleet
            await one.until(lambda: (app := fleet.get("in-east")) and app.annotations, "is known to wait")
            await one.commit(a=config_map("a"))
            await one.until(lambda: any("DependencyWaiting" in text for text in one.conditions("in-east")), "waits")
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ready", "namespace": "shop"}}
            maps = next(k for k in (await west.discovery()).all() if k.kind == "ConfigMap")
            await west.create(maps, body, manager="person")
            await one.until(lambda: not one.conditions("in-east") and one.sync("in-east") == "Synced", "goes on")

    asyncio.run(story())
