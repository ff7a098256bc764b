"""Places, references, rules and settings of Vault: what is written reads, what is hostile is refused, no name widens a rule."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.reading import Reader
from kilde.core.health.checks import vault_secret
from kilde.core.secrets.key_home import KeyHome, read_key_home
from kilde.core.secrets.vault.place import Place, read_place
from kilde.core.secrets.vault.reference import Reference, read_reference
from kilde.core.secrets.vault.rules import Rule, default_reads, permits, read_rules
from kilde.core.secrets.vault.settings import Login, from_environment, read_settings
from kilde.core.secrets.vault.vault_secret import read_vault_secret, status_after

PART = st.text("abcXYZ019_-", min_size=1, max_size=8)
PATH = st.lists(PART, min_size=1, max_size=4).map("/".join)
DNS_LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True)


@given(mount=PART, name=PATH, key=st.text("abc.-_@#/ é", min_size=1, max_size=9), version=st.integers(0, 999_999_999))
def test_a_reference_reads_as_it_was_written(mount: str, name: str, key: str, version: int) -> None:
    text = f"vault:{mount}/{name}#{key}" + (f"@{version}" if version else "")
    assert read_reference(text, about="x") == Reference(Place(mount, name), key, version)


@pytest.mark.parametrize(
    "path",
    [
        "secret/../sys", "secret/./x", "/secret/x", "secret//x", "secret/x/", "secret/%2e%2e/x", "secret/x?version=1", "secret/x\n",
        "secret/…/x", "secret/*", "secret/ x", "", "secret", "secret/" + "a" * 600, "secret/x;y", "secret\\x/y",
    ],
)  # fmt: skip
def test_a_path_that_could_be_read_otherwise_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput):
        read_place(path, about="x")
    with pytest.raises(InvalidInput):
        read_reference(f"vault:{path}#k", about="x")


@pytest.mark.parametrize(
    "text",
    [
        "vault:secret/x",
        "vault:secret/x#",
        "vault:secret/x#k@0",
        "vault:secret/x#@3",
        "Vault:secret/x#k",
        "vault:secret/x#k\x00",
        "vault:secret/x#k@9999999999",
    ],
)
def test_a_reference_without_a_key_or_with_a_wrong_version_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_reference(text, about="x")


def test_a_mount_with_slashes_is_known_by_the_settings() -> None:
    mounts = ["team", "team/kv", "team/kv/deep"]
    places = [read_place(f"team/{rest}", mounts, about="x") for rest in ("kv/a/b", "kv/deep/a", "kvx/a", "a")]
    assert places == [Place("team/kv", "a/b"), Place("team/kv/deep", "a"), Place("team", "kvx/a"), Place("team", "a")]


@given(name=DNS_LABEL, other=DNS_LABEL, rest=PATH)
def test_by_default_a_namespace_reads_below_its_name_and_nowhere_else(name: str, other: str, rest: str) -> None:
    asked = [Place("secret", f"{other}/{rest}"), Place("secret", name), Place("kv", f"{name}/{rest}")]
    found = [permits(default_reads(), place, word="namespace", name=name) for place in asked]
    assert found == [name == other, False, False]


@pytest.mark.parametrize(
    ("who", "pattern", "name", "path", "may"),
    [
        ("*", "secret/{namespace}/**", "shop", "secret/shop/a/b", True),
        ("*", "secret/{namespace}/*", "shop", "secret/shop/a", True),
        ("*", "secret/{namespace}/*", "shop", "secret/shop/a/b", False),
        ("*", "secret/{namespace}-*/db", "shop", "secret/shop-x/db", True),
        ("*", "secret/{namespace}-*/db", "shop", "secret/shopx/db", False),
        ("*", "secret/team/db", "shop", "secret/team/db", True),
        ("shop-*", "secret/team/**", "shop-a", "secret/team/db", True),
        ("shop-*", "secret/team/**", "bank", "secret/team/db", False),
        ("*", "secret/*/db", "shop", "secret/bank/db", True),
        ("*", "secret/{namespace}/**", "*", "secret/shop/a", False),
        ("*", "secret/{namespace}/**", "**", "secret/shop/a", False),
    ],
)
def test_rules(who: str, pattern: str, name: str, path: str, may: bool) -> None:
    place = read_place(path, about="x")
    assert permits([Rule((who,), (pattern,))], place, word="namespace", name=name) is may


@pytest.mark.parametrize(
    "path", ["secret/**/db", "secret/a*b", "secret//x", "secret/{project}/x", "*/x", "**", "secret/a**"]
)
def test_a_pattern_that_says_more_than_it_seems_is_refused(path: str) -> None:
    at = Reader({"reads": [{"namespaces": ["*"], "paths": [path]}]}, "vault")
    read_rules(at, "reads", who="namespaces", word="namespace", default=())
    assert at.problems


FILE: dict[str, Any] = {
    "address": "https://vault.example:8200/",
    "caFile": "ca.pem",
    "namespace": "team/",
    "auth": {"method": "kubernetes", "role": "kilde"},
    "reads": [],
}


def test_settings() -> None:
    found = read_settings(FILE, about="vault.yaml")
    assert (found.address, found.namespace, found.ca_file, found.reads) == (
        "https://vault.example:8200",
        "team",
        "ca.pem",
        (),
    )
    assert found.login == Login(
        method="kubernetes",
        mount="kubernetes",
        role="kilde",
        token_file="/var/run/secrets/kubernetes.io/serviceaccount/token",
    )
    variables = {"VAULT_ADDR": "https://v:1", "VAULT_TOKEN": " c4nary ", "VAULT_NAMESPACE": "a"}
    by_name = from_environment(variables)
    assert by_name is not None
    assert (by_name.login.token, by_name.namespace, "c4nary" in repr(by_name), from_environment({})) == (
        "c4nary",
        "a",
        False,
        None,
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"address": "http://vault.example:8200"}, "use https"),
        ({"address": "ftp://x"}, "must be https://HOST:PORT"),
        ({"address": "https://user:c4nary@host"}, "must be https://HOST:PORT"),
        ({"address": "https://host:99999999"}, "must be https://HOST:PORT"),
        ({"adress": "x"}, "did you mean 'address'"),
        ({"auth": {"method": "ldap"}}, "must be one of token, approle, kubernetes"),
        ({"auth": {"method": "approle", "roleID": "x"}}, "secretIDFile: is needed for method approle"),
        ({"auth": {"method": "token", "token": "c4nary"}}, "there is no field 'token'"),
        ({"timeout": "0s"}, "timeout: must be more than nothing"),
        ({"reads": [{"namespaces": ["x"]}]}, "paths: must name at least one"),
        ([], "must be an object"),
    ],
)
def test_settings_that_are_wrong(change: Any, words: str) -> None:
    with pytest.raises(InvalidInput, match=words.replace("(", r"\(")) as caught:
        read_settings({**FILE, **change} if isinstance(change, dict) else change, about="vault.yaml")
    assert "c4nary" not in str(caught.value)


def test_http_is_taken_only_where_it_is_asked_for() -> None:
    assert read_settings({**FILE, "address": "http://v:1", "insecureHTTP": True}, about="x").address == "http://v:1"
    variables = {"VAULT_ADDR": "http://v:1", "VAULT_TOKEN": "x"}
    with pytest.raises(InvalidInput, match="use https"):
        from_environment(variables)
    assert from_environment({**variables, "KILDE_VAULT_INSECURE_HTTP": "true"}) is not None


def test_homes_of_keys() -> None:
    assert [
        read_key_home(text) for text in ("secrets", "file:a:b", "vault:secret/kilde", "vault:kv/a/b,team/transit/k")
    ] == [
        KeyHome(),
        KeyHome("a:b"),
        KeyHome(vault="secret/kilde", transit="transit/kilde"),
        KeyHome(vault="kv/a/b", transit="team/transit/k"),
    ]
    for text in (
        "vault",
        "vault:",
        "vault:secret",
        "vault:secret/x,",
        "vault:secret/x,k",
        "vault:secret/../x",
        "file:",
        "Secrets",
    ):
        with pytest.raises(InvalidInput):
            read_key_home(text)


def vault_secret_of(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "db", "namespace": "shop", "uid": "u", "generation": 2}
    return {"apiVersion": "kilde.dev/v1alpha1", "kind": "VaultSecret", "metadata": metadata, "spec": spec}


def test_one_entry_is_read_once_for_all_its_items() -> None:
    data = {name: f"vault:secret/shop/db#{name}" for name in "abc"} | {"d": "vault:secret/shop/db#a@1"}
    found = read_vault_secret(vault_secret_of(data=data))
    assert (found.entries, found.every) == (((Place("secret", "shop/db"), 0), (Place("secret", "shop/db"), 1)), 3600.0)
    many = {f"k{n}": f"vault:secret/shop/e{n}#a" for n in range(51)}
    for wrong in (
        {"data": {}},
        {"data": many},
        {"data": {"a": 1}},
        {"data": data, "refreshInterval": "1s"},
        {"data": data, "template": []},
    ):
        with pytest.raises(InvalidInput):
            read_vault_secret(vault_secret_of(**wrong))


def test_a_status_is_written_when_it_says_something_new() -> None:
    obj = vault_secret_of(data={})
    first = status_after(obj, reason="Resolved", problem="", versions={"secret/a": 1}, now=0.0)
    assert first == {
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "Resolved",
                "message": "",
                "lastTransitionTime": "1970-01-01T00:00:00Z",
                "lastUpdateTime": "1970-01-01T00:00:00Z",
            }
        ],
        "observedGeneration": 2,
        "versions": [{"path": "secret/a", "version": 1}],
    }
    there = {**obj, "status": first}
    assert status_after(there, reason="Resolved", problem="", versions={"secret/a": 1}, now=9.0) is None
    failed = status_after(there, reason="VaultSealed", problem="is sealed", versions=None, now=9.0)
    assert failed is not None
    assert (failed["versions"], failed["conditions"][0]["lastTransitionTime"]) == (
        first["versions"],
        "1970-01-01T00:00:09Z",
    )
    assert (
        status_after({**obj, "status": failed}, reason="VaultSealed", problem="is sealed", versions=None, now=20.0)
        is None
    )


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ({}, "Progressing"),
        ({"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True"}]}, "Progressing"),
        ({"observedGeneration": 2, "conditions": [{"type": "Ready", "status": "True"}]}, "Healthy"),
        ({"observedGeneration": 2, "conditions": [{"type": "Ready", "status": "False", "message": "m"}]}, "Degraded"),
    ],
)
def test_health(status: dict[str, Any], word: str) -> None:
    assert str(vault_secret.judge({**vault_secret_of(), "status": status}).status) == word
