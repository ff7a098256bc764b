"""Which Secret opens a repository, and what is said when it cannot."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from kilde.core.basics.errors import SourceUnavailable
from kilde.core.basics.github_app import GitHubApp
from kilde.core.source.chart_place import ChartPlace
from kilde.core.source.credentials import Credentials, choose, named_repository, scope_of

URL = "https://git.example/team/app.git"
CANARY = "c4naryV4lue"
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ==\n-----END OPENSSH PRIVATE KEY-----\n"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nc4naryV4lue\n-----END RSA PRIVATE KEY-----\n"
LOCKED = base64.b64encode(b"openssh-key-v1\0\0\0\0\x0aaes256-ctr\0\0\0\x06bcrypt").decode()
LOCKED_KEY = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{LOCKED}\n-----END OPENSSH PRIVATE KEY-----\n"


def secret(name: str = "one", *, kind: str = "repository", url: str = URL, **values: str) -> dict[str, Any]:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in {"url": url, **values}.items()}
    labels = {"argocd.argoproj.io/secret-type": kind}
    return {"kind": "Secret", "metadata": {"namespace": "argocd", "name": name, "labels": labels}, "data": data}


def configmap(name: str, **data: str) -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"namespace": "argocd", "name": name}, "data": data}


def test_nothing_is_chosen_where_nothing_fits() -> None:
    others = [
        secret(url="https://git.example/team/other"),
        secret(kind="cluster", password="x"),
        secret(kind="", password="x"),
    ]
    assert choose(URL, others, []) == Credentials()


def test_every_git_key_of_a_repository_secret_is_read() -> None:
    one = secret(
        type="git", url="https://GIT.example/team/app", name="app", username="ada", password="pw", bearerToken="tok",
        sshPrivateKey=KEY, tlsClientCertData="CERT", tlsClientCertKey="KEY", insecure="true", proxy="http://proxy:3128",
        noProxy="localhost", enableLfs="true", forceHttpBasicAuth="true", depth="1",
    )  # fmt: skip
    assert choose(URL, [one], []) == Credentials(
        username="ada", password="pw", bearer_token="tok", ssh_private_key=KEY, tls_client_cert="CERT", tls_client_key="KEY",
        insecure=True, proxy="http://proxy:3128", no_proxy="localhost",
    )  # fmt: skip


def test_a_github_app_opens_what_nothing_else_opens() -> None:
    """Argo CD's order: user and password, a bearer token, an SSH key, then the app."""
    keys = {"githubAppID": "11", "githubAppPrivateKey": PEM}
    app = GitHubApp(id="11", private_key=PEM)
    assert choose(URL, [secret(**keys)], []) == Credentials(app=app)
    here = {"githubAppInstallationID": "22\n", "githubAppEnterpriseBaseUrl": "https://git.example/api/v3/"}
    there = replace(app, installation="22", api="https://git.example/api/v3/")
    assert choose(URL, [secret(**keys, **here)], []) == Credentials(app=there)
    assert choose(URL, [secret(**keys, githubAppInstallationID="0")], []) == Credentials(app=app)
    template = secret("team", kind="repo-creds", url="https://git.example/team", **keys)
    assert choose(URL, [secret(), template], []) == Credentials(app=app)
    assert choose(URL, [secret(username="ada"), template], []) == Credentials(username="ada")
    assert choose(URL, [secret(bearerToken="tok", **keys)], []) == Credentials(bearer_token="tok")


def test_string_data_is_read_as_well() -> None:
    one = secret()
    one["stringData"] = {"username": "ada", "password": "pw"}
    assert choose(URL, [one], []) == Credentials(username="ada", password="pw")


def test_a_repository_without_credentials_takes_them_from_the_longest_template() -> None:
    secrets = [
        secret("host", kind="repo-creds", url="https://git.example", username="host", password="h"),
        secret("team", kind="repo-creds", url="https://git.example/team", username="team", password="t"),
        secret(
            "helm", kind="repo-creds", url="https://git.example/team/app", type="helm", username="helm", password="x"
        ),
        secret("own", proxy="http://own:1"),
    ]
    assert choose(URL, secrets, []) == Credentials(username="team", password="t", proxy="http://own:1")
    assert choose("https://git.example/x", secrets, []) == Credentials(username="host", password="h")


def test_a_repository_with_credentials_takes_nothing_from_a_template() -> None:
    secrets = [
        secret(
            "team", kind="repo-creds", url="https://git.example/team", username="team", password="t", proxy="http://p:1"
        ),
        secret("own", username="own", password="o"),
    ]
    assert choose(URL, secrets, []) == Credentials(username="own", password="o")


def test_a_project_sees_its_own_secrets_before_those_of_none_and_never_anothers() -> None:
    secrets = [
        secret("all", username="all"),
        secret("blue", username="blue", project="blue"),
        secret("red", username="red", project="red"),
    ]
    assert [choose(URL, secrets, [], project=one).username for one in ("blue", "red", "green", "")] == [
        "blue",
        "red",
        "all",
        "all",
    ]


def test_trust_comes_from_the_two_configmaps() -> None:
    maps = [
        configmap("argocd-tls-certs-cm", **{"git.example": "PEM", "other": "OTHER"}),
        configmap("argocd-ssh-known-hosts-cm", ssh_known_hosts="git.example ssh-ed25519 AAAA\n"),
        configmap("argocd-cm", **{"git.example": "no"}),
    ]
    known = "git.example ssh-ed25519 AAAA\n"
    assert choose("https://git.example:8443/a", [], maps) == Credentials(tls_ca="PEM", known_hosts=known)
    assert choose("git@git.example:a", [], maps) == Credentials(known_hosts=known)
    assert choose("not a url", [], maps) == Credentials(known_hosts=known)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"githubAppPrivateKey": CANARY}, "key 'githubAppID': it is not a number (the page of the app's settings has it)"),
        ({"githubAppPrivateKey": PEM, "githubAppID": "11", "githubAppInstallationID": CANARY},
         "key 'githubAppInstallationID': it is not a number (the page of the app's settings has it)"),
        ({"githubAppPrivateKey": CANARY, "githubAppID": "11"},
         "key 'githubAppPrivateKey': it is not a private key in PEM form (paste the whole file, first and last line too)"),
        ({"githubAppPrivateKey": PEM, "githubAppID": "11", "githubAppEnterpriseBaseUrl": f"http://{CANARY}/api/v3"},
         "key 'githubAppEnterpriseBaseUrl': it is not an https address (it is like https://HOST/api/v3)"),
        ({"useAzureWorkloadIdentity": "true"}, "key 'useAzureWorkloadIdentity': credentials of an Azure workload identity are"
         " not supported (give a token or a deploy key instead)"),
        ({"insecure": CANARY}, "key 'insecure': it is neither 'true' nor 'false'"),
        ({"tlsClientCertData": CANARY}, "key 'tlsClientCertKey': a client certificate needs both its halves"),
        ({"tlsClientCertKey": CANARY}, "key 'tlsClientCertData': a client certificate needs both its halves"),
        ({"password": CANARY + "\n"}, "key 'password': it has a line break in it (was it encoded with one? use `printf %s`, not `echo`)"),
        ({"sshPrivateKey": CANARY}, "key 'sshPrivateKey': it is not a private key in PEM form (paste the whole file, first and"
         " last line too)"),
        ({"sshPrivateKey": f"-----BEGIN CERTIFICATE-----\n{CANARY}\n-----END CERTIFICATE-----"},
         "key 'sshPrivateKey': it is not a private key in PEM form (paste the whole file, first and last line too)"),
        ({"sshPrivateKey": f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{CANARY}\n-----END ENCRYPTED PRIVATE KEY-----"},
         "key 'sshPrivateKey': it is protected by a passphrase (take it off with `ssh-keygen -p -N ''`, or make a deploy key)"),
        ({"sshPrivateKey": LOCKED_KEY},
         "key 'sshPrivateKey': it is protected by a passphrase (take it off with `ssh-keygen -p -N ''`, or make a deploy key)"),
    ],
)  # fmt: skip
def test_a_secret_that_cannot_be_used_is_named_with_its_key_and_without_its_value(
    values: dict[str, str], message: str
) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        choose(URL, [secret("broken", **values)], [])
    assert str(caught.value) == f"Secret argocd/broken: {message}"
    assert CANARY not in repr(caught.value)


def test_a_value_that_is_not_base64_or_not_text_is_named() -> None:
    for raw in ("%%%" + CANARY, base64.b64encode(b"\xff\xfe").decode()):
        one = secret("broken")
        one["data"]["password"] = raw
        with pytest.raises(
            SourceUnavailable, match=r"^Secret argocd/broken: key 'password': it is not base64 of UTF-8 text$"
        ) as caught:
            choose(URL, [one], [])
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__


def test_another_repositorys_broken_secret_does_no_harm() -> None:
    broken = secret("broken", url="https://git.example/other", insecure="perhaps")
    without = secret("without")
    without["data"]["url"] = "%%%"
    assert choose(URL, [broken, without, {"metadata": {}}, secret(username="ada")], []) == Credentials(username="ada")


def test_a_repr_shows_no_value() -> None:
    shown = repr(
        Credentials(username=CANARY, password=CANARY, bearer_token=CANARY, ssh_private_key=CANARY, proxy=CANARY)
    )
    assert shown == "Credentials(insecure=False, enable_oci=False, plain_http=False)"


def test_a_projects_own_secret_is_for_that_project_alone_and_before_one_of_all() -> None:
    everybodys, teams = (
        secret("all", username="all", password="a"),
        secret("own", project="team", username="team", password="t"),
    )
    for secrets in ([everybodys, teams], [teams, everybodys]):
        assert choose(URL, secrets, [], project="team") == Credentials(username="team", password="t")
        assert choose(URL, secrets, [], project="other") == Credentials(username="all", password="a")
        assert [scope_of(URL, secrets, project) for project in ("team", "other", "")] == ["team", "", ""]
    assert choose(URL, [teams], [], project="other") == Credentials()
    template = secret("t", kind="repo-creds", url="https://git.example", project="team", username="t", password="t")
    assert [scope_of(URL, [template], project) for project in ("team", "other")] == ["team", ""]


CHARTS = "https://charts.example/stable"


def test_a_chart_takes_secrets_of_any_type_and_the_authority_of_its_host() -> None:
    secrets = [
        secret("h", type="helm", url=CHARTS, username="h", password="x", enableOCI="true"),
        secret("t", kind="repo-creds", type="helm", url="registry.example", username="t", password="x"),
        secret(
            "longer", kind="repo-creds", url="registry.example/team", bearerToken="tok", insecureOCIForceHttp="true"
        ),
    ]
    maps = [configmap("argocd-tls-certs-cm", **{"charts.example": "PEM", "registry.example": "REG"})]

    def of(repository: str) -> Credentials:
        return choose(ChartPlace(repository=repository, chart="shop").key, secrets, maps)

    assert of(CHARTS) == Credentials(username="h", password="x", enable_oci=True, tls_ca="PEM")
    assert of("https://charts.example:8443/other") == Credentials(tls_ca="PEM")
    for repository in ("registry.example/team", "oci://registry.example/team"):
        assert of(repository) == Credentials(bearer_token="tok", plain_http=True, tls_ca="REG")
    assert of("registry.example/other") == Credentials(username="t", password="x", tls_ca="REG")
    assert choose(CHARTS, secrets, []) == Credentials()  # the same address as a Git repository


def test_a_chart_repository_is_found_by_its_name_where_the_project_may() -> None:
    secrets = [
        secret("g", type="git", url=URL),
        secret("h", type="helm", url=CHARTS, project="team"),
    ]
    for one in secrets:
        one["stringData"] = {"name": "stable"}
    assert [named_repository("stable", secrets, project) for project in ("team", "other")] == [CHARTS, ""]
