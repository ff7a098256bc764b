"""Which rendered Secrets stand in Git in plain text, and how they are told of."""

import base64
from typing import Any

import pytest

from kilde.core.basics.errors import Place
from kilde.core.objects.manifest import Manifest
from kilde.core.secrets.raw import raw_secrets, refusal

ENC = "ENC[AES256_GCM,data:aGVsbG8=,iv:aaaa,tag:bbbb,type:str]"


def secret(**more: Any) -> Manifest:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "namespace": "web"}, **more}
    return Manifest(body, Place("apps/db.yaml", 3))


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


CERTIFICATE = encoded("-----BEGIN CERTIFICATE-----\nMIIB")


@pytest.mark.parametrize(
    ("more", "keys"),
    [
        ({"stringData": {"password": "hunter2"}}, ("password",)),
        ({"data": {"password": encoded("hunter2"), "a": encoded("x")}}, ("password",)),
        ({"data": {"password": "not base64!"}}, ("password",)),
        ({"stringData": {"n": 12345, "none": None}}, ("n",)),
        ({"stringData": "hunter2"}, ("?",)),
        ({"data": {"tls.crt": CERTIFICATE, "tls.key": encoded("-----BEGIN PRIVATE KEY-----")}}, ("tls.key",)),
        ({"stringData": {"both": "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----"}}, ("both",)),
        ({"data": {"b": base64.b64encode(b"\xff\xfe\x00\x01").decode()}}, ("b",)),
        ({"stringData": {"a": ENC, "b": "plain"}}, ("b",)),
        ({"stringData": {"a": ENC, "sops_version": "3.9.0"}}, ()),
        ({"stringData": {"sops_version": "3.9.0"}}, ("sops_version",)),
        ({"stringData": {"": ""}, "data": None}, ()),
        ({"type": "kubernetes.io/service-account-token"}, ()),
    ],
)  # fmt: skip
def test_which_values_make_it_raw(more: dict[str, Any], keys: tuple[str, ...]) -> None:
    found = raw_secrets([secret(**more)])
    assert tuple(key for one in found for key in one.keys) == keys


def test_another_kind_of_that_name_is_none() -> None:
    manifest = secret(stringData={"a": "hunter2"})
    assert raw_secrets([Manifest({**manifest.body, "apiVersion": "example.org/v1"})]) == ()
    assert raw_secrets([Manifest({**manifest.body, "kind": "ConfigMap"})]) == ()


def test_what_was_decrypted_is_none_as_it_is_written_or_as_it_is_meant() -> None:
    manifest = secret(stringData={"a": "hunter2"}, data={"b": encoded("hunter2")})
    assert raw_secrets([manifest], lambda text: text == "hunter2") == ()
    assert [one.keys for one in raw_secrets([manifest], lambda text: text == encoded("hunter2"))] == [("a",)]


def test_it_is_told_with_name_place_and_keys_and_without_values() -> None:
    one = raw_secrets([secret(stringData={f"k{n}": "hunter2" for n in range(7)})])
    assert str(refusal(one, "team")) == (
        "a Secret stands in Git in plain text: Secret web/db (k0, k1, k2, k3, k4 and 2 more) in apps/db.yaml:3 "
        "(seal it: kilde seal -f FILE -w FILE; or let project team allow it: its annotation kilde.dev/raw-secrets: allowed)"
    )
    assert "; and 2 more (seal them" in str(refusal(one * 7, "team"))
