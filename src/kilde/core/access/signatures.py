"""Which signatures a project demands of the commits that are deployed, and why one is refused.

`signatureKeys` and `sourceIntegrity` (mode head) are Argo CD's, and GPG's alone; its words are used where it has them. SSH signers are
named by annotations of the AppProject. A project that demands several things is content with a good signature of any of its signers.
"""

from dataclasses import dataclass

from kilde.core.access.globs import matches
from kilde.core.basics.reading import Reader
from kilde.core.source.repository_url import normalized
from kilde.core.source.signature import Signature, Verified

SIGNERS = "kilde.dev/allowed-signers"
SIGNERS_FROM = "kilde.dev/allowed-signers-from"
KEYRING = "argocd-gpg-keys-cm"
_ID = 16  # hex digits of a GPG key's long id


@dataclass(frozen=True, slots=True)
class Policy:
    """One of `sourceIntegrity.git.policies`: for repositories that match, which mode and keys."""

    repositories: tuple[str, ...]
    mode: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SigningRules:
    """What a project says. `gpg` are key ids; `ssh` is the text of an allowed_signers file, `ssh_from` REVISION:PATH of one."""

    gpg: tuple[str, ...] = ()
    ssh: str = ""
    ssh_from: str = ""
    policies: tuple[Policy, ...] = ()

    def for_repository(self, url: str) -> "Demand":
        """What is demanded of commits of that repository."""
        mine = [one for one in self.policies if any(_is_of(pattern, url) for pattern in one.repositories)]
        keys = (*self.gpg, *(key for one in mine if one.mode != "none" for key in one.keys))
        strict = any(one.mode == "strict" for one in mine)
        asked = bool(self.gpg or self.ssh or self.ssh_from or any(one.mode != "none" for one in mine))
        return Demand(asked, tuple(dict.fromkeys(map(short_id, keys))), self.ssh, self.ssh_from, strict)


@dataclass(frozen=True, slots=True)
class Demand:
    """What is demanded of one repository's commits; `asked` False: nothing."""

    asked: bool
    gpg: tuple[str, ...] = ()
    ssh: str = ""
    ssh_from: str = ""
    strict: bool = False

    def refusal(self, found: Signature, revision: str) -> str:
        """Why a commit may not be deployed; "" where it may."""
        key = found.keys[0] if found.keys else "an unknown one"
        if found.verified is Verified.NONE:
            return f"Target revision {revision} in Git is not signed, but a signature is required"
        if found.verified is Verified.UNKNOWN:
            return f"Target revision {revision} in Git is signed with key {key}, which the project does not know"
        if found.verified is Verified.BAD:
            return f"Found signature made with key {key}, but verification result was invalid"
        by_gpg = any(len(one) == _ID for one in found.keys)
        if by_gpg and not set(found.keys) & set(self.gpg):
            return f"Found good signature made with key {key}, but this key is not allowed in AppProject"
        return ""


def short_id(key: str) -> str:
    """A GPG key id or fingerprint as its long id: the last sixteen digits, upper case."""
    return key.removeprefix("0x").replace(" ", "").upper()[-_ID:]


def _is_of(pattern: str, url: str) -> bool:
    denial = "!" if pattern.startswith("!") else ""
    return matches(denial + normalized(pattern.removeprefix("!")), normalized(url), separator="/")


def read_rules(at: Reader, annotations: dict[str, object]) -> SigningRules:
    """Parses `spec` of an AppProject and its annotations. A policy that cannot be read demands everything."""
    integrity = at.mapping("sourceIntegrity").mapping("git")
    policies = [
        Policy(
            repositories=tuple(repo.text("url") for repo in item.items("repos")),
            mode=(gpg := item.mapping("gpg")).text("mode") or "none",
            keys=gpg.texts("keys"),
        )
        for item in integrity.items("policies")
    ]
    return SigningRules(
        gpg=tuple(item.text("keyID") for item in at.items("signatureKeys")),
        ssh=str(annotations.get(SIGNERS) or ""),
        ssh_from=str(annotations.get(SIGNERS_FROM) or ""),
        policies=tuple(policies),
    )
