"""Which signatures a project demands of the commits that are deployed, and why one is refused.

`signatureKeys` and `sourceIntegrity` (mode head) are Argo CD's, and GPG's alone; its words are used where it has them, and the second
counts where both are there. SSH signers are named by annotations of the AppProject. A project that demands several things is content
with a good signature of any of its signers.
"""

from dataclasses import dataclass

from kilde.core.access.globs import is_denial, matches
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

    def is_about(self, url: str) -> bool:
        """Whether one pattern fits, and none that excludes. A star reaches across slashes here, as in Argo CD."""
        excluded = [pattern.removeprefix("!") for pattern in self.repositories if is_denial(pattern)]
        named = [pattern for pattern in self.repositories if not is_denial(pattern)]
        return _any_fits(named, url) and not _any_fits(excluded, url)


@dataclass(frozen=True, slots=True)
class SigningRules:
    """What a project says. `gpg` are key ids; `ssh` is the text of an allowed_signers file, `ssh_from` REVISION:PATH of one."""

    gpg: tuple[str, ...] = ()
    ssh: str = ""
    ssh_from: str = ""
    policies: tuple[Policy, ...] | None = None  # None: the project has only `gpg`

    def for_repository(self, url: str) -> "Demand":
        """What is demanded of commits of that repository."""
        legacy = () if self.policies is not None or not self.gpg else (Policy(("*",), "head", self.gpg),)
        mine = [one for one in self.policies or legacy if one.is_about(url)]
        keys = tuple(dict.fromkeys(short_id(key) for one in mine for key in one.keys if one.mode != "none"))
        fault = _fault(mine, url)
        asked = bool(fault or self.ssh or self.ssh_from or any(one.mode != "none" for one in mine))
        return Demand(asked, keys, self.ssh, self.ssh_from, fault)


@dataclass(frozen=True, slots=True)
class Demand:
    """What is demanded of one repository's commits; `asked` False: nothing. `fault`: why no commit can be judged."""

    asked: bool
    gpg: tuple[str, ...] = ()
    ssh: str = ""
    ssh_from: str = ""
    fault: str = ""

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


def _fault(mine: list[Policy], url: str) -> str:
    """Why no commit of the repository can be judged by the policies that are about it."""
    if len(mine) > 1:
        return f"multiple ({len(mine)}) git source integrity policies found for repo URL: {url}"
    mode = mine[0].mode if mine else "none"
    if mode == "strict":
        return "the project demands sourceIntegrity mode strict, which is not supported"
    return "" if mode in ("none", "head") else f'unknown GPG mode "{mode}" configured for GIT source integrity'


def _any_fits(patterns: list[str], url: str) -> bool:
    return any(matches(normalized(pattern), normalized(url)) for pattern in patterns)


def read_rules(at: Reader, annotations: dict[str, object]) -> SigningRules:
    """Parses `spec` of an AppProject and its annotations."""
    integrity = at.mapping("sourceIntegrity")
    policies = [
        Policy(
            repositories=tuple(repo.text("url") for repo in item.items("repos")),
            mode=item.mapping("gpg").text("mode") if item.has("gpg") else "none",
            keys=item.mapping("gpg").texts("keys"),
        )
        for item in integrity.mapping("git").items("policies")
    ]
    return SigningRules(
        gpg=tuple(item.text("keyID") for item in at.items("signatureKeys")),
        ssh=str(annotations.get(SIGNERS) or ""),
        ssh_from=str(annotations.get(SIGNERS_FROM) or ""),
        policies=tuple(policies) if integrity.has("git") else None,
    )
