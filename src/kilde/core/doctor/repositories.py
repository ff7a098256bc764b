"""Whether the credentials of repositories are such that nobody in between can read or change what is fetched."""

import base64
import binascii
from collections.abc import Sequence

from kilde.core.basics.values import Object
from kilde.core.doctor.finding import Finding, Verdict


def judge_credentials(secrets: Sequence[Object], *, known_hosts: Object | None) -> list[Finding]:
    """What is careless about Argo CD's labelled Secrets; their values are not told. `known_hosts`: the ConfigMap, if there is one."""
    findings = []
    for secret in secrets:
        name = str((secret.get("metadata") or {}).get("name"))
        url = _value(secret, "url")
        if _value(secret, "insecure") == "true" or _value(secret, "insecureIgnoreHostKey") == "true":
            findings.append(
                _careless(name, f"{url}: whom it talks to is not checked (insecure)", "name a CA or a host key instead")
            )
        elif url.startswith("http://"):
            findings.append(_careless(name, f"{url}: credentials are sent in the open", "use https"))
        elif _value(secret, "sshPrivateKey") and not _hosts(known_hosts):
            hint = "put its host keys into the ConfigMap argocd-ssh-known-hosts-cm"
            findings.append(_careless(name, f"{url}: there are no known hosts, so it cannot be reached by SSH", hint))
    if findings:
        return findings
    return [
        Finding(
            area="git",
            check="credentials",
            verdict=Verdict.GOOD,
            says=f"{len(secrets)} credentials, none of them careless",
        )
    ]


def _careless(name: str, says: str, hint: str) -> Finding:
    return Finding(area="git", check=f"credentials/{name}", verdict=Verdict.WATCH, says=says, hint=hint)


def _hosts(config_map: Object | None) -> str:
    return str(((config_map or {}).get("data") or {}).get("ssh_known_hosts") or "").strip()


def _value(secret: Object, key: str) -> str:
    try:
        return base64.b64decode(str((secret.get("data") or {}).get(key) or "")).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
