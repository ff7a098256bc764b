"""The API server over HTTP: verbs, watches, who may ask, and how it begins and ends."""

import asyncio
import io
import json
import ssl
import stat
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
import yaml

from kilde.kubeapi.main import CannotServe, serve
from kilde.kubeapi.settings import Controllers, Settings
from kubeapi.client import APPLY, CONFIG_MAPS, MERGE, Client, config_map, running

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(kubeconfig=tmp_path / "kubeconfig", controllers=Controllers.OFF, tls=False)


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[Client]:
    async with running(settings) as found:
        yield found


async def test_an_object_is_created_read_changed_and_deleted(client: Client) -> None:
    status, made = await client.ask("POST", CONFIG_MAPS, config_map("c"))
    assert (status, made["data"], made["metadata"]["namespace"]) == (201, {"a": "1"}, "default")
    assert await client.ask("GET", f"{CONFIG_MAPS}/c") == (200, made)
    status, changed = await client.ask("PATCH", f"{CONFIG_MAPS}/c", {"data": {"b": "2"}}, content_type=MERGE)
    assert (status, changed["data"]) == (200, {"a": "1", "b": "2"})
    assert int(changed["metadata"]["resourceVersion"]) == int(made["metadata"]["resourceVersion"]) + 1
    status, gone = await client.ask("DELETE", f"{CONFIG_MAPS}/c")
    assert (status, gone["status"], gone["details"]["uid"]) == (200, "Success", made["metadata"]["uid"])
    assert (await client.ask("GET", f"{CONFIG_MAPS}/c"))[0] == 404


async def test_a_write_that_changes_nothing_writes_nothing(client: Client) -> None:
    _, made = await client.ask("POST", CONFIG_MAPS, config_map("c"))
    _, put = await client.ask("PUT", f"{CONFIG_MAPS}/c", config_map("c"))
    _, patched = await client.ask("PATCH", f"{CONFIG_MAPS}/c", {"data": {"a": "1"}}, content_type=MERGE)
    assert put == patched == made


async def test_a_stale_write_is_a_conflict(client: Client) -> None:
    _, made = await client.ask("POST", CONFIG_MAPS, config_map("c"))
    await client.ask("PUT", f"{CONFIG_MAPS}/c", config_map("c", "2"))
    status, refused = await client.ask("PUT", f"{CONFIG_MAPS}/c", {**made, "data": {"a": "3"}})
    assert (status, refused["reason"]) == (409, "Conflict")


async def test_a_dry_run_answers_and_stores_nothing(client: Client) -> None:
    status, made = await client.ask("POST", f"{CONFIG_MAPS}?dryRun=All", config_map("c"))
    assert (status, made["metadata"]["name"]) == (201, "c")
    assert (await client.ask("GET", f"{CONFIG_MAPS}/c"))[0] == 404


async def test_an_apply_owns_what_it_says_and_conflicts_about_the_rest(client: Client) -> None:
    path = f"{CONFIG_MAPS}/c?fieldManager="
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1"}}
    status, made = await client.ask("PATCH", f"{path}one", body, content_type=APPLY)
    assert (status, [entry["manager"] for entry in made["metadata"]["managedFields"]]) == (201, ["one"])
    status, refused = await client.ask("PATCH", f"{path}two", {**body, "data": {"a": "2"}}, content_type=APPLY)
    assert (status, refused["details"]["causes"][0]["field"]) == (409, ".data.a")
    status, forced = await client.ask(
        "PATCH", f"{path}two&force=true", {**body, "data": {"a": "2"}}, content_type=APPLY
    )
    assert (status, forced["data"]) == (200, {"a": "2"})


async def test_a_watch_shows_what_is_there_and_each_change_as_the_selector_sees_it(client: Client) -> None:
    await client.ask("POST", CONFIG_MAPS, config_map("there", app="x"))
    await client.ask("POST", CONFIG_MAPS, config_map("aside"))
    seen = []
    async with client.watch(f"{CONFIG_MAPS}?watch=1&labelSelector=app%3Dx&timeoutSeconds=20") as events:
        seen.append(await anext(events))
        await client.ask("PATCH", f"{CONFIG_MAPS}/aside", {"metadata": {"labels": {"app": "x"}}}, content_type=MERGE)
        await client.ask("PATCH", f"{CONFIG_MAPS}/aside", {"data": {"a": "9"}}, content_type=MERGE)
        await client.ask("PATCH", f"{CONFIG_MAPS}/aside", {"metadata": {"labels": None}}, content_type=MERGE)
        await client.ask("DELETE", f"{CONFIG_MAPS}/there")
        seen += [await anext(events) for _ in range(4)]
    assert [(event["type"], event["object"]["metadata"]["name"]) for event in seen] == [
        ("ADDED", "there"),
        ("ADDED", "aside"),
        ("MODIFIED", "aside"),
        ("DELETED", "aside"),
        ("DELETED", "there"),
    ]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in seen]
    assert versions == sorted(versions)


async def test_a_watch_goes_on_where_another_ended(client: Client) -> None:
    _, made = await client.ask("POST", CONFIG_MAPS, config_map("a"))
    await client.ask("POST", CONFIG_MAPS, config_map("b"))
    version = made["metadata"]["resourceVersion"]
    async with client.watch(f"{CONFIG_MAPS}?watch=1&resourceVersion={version}&timeoutSeconds=20") as events:
        event = await anext(events)
    assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "b")


async def test_a_watch_from_before_what_is_remembered_is_expired(settings: Settings, tmp_path: Path) -> None:
    kept = Settings(**{**{name: getattr(settings, name) for name in settings.__slots__}, "data_dir": tmp_path / "data"})
    async with running(kept) as client:
        _, made = await client.ask("POST", CONFIG_MAPS, config_map("a"))
    async with running(kept) as client:
        assert await client.ask("GET", f"{CONFIG_MAPS}/a") == (200, made)
        async with client.watch(
            f"{CONFIG_MAPS}?watch=1&resourceVersion={made['metadata']['resourceVersion']}"
        ) as events:
            event = await anext(events)
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


async def test_a_list_in_parts_is_of_one_moment(client: Client) -> None:
    for name in "abcde":
        await client.ask("POST", CONFIG_MAPS, config_map(name))
    names, token = [], ""
    for _ in range(3):
        _, page = await client.ask("GET", f"{CONFIG_MAPS}?limit=2&continue={token}")
        names += [item["metadata"]["name"] for item in page["items"]]
        token = page["metadata"].get("continue", "")
        await client.ask("DELETE", f"{CONFIG_MAPS}/{'edc'[len(names) // 2 - 1] if len(names) < 6 else 'a'}")
    assert (names, token) == (list("abcde"), "")


async def test_nobody_is_let_in_without_a_token_except_for_health(client: Client) -> None:
    async with aiohttp.ClientSession() as stranger:
        async with stranger.get(f"{client.url}/readyz") as answer:
            assert (answer.status, await answer.text()) == (200, "ok")
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic YTpi"}):
            async with stranger.get(f"{client.url}/api/v1/namespaces", headers=headers) as answer:
                assert answer.status == 401


async def test_an_impersonated_user_may_do_what_roles_say(client: Client) -> None:
    status, refused = await client.ask("GET", CONFIG_MAPS, impersonate_user="alice")
    assert (status, refused["reason"]) == (403, "Forbidden")
    group = "rbac.authorization.k8s.io"
    at = f"/apis/{group}/v1/namespaces/default"
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}
    role = {"apiGroup": group, "kind": "Role", "name": "r"}
    await client.ask("POST", f"{at}/roles", {"metadata": {"name": "r"}, "rules": [rule]})
    body = {
        "metadata": {"name": "b"},
        "roleRef": role,
        "subjects": [{"kind": "User", "name": "alice", "apiGroup": group}],
    }
    await client.ask("POST", f"{at}/rolebindings", body)
    assert (await client.ask("GET", CONFIG_MAPS, impersonate_user="alice"))[0] == 200
    assert (await client.ask("GET", f"{CONFIG_MAPS}/x", impersonate_user="alice"))[0] == 403


async def test_a_body_that_is_too_long_is_413(client: Client) -> None:
    status, refused = await client.ask("POST", CONFIG_MAPS, io.BytesIO(b'{"data":"' + b"x" * 3_200_000 + b'"}'))
    assert (status, refused["reason"]) == (413, "RequestEntityTooLarge")


async def test_custom_resources_are_served_as_soon_as_their_definition_is_established(client: Client) -> None:
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": {"n": {"type": "integer", "default": 3}}}},
    }
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    body = {"kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com"}, "spec": spec}
    assert (await client.ask("POST", crds, body))[0] == 201
    widgets = "/apis/example.com/v1/namespaces/default/widgets"
    widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"bogus": 1}}
    status, made = await client.ask("POST", widgets, widget)
    assert (status, made["spec"]) == (201, {"n": 3})
    status, refused = await client.ask("PATCH", f"{widgets}/w", {"spec": {"n": "x"}}, content_type=MERGE)
    assert (status, refused["details"]["causes"][0]["field"]) == (422, "spec.n")
    assert (await client.ask("DELETE", f"{crds}/widgets.example.com"))[0] == 200
    await asyncio.sleep(0.05)
    assert await client.ask("GET", widgets) == (404, "404 page not found\n")


async def test_nothing_is_made_of_a_definition_that_goes_while_the_request_comes(client: Client) -> None:
    names = {"plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetList"}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    body = {"kind": "CustomResourceDefinition", "metadata": {"name": "gadgets.example.com"}, "spec": spec}
    gadgets = "/apis/example.com/v1/namespaces/default/gadgets"
    await client.ask("POST", crds, body)

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"apiVersion":"example.com/v1","kind":"Gadget",'
        await client.ask("DELETE", f"{crds}/gadgets.example.com")
        while (await client.ask("GET", gadgets))[0] != 404:
            await asyncio.sleep(0.01)
        yield b'"metadata":{"name":"g"}}'

    headers = {"Content-Type": "application/json"}
    async with client.session.post(f"{client.url}{gadgets}", data=slowly(), headers=headers) as answer:
        refused = (answer.status, (await answer.json())["message"])
    await client.ask("POST", crds, body)
    status, listed = await client.ask("GET", gadgets)
    assert refused == (404, "the server could not find the requested resource")
    assert (status, listed["items"]) == (200, [])


async def test_owners_take_their_dependents_with_them_and_a_namespace_its_content(settings: Settings) -> None:
    moving = Settings(kubeconfig=settings.kubeconfig, controllers=Controllers.ON, tls=False)
    async with running(moving) as client:
        await client.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "n"}})
        at = "/api/v1/namespaces/n/configmaps"
        _, owner = await client.ask("POST", at, config_map("owner"))
        body = config_map("mine")
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
        body["metadata"]["ownerReferences"] = [reference]
        assert (await client.ask("POST", at, body))[0] == 201
        await client.ask("DELETE", f"{at}/owner")
        await eventually(client, f"{at}/mine", 404)
        await client.ask("POST", at, config_map("other"))
        status, namespace = await client.ask("DELETE", "/api/v1/namespaces/n")
        assert (status, namespace["status"]["phase"]) == (200, "Terminating")
        await eventually(client, "/api/v1/namespaces/n", 404)
        assert (await client.ask("GET", f"{at}/other"))[0] == 404


async def eventually(client: Client, path: str, status: int) -> None:
    until = time.monotonic() + 30
    while (await client.ask("GET", path))[0] != status:
        assert time.monotonic() < until, f"{path} does not become {status}"
        await asyncio.sleep(0.01)


async def test_it_ends_soon_though_watches_are_open(settings: Settings) -> None:
    async with running(settings) as client:
        answer = await client.session.get(f"{client.url}{CONFIG_MAPS}?watch=1")
        began = time.monotonic()
    assert time.monotonic() - began < 20
    answer.close()


async def test_tls_is_the_default_and_its_files_are_private(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", controllers=Controllers.OFF)
    async with serve(settings) as url:
        assert url.startswith("https://127.0.0.1:")
        config = yaml.safe_load((tmp_path / "data" / "kubeconfig").read_text())
        token = config["users"][0]["user"]["token"]
        pki = tmp_path / "data" / "pki"
        context = ssl.create_default_context(cafile=pki / "ca.crt")
        async with aiohttp.ClientSession() as session:
            headers = {"Authorization": f"Bearer {token}"}
            async with session.get(f"{url}/api/v1/namespaces", ssl=context, headers=headers) as answer:
                assert answer.status == 200
        context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        async with aiohttp.ClientSession() as session, session.get(f"{url}/api/v1/namespaces", ssl=context) as answer:
            assert answer.status == 200
        secret = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
        assert {stat.S_IMODE(path.stat().st_mode) for path in secret if not path.name.startswith("cluster.db-")} == {
            0o600
        }


async def test_a_port_that_is_taken_is_told_in_one_sentence(client: Client) -> None:
    port = int(client.url.rpartition(":")[2])
    with pytest.raises(CannotServe, match=rf"127\.0\.0\.1:{port}: cannot listen"):
        async with serve(Settings(port=port, tls=False)):
            pass


async def test_a_table_is_given_to_who_asks_for_one(client: Client) -> None:
    await client.ask("POST", CONFIG_MAPS, config_map("c"))
    _, table = await client.ask("GET", CONFIG_MAPS, accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert [row["cells"][:2] for row in table["rows"]] == [["c", 1]]


async def test_health_and_metrics_tell_how_it_is(client: Client) -> None:
    status, text = await client.ask("GET", "/readyz?verbose")
    assert status == 200
    assert text.endswith("readyz check passed\n")
    status, text = await client.ask("GET", "/metrics")
    assert status == 200
    assert 'apiserver_storage_objects{resource="namespaces"} 4.0' in text


async def test_metrics_are_set_back_where_somebody_deletes_them(client: Client) -> None:
    await client.ask("GET", "/api/v1/nodes")
    before = (await client.ask("GET", "/metrics"))[1]
    assert await client.ask("DELETE", "/metrics") == (200, "metrics reset\n")
    after = (await client.ask("GET", "/metrics"))[1]

    assert 'apiserver_request_total{code="200",verb="GET"}' in before
    assert 'apiserver_request_total{code="200",verb="GET"}' not in after


@pytest.mark.parametrize(
    ("mode", "healthy"),
    [
        (Controllers.OFF, ["etcd-0"]),
        (Controllers.ON, ["controller-manager", "etcd-0"]),
        (Controllers.SIMULATE, ["scheduler", "controller-manager", "etcd-0"]),
    ],
)
async def test_components_are_as_well_as_they_are_there(
    settings: Settings, mode: Controllers, healthy: list[str]
) -> None:
    async with running(replace(settings, controllers=mode)) as client:
        status, found = await client.ask("GET", "/api/v1/componentstatuses")
        one = await client.ask("GET", "/api/v1/componentstatuses/etcd-0")
        watch = await client.ask("GET", "/api/v1/componentstatuses?watch=1")

    assert (status, found["metadata"]) == (200, {})
    told = {item["metadata"]["name"]: item["conditions"][0] for item in found["items"]}
    assert [name for name, condition in told.items() if condition["status"] == "True"] == healthy
    assert all("connection refused" in told[name]["message"] for name in told.keys() - set(healthy))
    assert one[1]["conditions"] == [{"type": "Healthy", "status": "True", "message": "ok"}]
    assert (watch[0], watch[1]["reason"]) == (405, "MethodNotAllowed")


async def test_a_namespace_without_a_name_holds_nothing(client: Client) -> None:
    path = "/api/v1/namespaces//configmaps"
    assert (await client.ask("POST", CONFIG_MAPS, config_map("a")))[0] == 201
    listed = await client.ask("GET", path)
    told = {
        method: (await client.ask(method, where, body))
        for method, where, body in (
            ("POST", path, config_map("b")),
            ("GET", f"{path}/a", None),
            ("PUT", f"{path}/a", config_map("a")),
            ("DELETE", path, None),
        )
    }

    assert "a" in [item["metadata"]["name"] for item in listed[1]["items"]]
    assert (told["POST"][0], told["POST"][1]["details"]["causes"][0]["field"]) == (422, "metadata.namespace")
    for method in ("GET", "PUT", "DELETE"):
        assert (told[method][0], told[method][1]["message"]) == (400, "Namespace parameter required.")


async def test_a_hostile_body_is_refused_and_the_server_goes_on(client: Client) -> None:
    for body in (
        b"[" * 200_000,
        b'{"metadata":{"name":' * 20_000,
        b"\xff",
        b'{"metadata":{"name":"../../x"}}',
        b"null",
        b"3",
    ):
        status, answer = await client.ask("POST", CONFIG_MAPS, body)
        assert 400 <= status < 500, (body[:20], answer)
    assert (await client.ask("GET", CONFIG_MAPS))[0] == 200
    assert json.dumps(await client.ask("GET", f"{CONFIG_MAPS}/..%2f..%2fetc"))
