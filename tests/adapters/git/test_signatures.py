"""Signatures of real commits, made with real gpg and ssh-keygen, are judged by the signers that are named and by nobody else."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kilde.adapters.clock import SystemClock
from kilde.adapters.git.sources import GitSources
from kilde.core.source.signature import Signature, Signers, Verified
from kilde.ports.sources import Credentials

MAIL = "ann@example.org"


class Desk:
    """A person's machine: keys of both kinds, and a repository."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.repository = folder, folder / "repository"
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "GNUPGHOME": str(folder / "gnupg"), "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": MAIL, "GIT_COMMITTER_NAME": "Ann", "GIT_COMMITTER_EMAIL": MAIL,
        }  # fmt: skip
        (folder / "gnupg").mkdir(mode=0o700)
        self.run("git", "init", "-q", "-b", "main", str(self.repository))
        self.url = f"file://{self.repository}"

    def run(self, *command: str, stdin: str | None = None) -> str:
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, env=self.environment, input=stdin, timeout=100
        )
        return done.stdout

    def ssh_key(self, name: str) -> str:
        """A line of allowed_signers."""
        self.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(self.folder / name))
        return f"{name}@example.org {(self.folder / f'{name}.pub').read_text()}"

    def gpg_key(self, name: str) -> tuple[str, str]:
        """Fingerprint and armoured public key."""
        mail = f"{name}@example.org"
        uid = f"{name.title()} <{mail}>"
        self.run("gpg", "--batch", "--passphrase", "", "--quick-gen-key", uid, "ed25519", "sign", "never")
        listed = self.run("gpg", "--batch", "--with-colons", "--list-keys", mail)
        fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:"))
        return fingerprint, self.run("gpg", "--armor", "--export", fingerprint)

    def commit(self, *, ssh: str = "", gpg: str = "", revoked: bool = False) -> str:
        config = ["-c", "commit.gpgSign=false"]
        if ssh:
            config = ["-c", "gpg.format=ssh", "-c", f"user.signingKey={self.folder / ssh}", "-c", "commit.gpgSign=true"]
        if gpg:
            config = ["-c", f"user.signingKey={gpg}", "-c", "commit.gpgSign=true"]
        self.run("git", "-C", str(self.repository), *config, "commit", "-q", "--allow-empty", "-m", "Change")
        return self.run("git", "-C", str(self.repository), "rev-parse", "HEAD").strip()

    def forge(self, sha: str) -> str:
        """The same commit, signature and all, with another message."""
        raw = self.run("git", "-C", str(self.repository), "cat-file", "commit", sha).replace("Change", "Forged")
        command = ("git", "-C", str(self.repository), "hash-object", "-t", "commit", "-w", "--stdin")
        made = self.run(*command, stdin=raw).strip()
        self.run("git", "-C", str(self.repository), "update-ref", "refs/heads/forged", made)
        return made


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    for program in ("gpg", "ssh-keygen"):
        if shutil.which(program) is None:
            if os.environ.get("KILDE_REQUIRE_REAL") == "1":
                pytest.fail(f"{program} is not installed")
            pytest.skip(f"{program} is not installed")
    folder = tmp_path / "d"
    folder.mkdir()
    made = Desk(folder)
    yield made
    made.run("gpgconf", "--kill", "all")


def checked(desk: Desk, tmp_path: Path, *asked: tuple[str, Signers]) -> list[Signature]:
    async def check() -> list[Signature]:
        sources = GitSources(tmp_path / "mirrors", clock=SystemClock())
        await sources.fetch(desk.url, Credentials())
        found = [await sources.signature(desk.url, sha, signers) for sha, signers in asked]
        await sources.close()
        return found

    return asyncio.run(check())


def test_ssh_signatures(desk: Desk, tmp_path: Path) -> None:
    ann, eve = desk.ssh_key("ann"), desk.ssh_key("eve")
    by_ann, by_eve, unsigned = desk.commit(ssh="ann"), desk.commit(ssh="eve"), desk.commit()
    forged = desk.forge(by_ann)
    key = desk.run("ssh-keygen", "-lf", str(desk.folder / "ann.pub")).split()[1]
    only_ann = Signers(ssh=ann)
    expired = Signers(ssh=ann.replace(" ssh-", ' valid-before="20200101" ssh-'))

    found = checked(
        desk, tmp_path, (by_ann, only_ann), (by_eve, only_ann), (by_eve, Signers(ssh=ann + eve)), (unsigned, only_ann),
        (forged, only_ann), (by_ann, Signers()), (by_ann, expired),
    )  # fmt: skip

    assert found[0] == Signature(Verified.GOOD, "ann@example.org", (key,))
    assert [one.verified for one in found[1:6]] == [
        Verified.UNKNOWN, Verified.GOOD, Verified.NONE, Verified.BAD, Verified.UNKNOWN,
    ]  # fmt: skip
    assert found[6].verified is not Verified.GOOD


def test_gpg_signatures(desk: Desk, tmp_path: Path) -> None:
    (ann, ann_key), (eve, eve_key) = desk.gpg_key("ann"), desk.gpg_key("eve")
    by_ann, by_eve, unsigned = desk.commit(gpg=ann), desk.commit(gpg=eve), desk.commit()
    forged = desk.forge(by_ann)
    only_ann = Signers(gpg=(ann_key,))

    found = checked(
        desk, tmp_path, (by_ann, only_ann), (by_eve, only_ann), (by_eve, Signers(gpg=(ann_key, eve_key))),
        (unsigned, only_ann), (forged, only_ann), (by_ann, Signers()),
    )  # fmt: skip

    assert found[0] == Signature(Verified.GOOD, "Ann <ann@example.org>", (ann[-16:],))
    assert [one.verified for one in found[1:]] == [
        Verified.UNKNOWN, Verified.GOOD, Verified.NONE, Verified.BAD, Verified.UNKNOWN,
    ]  # fmt: skip
    assert found[1].keys == (eve[-16:],)


def test_a_revoked_key_signs_nothing(desk: Desk, tmp_path: Path) -> None:
    ann, _ = desk.gpg_key("ann")
    sha = desk.commit(gpg=ann)
    certificate = next((desk.folder / "gnupg" / "openpgp-revocs.d").iterdir()).read_text()
    desk.run("gpg", "--batch", "--import", stdin=certificate.replace(":-----BEGIN", "-----BEGIN"))
    revoked = desk.run("gpg", "--armor", "--export", ann)

    [found] = checked(desk, tmp_path, (sha, Signers(gpg=(revoked,))))

    assert found == Signature(Verified.BAD, keys=(ann[-16:],))
