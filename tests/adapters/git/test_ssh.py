"""GitSources over a real OpenSSH server: the deploy key opens it, and only a server that is known gets to see us."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.git import sshd
from adapters.git.upstream import Upstream
from kilde.adapters.git.sources import GitSources
from kilde.core.basics.errors import SourceUnavailable
from kilde.core.source.revert import Revert
from kilde.ports.sources import Credentials

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sshd.PROGRAM is None, reason="no sshd on this machine (apt-get install openssh-server)"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sshd.Server]:
    with sshd.server(tmp_path_factory.mktemp("ssh") / "server") as running:
        yield running


async def test_the_deploy_key_opens_it(sources: GitSources, upstream: Upstream, server: sshd.Server) -> None:
    sha = upstream.commit({"a": "1\n"})
    url = server.url(upstream.path)
    await sources.fetch(url, Credentials(ssh_private_key=server.private_key, known_hosts=server.known_hosts))
    assert await sources.resolve(url, "main") == sha


async def test_a_key_without_its_last_line_break_or_with_crlf_opens_it_too(
    sources: GitSources, upstream: Upstream, server: sshd.Server
) -> None:
    upstream.commit({"a": "1\n"})
    key = server.private_key.strip().replace("\n", "\r\n")
    await sources.fetch(
        server.url(upstream.path), Credentials(ssh_private_key=key, known_hosts=server.known_hosts.strip())
    )


async def test_a_push_goes_the_same_way(sources: GitSources, upstream: Upstream, server: sshd.Server) -> None:
    good = upstream.commit({"a": "1\n"})
    upstream.commit({"a": "2\n"})
    url, key = (
        server.url(upstream.path),
        Credentials(ssh_private_key=server.private_key, known_hosts=server.known_hosts),
    )
    await sources.fetch(url, key)
    made = await sources.push_revert(
        url, key, Revert(branch="main", to=good, paths=("a",), author="Bo <bo@example>", message="Back")
    )
    assert upstream.git("rev-parse", "main") == made
    assert upstream.git("show", "main:a") == "1"


async def test_an_unknown_host_is_refused_with_how_to_add_it(
    sources: GitSources, upstream: Upstream, server: sshd.Server
) -> None:
    upstream.commit({"a": "1\n"})
    url = server.url(upstream.path)
    with pytest.raises(SourceUnavailable) as caught:
        await sources.fetch(url, Credentials(ssh_private_key=server.private_key))
    assert str(caught.value) == (
        f"{url}: the host key of [127.0.0.1]:{server.port} is not known (add the output of `ssh-keyscan -p {server.port}"
        " 127.0.0.1`, after checking it, to the ConfigMap argocd-ssh-known-hosts-cm, key ssh_known_hosts)"
    )


async def test_a_host_with_another_key_is_refused_as_such(
    sources: GitSources, upstream: Upstream, server: sshd.Server, tmp_path: Path
) -> None:
    upstream.commit({"a": "1\n"})
    url = server.url(upstream.path)
    _, other = sshd.new_key(tmp_path, "other")
    wrong = f"[127.0.0.1]:{server.port} {' '.join(other.split()[:2])}\n"
    with pytest.raises(SourceUnavailable) as caught:
        await sources.fetch(url, Credentials(ssh_private_key=server.private_key, known_hosts=wrong))
    assert caught.value.what == (
        f"the server's host key is not the one that is known for [127.0.0.1]:{server.port}: somebody may be listening in"
    )


async def test_an_unknown_host_passes_only_where_the_user_said_insecure(
    sources: GitSources, upstream: Upstream, server: sshd.Server
) -> None:
    upstream.commit({"a": "1\n"})
    await sources.fetch(server.url(upstream.path), Credentials(ssh_private_key=server.private_key, insecure=True))


async def test_a_wrong_deploy_key_is_told(
    sources: GitSources, upstream: Upstream, server: sshd.Server, tmp_path: Path
) -> None:
    upstream.commit({"a": "1\n"})
    url = server.url(upstream.path)
    private, _ = sshd.new_key(tmp_path, "wrong")
    for key in (private, ""):
        with pytest.raises(SourceUnavailable) as caught:
            await sources.fetch(url, Credentials(ssh_private_key=key, known_hosts=server.known_hosts))
        assert str(caught.value) == (
            f"{url}: the server refused the SSH key (add the public half as a deploy key of the repository,"
            " and the private one as sshPrivateKey of its Secret)"
        )


async def test_a_key_that_is_none_is_told_without_showing_it(
    sources: GitSources, upstream: Upstream, server: sshd.Server
) -> None:
    upstream.commit({"a": "1\n"})
    broken = "-----BEGIN OPENSSH PRIVATE KEY-----\nCANARYCANARY\n-----END OPENSSH PRIVATE KEY-----"
    with pytest.raises(SourceUnavailable, match="the SSH private key cannot be read") as caught:
        await sources.fetch(
            server.url(upstream.path), Credentials(ssh_private_key=broken, known_hosts=server.known_hosts)
        )
    assert "CANARY" not in str(caught.value)


async def test_a_repository_that_is_not_there_is_told(sources: GitSources, server: sshd.Server, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="repository not found"):
        await sources.fetch(
            server.url(tmp_path / "nope.git"),
            Credentials(ssh_private_key=server.private_key, known_hosts=server.known_hosts),
        )


async def test_neither_our_agent_nor_our_own_keys_and_configuration_are_used(
    sources: GitSources, upstream: Upstream, server: sshd.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.commit({"a": "1\n"})
    home = tmp_path / "home" / ".ssh"
    home.mkdir(parents=True)
    (home / "id_ed25519").write_text(server.private_key)
    (home / "id_ed25519").chmod(0o600)
    monkeypatch.setenv("HOME", str(home.parent))
    monkeypatch.setenv("GIT_SSH_COMMAND", f"ssh -i {home}/id_ed25519 -o StrictHostKeyChecking=no")
    monkeypatch.setenv("GIT_SSH", "/bin/true")
    with pytest.raises(SourceUnavailable, match="the server refused the SSH key"):
        await sources.fetch(server.url(upstream.path), Credentials(known_hosts=server.known_hosts))
