"""Cluster Secrets: what they say becomes an Access; what is wrong in them is told without a value of theirs."""

import asyncio
import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from kilde.adapters.aws.identities import AwsIdentities
from kilde.adapters.cluster.access import Access, Credential, Fixed
from kilde.adapters.cluster.aws_token import AwsToken
from kilde.adapters.cluster.cluster_secret import access_of
from kilde.adapters.cluster.exec_plugin import ExecPlugin
from kilde.core.apps.cluster_secrets import AwsCluster, has_credentials, read_cluster, read_config
from kilde.core.basics.errors import ClusterError, InvalidInput
from kilde.testing.clock import FakeClock

CANARY = "c4nary-5ecret"
NOBODY = AwsIdentities(FakeClock(), {})
HOME = Access(server="https://home.example", ca=b"home", headers=(("Impersonate-User", "kilde"),))


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def secret(config: Any = None, *, server: str = "https://east.example/", **data: str) -> dict[str, Any]:
    written = config if isinstance(config, str) else json.dumps(config or {})
    values = {"name": "east", "server": server, "config": written, **data}
    return {
        "metadata": {"name": "cluster-east", "labels": {"env": "prod"}},
        "data": {key: encoded(text) for key, text in values.items()},
    }


def entered(config: dict[str, Any], server: str = "https://east.example", programs: tuple[str, ...] = ()) -> Access:
    return access_of(read_config(secret(config, server=server)), HOME, FakeClock(), aws=NOBODY, programs=programs)


def test_what_everybody_may_know_holds_nothing_that_opens_it() -> None:
    found = read_cluster(
        secret({"bearerToken": CANARY}, namespaces=" a, b,", clusterResources="true", project="team", shard="1")
    )
    assert (found.name, found.server, found.project, found.labels) == (
        "east",
        "https://east.example",
        "team",
        {"env": "prod"},
    )
    assert (found.namespaces, found.cluster_resources, CANARY in repr(found)) == (("a", "b"), True, False)


def test_every_way_in() -> None:
    tls = {"caData": encoded("ca"), "serverName": "inner", "certData": encoded("cert"), "keyData": encoded("key")}
    assert entered({"bearerToken": "t", "tlsClientConfig": tls, "proxyUrl": "http://proxy.example:3128"}) == Access(
        server="https://east.example",
        ca=b"ca",
        tls_server_name="inner",
        proxy_url="http://proxy.example:3128",
        credentials=Fixed(Credential("Bearer t", b"cert", b"key")),
    )
    basic = f"Basic {encoded('me:secret')}"
    assert entered({"username": "me", "password": "secret", "tlsClientConfig": {"insecure": True}}) == Access(
        server="https://east.example", insecure=True, credentials=Fixed(Credential(basic))
    )
    assert entered({}) == Access(server="https://east.example", credentials=Fixed(Credential()))


def test_a_cluster_of_eks_is_entered_by_an_identity_of_aws() -> None:
    """tests/contracts/test_aws.py has the token that comes of it."""
    asked = {"clusterName": "prod", "roleARN": CANARY, "profile": CANARY}
    config = read_config(secret({"awsAuthConfig": asked, "tlsClientConfig": {"caData": encoded("ca")}}))
    assert (config.aws, CANARY in repr(config)) == (AwsCluster(name="prod", role=CANARY, profile=CANARY), False)
    access = access_of(config, HOME, FakeClock(), aws=NOBODY)
    assert (type(access.credentials), access.ca) == (AwsToken, b"ca")


def test_our_own_cluster_changes_who_we_are_and_nothing_else() -> None:
    own = "https://kubernetes.default.svc"
    assert entered({"bearerToken": "t", "tlsClientConfig": {"caData": encoded("other")}}, own) == Access(
        server="https://home.example", ca=b"home", credentials=Fixed(Credential("Bearer t"))
    )
    assert [has_credentials(secret(config)) for config in ({}, {"bearerToken": "t"}, "{")] == [False, True, True]


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("{", "its config is not a JSON object"),
        ("[]", "its config is not a JSON object"),
        ("[" * 200_000, "its config is not a JSON object"),
        ({"bearerToken": 5}, "config.bearerToken: must be a string, not a number"),
        ({"tlsClientConfig": CANARY}, "config.tlsClientConfig: must be an object, not a string"),
        ({"tlsClientConfig": {"caData": f"?{CANARY}"}}, "config.tlsClientConfig.caData: is not base64"),
        ({"tlsClientConfig": {"keyData": encoded(CANARY)}}, "config.tlsClientConfig: certData and keyData belong together; one is missing"),
        ({"tlsClientConfig": {"caData": encoded("ca"), "insecure": True}},
         "config.tlsClientConfig: insecure and caData exclude each other"),
        ({"execProviderConfig": {"args": [CANARY]}}, "config.execProviderConfig.command: is missing"),
        ({"proxyUrl": f"socks5://{CANARY}@proxy.example"}, "config.proxyUrl: must be http or https"),
        ({"awsAuthConfig": {"roleARN": CANARY}}, "config.awsAuthConfig.clusterName: is missing"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_without_a_value(config: Any, told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_config(secret(config, token=CANARY))
    assert (caught.value.what, caught.value.about) == (told, "cluster Secret cluster-east")
    assert CANARY not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    "server",
    ["", "east.example", "ftp://east.example", "https://", f"https://me:{CANARY}@east.example", f"https://east.example/?t={CANARY}",
     "https://east.example:99999", "https://east.example/a b", "https://[::1"],
)  # fmt: skip
def test_a_server_is_a_plain_address(server: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_cluster(secret(server=server))
    assert CANARY not in str(caught.value)


def test_a_program_runs_only_where_it_was_named_and_learns_nothing_of_ours(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("KILDE_KEYS_PASSPHRASE", CANARY)
    program = tmp_path / "login"
    answer = (
        '{"apiVersion": "client.authentication.k8s.io/v1beta1", "kind": "ExecCredential", "status": {"token": "%s"}}'
    )
    program.write_text(
        f'#!/bin/sh\nif [ "$1" = fail ]; then echo {CANARY} >&2; exit 1; fi\nprintf \'{answer}\' "$WHO-$KILDE_KEYS_PASSPHRASE"\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    asked = {"execProviderConfig": {"command": str(program), "args": ["token"], "env": {"WHO": "east"}}}
    with pytest.raises(InvalidInput, match="is not one that may be run") as caught:
        entered(asked)
    assert caught.value.hint == f"start the controller with --cluster-exec {program}"

    async def token(config: dict[str, Any], *programs: str) -> str:
        source = entered(config, programs=programs).credentials
        assert isinstance(source, ExecPlugin)
        return (await source.current()).authorization

    assert asyncio.run(token(asked, str(program))) == "Bearer east-"
    asked["execProviderConfig"]["args"] = ["fail"]
    with pytest.raises(ClusterError, match="ended with code 1") as failed:
        asyncio.run(token(asked, "*"))
    assert CANARY not in str(failed.value)
    asked["execProviderConfig"]["apiVersion"] = "client.authentication.k8s.io/v1alpha1"
    with pytest.raises(InvalidInput, match="is not one of"):
        entered(asked, programs=("*",))
