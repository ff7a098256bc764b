"""Kubeconfig files: what they say becomes an Access; what is wrong in them is told with the file's name."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kilde.adapters.cluster.access import Access, Credential, Fixed
from kilde.adapters.cluster.exec_plugin import ExecPlugin
from kilde.adapters.cluster.kubeconfig import default_files, in_cluster, load
from kilde.adapters.cluster.token_file import TokenFile
from kilde.core.basics.errors import ClusterError, InvalidInput
from kilde.testing.clock import FakeClock

Config = dict[str, Any]


def config(cluster: Config | None = None, user: Config | None = None, **context: str) -> Config:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "one",
        "clusters": [{"name": "c", "cluster": {"server": "https://api.example.com:6443", **(cluster or {})}}],
        "users": [{"name": "u", "user": user or {}}],
        "contexts": [{"name": "one", "context": {"cluster": "c", "user": "u", **context}}],
    }


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(content: Config | str, name: str = "config") -> Path:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return file

    return write


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


CREDENTIALS: list[tuple[str, Config, Credential]] = [
    ("none", {}, Credential()),
    ("token", {"token": "t0p"}, Credential("Bearer t0p")),
    ("basic", {"username": "ann", "password": "pw"}, Credential(f"Basic {b64('ann:pw')}")),
    (
        "certificate data",
        {"client-certificate-data": b64("CERT"), "client-key-data": b64("KEY")},
        Credential("", b"CERT", b"KEY"),
    ),
    ("certificate files", {"client-certificate": "pki/cert", "client-key": "pki/key"}, Credential("", b"CERT", b"KEY")),
]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("user", "expected"), [case[1:] for case in CREDENTIALS], ids=[case[0] for case in CREDENTIALS]
)
async def test_a_user_gives_its_credential(write: Callable[..., Path], user: Config, expected: Credential) -> None:
    write("CERT", "pki/cert")
    write("KEY", "pki/key")
    access = load([write(config(user=user))], FakeClock())
    assert isinstance(access.credentials, Fixed)
    assert await access.credentials.current() == expected


def test_a_cluster_says_where_and_whom_to_trust(write: Callable[..., Path]) -> None:
    cluster = {
        "server": "https://api.example.com:6443/prefix/",
        "certificate-authority": "pki/ca",
        "tls-server-name": "inner",
        "proxy-url": "http://proxy:3128",
    }
    user = {"as": "ann", "as-uid": "7", "as-groups": ["g1", "g2"], "as-user-extra": {"reason": ["x", "y"]}}
    write("CA", "pki/ca")
    access = load([write(config(cluster, user, namespace="shop"))], FakeClock())
    assert access == Access(
        server="https://api.example.com:6443/prefix",
        ca=b"CA",
        tls_server_name="inner",
        proxy_url="http://proxy:3128",
        headers=(
            ("Impersonate-User", "ann"),
            ("Impersonate-Uid", "7"),
            ("Impersonate-Group", "g1"),
            ("Impersonate-Group", "g2"),
            ("Impersonate-Extra-reason", "x"),
            ("Impersonate-Extra-reason", "y"),
        ),
        namespace="shop",
        context="one",
    )


def test_another_context_can_be_named(write: Callable[..., Path]) -> None:
    both = config()
    both["clusters"].append({"name": "d", "cluster": {"server": "http://127.0.0.1:8001"}})
    both["contexts"].append({"name": "two", "context": {"cluster": "d"}})
    access = load([write(both)], FakeClock(), context="two")
    assert (access.server, access.namespace, access.context) == ("http://127.0.0.1:8001", "default", "two")


def test_of_several_files_the_first_that_names_a_thing_counts(write: Callable[..., Path], tmp_path: Path) -> None:
    second = config({"server": "https://second"}, {"token": "second"})
    second["clusters"][0]["name"] = "other"
    second["contexts"].append({"name": "two", "context": {"cluster": "other", "user": "u"}})
    files = [write(config(user={"token": "first"}), "a"), tmp_path / "missing", write(second, "b")]
    access = load(files, FakeClock(), context="two")
    assert (access.server, access.credentials) == ("https://second", Fixed(Credential("Bearer first")))


def test_no_secret_is_in_the_text_of_an_access(write: Callable[..., Path]) -> None:
    user = {"token": "s3cret", "client-certificate-data": b64("s3cret"), "client-key-data": b64("s3cret")}
    access = load([write(config({"proxy-url": "http://u:s3cret@proxy"}, user))], FakeClock())
    assert "s3cret" not in repr(access)
    assert "s3cret" not in repr(access.credentials)


def two_users(change: Callable[[Config], None]) -> Config:
    made = config()
    change(made)
    return made


WRONG: list[tuple[Config | str, str]] = [
    ("a: [", "did not find expected node content while parsing a flow node"),
    ("- a", "is not a kubeconfig"),
    ({"clusters": {"a": "b"}}, "'clusters' must be a list"),
    ({"users": [{"user": {}}]}, "each of 'users' needs a name"),
    ({}, "has no current-context (name one with --context)"),
    ({**config(), "current-context": "nope"}, "there is no context 'nope' (there is: one)"),
    ({**config(), "clusters": []}, "there is no cluster 'c' (there is: none)"),
    ({**config(), "users": []}, "there is no user 'u' (there is: none)"),
    (config({"server": ""}), "the cluster has no server"),
    (config({"server": "ftp://x"}), "server 'ftp://x' is not an http or https URL"),
    (config({"proxy-url": "socks5://x:1"}), "proxy-url must be http or https; socks5 is not supported"),
    (
        config({"certificate-authority": "nope"}),
        "certificate-authority 'nope' cannot be read: No such file or directory",
    ),
    (config({"certificate-authority-data": "%%"}), "certificate-authority-data is not base64"),
    (
        config({"certificate-authority-data": b64("x"), "insecure-skip-tls-verify": True}),
        "certificate-authority and insecure-skip-tls-verify exclude each other",
    ),
    (config(user={"client-key-data": b64("K")}), "client-certificate and client-key belong together; one is missing"),
    (config(user={"token": 5}), "'token' must be a string"),
    (config(user={"auth-provider": {"name": "gcp"}}), "auth-provider is not supported (use an exec credential plugin)"),
    (
        config(user={"exec": {"command": "x", "apiVersion": "client.authentication.k8s.io/v1alpha1"}}),
        "exec apiVersion 'client.authentication.k8s.io/v1alpha1' is not one of "
        "client.authentication.k8s.io/v1, client.authentication.k8s.io/v1beta1",
    ),
    (config(user={"exec": {"apiVersion": "client.authentication.k8s.io/v1"}}), "exec names no command"),
    (
        config(
            user={
                "exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "x", "interactiveMode": "Always"}
            }
        ),
        "exec x wants a terminal (interactiveMode: Always), and there is none",
    ),
    (
        config(user={"token": "t", "exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "x"}}),
        "a user has either exec, a token, or username and password",
    ),
]


@pytest.mark.parametrize(("content", "what"), WRONG, ids=[what[:40] for _, what in WRONG])
def test_what_is_wrong_is_told_with_the_file(write: Callable[..., Path], content: Config | str, what: str) -> None:
    file = write(content)
    with pytest.raises(InvalidInput) as caught:
        load([file], FakeClock())
    assert str(caught.value).startswith(str(file))
    assert str(caught.value).endswith(what)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        load([tmp_path / "none"], FakeClock())
    assert str(caught.value) == f"{tmp_path / 'none'}: the kubeconfig cannot be read: No such file or directory"


def test_the_default_files_are_those_of_kubectl() -> None:
    assert default_files({"HOME": "/home/ann"}) == [Path("/home/ann/.kube/config")]
    assert default_files({"HOME": "/home/ann", "KUBECONFIG": "/a:/b:"}) == [Path("/a"), Path("/b")]


@pytest.mark.anyio
async def test_a_pod_enters_as_its_service_account(write: Callable[..., Path], tmp_path: Path) -> None:
    for name, content in (("token", "t0p\n"), ("ca.crt", "CA"), ("namespace", "argocd")):
        write(content, name)
    env = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}
    access = in_cluster(FakeClock(), env, folder=tmp_path)
    assert (access.server, access.ca, access.namespace) == ("https://[fd00::1]:6443", b"CA", "argocd")
    assert await access.credentials.current() == Credential("Bearer t0p")


def test_outside_a_pod_there_is_no_service_account(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="not inside a cluster"):
        in_cluster(FakeClock(), {}, folder=tmp_path)
    with pytest.raises(InvalidInput, match="no service account token"):
        in_cluster(FakeClock(), {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, folder=tmp_path)


@pytest.mark.anyio
async def test_a_token_file_is_read_again_after_a_minute_or_a_refusal(write: Callable[..., Path]) -> None:
    clock = FakeClock()
    file = write("one", "token")
    source = load([write(config(user={"tokenFile": "token"}))], clock).credentials
    assert isinstance(source, TokenFile)
    first = await source.current()
    file.write_text("two")
    await clock.advance(59)
    assert await source.current() == first == Credential("Bearer one")
    assert await source.current(refused=first) == Credential("Bearer two")
    file.write_text("three")
    await clock.advance(60)
    assert await source.current() == Credential("Bearer three")
    file.unlink()
    await clock.advance(60)
    assert await source.current() == Credential("Bearer three")


@pytest.mark.anyio
async def test_a_token_file_that_was_never_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ClusterError) as caught:
        await TokenFile(tmp_path / "none", FakeClock()).current()
    assert str(caught.value) == f"{tmp_path / 'none'}: the token file cannot be read: No such file or directory"


def plugin(
    write: Callable[..., Path], script: str, cluster: Config | None = None, **more: Any
) -> tuple[ExecPlugin, FakeClock]:
    file = write(f"#!/bin/sh\n{script}\n", "bin/plugin")
    file.chmod(0o755)
    clock = FakeClock(1_700_000_000.0)
    settings = {"apiVersion": "client.authentication.k8s.io/v1", "command": "./bin/plugin", "interactiveMode": "Never"}
    source = load([write(config(cluster, {"exec": {**settings, **more}}))], clock).credentials
    assert isinstance(source, ExecPlugin)
    return source, clock


def answer(version: str = "v1", **status: str) -> str:
    body = {"apiVersion": f"client.authentication.k8s.io/{version}", "kind": "ExecCredential", "status": status}
    return f"echo '{json.dumps(body)}'"


@pytest.mark.anyio
async def test_a_plugin_is_asked_with_its_arguments_and_environment(write: Callable[..., Path], tmp_path: Path) -> None:
    script = f'echo "$1 $WHO $KUBERNETES_EXEC_INFO" > {tmp_path}/seen\n' + answer(token="t0p")
    cluster = {
        "certificate-authority-data": b64("CA"),
        "extensions": [{"name": "client.authentication.k8s.io/exec", "extension": {"audience": "x"}}],
    }
    source, _ = plugin(
        write,
        script,
        cluster,
        args=["get-token"],
        env=[{"name": "WHO", "value": "ann"}],
        provideClusterInfo=True,
    )
    assert await source.current() == Credential("Bearer t0p")
    argument, who, info = (tmp_path / "seen").read_text().split(" ", 2)
    assert (argument, who) == ("get-token", "ann")
    assert json.loads(info) == {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "spec": {
            "interactive": False,
            "cluster": {
                "server": "https://api.example.com:6443",
                "certificate-authority-data": b64("CA"),
                "config": {"audience": "x"},
            },
        },
    }


@pytest.mark.anyio
async def test_a_plugin_runs_again_only_when_its_credential_ends_or_is_refused(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    count = f"echo x >> {tmp_path}/runs\nn=$(wc -l < {tmp_path}/runs)\n"
    body = answer(token="t$n", expirationTimestamp="2023-11-14T22:23:20Z").replace("'", '"').replace('"', '\\"')
    source, clock = plugin(write, count + body.replace('echo \\"', 'echo "', 1).removesuffix('\\"') + '"')
    first = await source.current()
    assert first == Credential("Bearer t1")
    await clock.advance(589)  # it ends 600 s after the clock's start
    assert await source.current() == first
    await clock.advance(1)
    second = await source.current()
    assert second == Credential("Bearer t2")
    assert await source.current(refused=second) == Credential("Bearer t3")


@pytest.mark.anyio
async def test_a_plugin_may_give_a_certificate(write: Callable[..., Path]) -> None:
    source, _ = plugin(
        write,
        answer("v1beta1", clientCertificateData="CERT", clientKeyData="KEY"),
        apiVersion="client.authentication.k8s.io/v1beta1",
    )
    assert await source.current() == Credential("", b"CERT", b"KEY")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("script", "what"),
    [
        ("echo no login >&2; exit 3", "ended with code 3: no login"),
        ("echo hello", "did not print an ExecCredential"),
        (
            answer("v1beta1", token="t"),
            "answered in client.authentication.k8s.io/v1beta1, asked for client.authentication.k8s.io/v1",
        ),
        (answer(), "gave neither a token nor a client certificate"),
        (answer(clientKeyData="K"), "gave a client certificate without its key, or the other way round"),
    ],
)
async def test_a_plugin_that_fails_is_named(write: Callable[..., Path], script: str, what: str) -> None:
    source, _ = plugin(write, script)
    with pytest.raises(ClusterError) as caught:
        await source.current()
    assert str(caught.value) == f"credential plugin ./bin/plugin: {what}"


@pytest.mark.anyio
async def test_a_plugin_that_is_not_installed_gives_its_hint(write: Callable[..., Path]) -> None:
    source, _ = plugin(write, "", command="no-such-plugin", installHint="install no-such-plugin")
    with pytest.raises(ClusterError) as caught:
        await source.current()
    assert str(caught.value) == "credential plugin no-such-plugin: cannot be started (install no-such-plugin)"
