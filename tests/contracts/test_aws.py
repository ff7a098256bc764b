"""The promises of ports.aws: keys are found where botocore, AWS's own library, finds them, and what is signed is signed as it signs."""

import asyncio
import base64
import json
import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request as Plain
from urllib.request import urlopen

import pytest
import structlog
from aiohttp import web
from botocore.loaders import Loader
from botocore.session import Session

from contracts.aws_server import CANARY, Aws, aws_server
from core.sets.given import World, made
from kilde.adapters.aws.identities import AwsIdentities
from kilde.adapters.aws.places import endpoint
from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster.access import Credential
from kilde.adapters.cluster.aws_token import AwsToken
from kilde.adapters.web_client import WebClient
from kilde.core.apps.cluster_secrets import AwsCluster
from kilde.core.basics.errors import ClusterError
from kilde.core.sets.outside import Answer, AwsCall, Request
from kilde.ports.aws import AwsError
from kilde.testing.clock import FakeClock

ROLE = "arn:aws:iam::111122223333:role/{}"
CALL = Request(url="https://codecommit.amazonaws.com/", method="POST", aws=AwsCall(service="codecommit"))


@pytest.fixture
def server() -> Iterator[tuple[str, Aws]]:
    with aws_server() as running:
        yield running


@pytest.fixture
def environment(server: tuple[str, Aws], tmp_path: Path) -> dict[str, str]:
    """One in which everything of AWS is the server, and nothing gives keys but its machine."""
    return {
        "HOME": str(tmp_path),
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",  # which is all that botocore looks at
        "AWS_ENDPOINT_URL": server[0],
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": server[0],
    }


def who(environment: dict[str, str], server: Aws, role: str = "") -> str:
    """The access key that a call was signed with; the server has looked at its signature."""
    server.repositories = {}
    call = Request(
        url=CALL.url, method="POST", headers={"X-Amz-Target": "CodeCommit_20150413.ListRepositories"}, body=b"{}",
        aws=AwsCall(service="codecommit", role=role),
    )  # fmt: skip

    async def ask() -> Answer:
        client = WebClient(AwsIdentities(SystemClock(), environment))
        try:
            return await client.request(call)
        finally:
            await client.close()

    assert asyncio.run(ask()).status == 200
    return server.asked.pop()[1]["by"]


WAYS: dict[str, tuple[dict[str, str], str, str, str]] = {
    "environment": ({"AWS_ACCESS_KEY_ID": "env", "AWS_PROFILE": "plain"}, "", "[plain]\n{keys:other}", "AKIAENV"),
    "default": ({}, "[default]\nregion = us-east-1\n", "[default]\n{keys:plain}", "AKIAPLAIN"),
    "a profile": ({"AWS_PROFILE": "ops"}, "[profile ops]\n{keys:ops}", "", "AKIAOPS"),
    "both files": ({"AWS_PROFILE": "ops"}, "[profile ops]\n{keys:stale}", "[ops]\n{keys:ops}", "AKIAOPS"),
    "a role": (
        {"AWS_PROFILE": "ops"},
        "[profile ops]\nrole_arn = {role:deploy}\nsource_profile = base\nexternal_id = x&y=1\nduration_seconds = 900\n",
        "[base]\n{keys:base}",
        "AKIADEPLOY",
    ),
    "a role of a role": (
        {"AWS_PROFILE": "ops"},
        "[profile ops]\nrole_arn = {role:deploy}\nsource_profile = mid\n[profile mid]\nrole_arn = {role:mid}\nsource_profile = base\n",
        "[base]\n{keys:base}",
        "AKIADEPLOY",
    ),
    "a role of its own keys": (
        {"AWS_PROFILE": "ops"},
        "[profile ops]\nrole_arn = {role:deploy}\nsource_profile = ops\n{keys:ops}",
        "",
        "AKIADEPLOY",
    ),
    "a role from the machine": (
        {},
        "[default]\nrole_arn = {role:deploy}\ncredential_source = Ec2InstanceMetadata\n",
        "",
        "AKIADEPLOY",
    ),
    "a role from the container": (
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "{server}/agent"},
        "[default]\nrole_arn = {role:deploy}\ncredential_source = EcsContainer\n",
        "",
        "AKIADEPLOY",
    ),
    "web identity": (
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "{token}", "AWS_ROLE_ARN": "{role:web}"},
        "",
        "",
        "AKIAWEB",
    ),
    "web identity of a profile": (
        {"AWS_PROFILE": "ops"},
        "[profile ops]\nrole_arn = {role:web}\nweb_identity_token_file = {token}\n",
        "",
        "AKIAWEB",
    ),
    "container": ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "{server}/agent"}, "", "", "AKIACONTAINER"),
    "container with a token": (
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "{server}/agent", "AWS_CONTAINER_AUTHORIZATION_TOKEN": f"Basic {CANARY}"},
        "",
        "",
        "AKIACONTAINER",
    ),
    "container with a token's file": (
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "{server}/agent", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "{token}"},
        "",
        "",
        "AKIACONTAINER",
    ),
    "machine": ({}, "", "", "AKIAMACHINE"),
}  # fmt: skip


def written(text: str, server: tuple[str, Aws], folder: Path) -> str:
    """A setting or a file with what only the run knows."""
    for name in ("plain", "ops", "stale", "base", "other"):
        if f"{{keys:{name}}}" in text:
            access, secret, token = server[1].of(name)
            keys = f"aws_access_key_id = {access}\naws_secret_access_key = {secret}\naws_session_token = {token}\n"
            text = text.replace(f"{{keys:{name}}}", keys)
    for name in ("deploy", "mid", "web"):
        text = text.replace(f"{{role:{name}}}", ROLE.format(name))
    return text.replace("{server}", server[0]).replace("{token}", str(folder / "token"))


@pytest.mark.parametrize("way", WAYS)
def test_keys_are_found_where_awss_own_library_finds_them(
    way: str, server: tuple[str, Aws], environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, config, secrets, expected = WAYS[way]
    (tmp_path / "token").write_text(f"web-{CANARY}")
    (tmp_path / ".aws").mkdir()
    for name, text in (("config", config), ("credentials", secrets)):
        (tmp_path / ".aws" / name).write_text(written(text, server, tmp_path))
    environment |= {key: written(value, server, tmp_path) for key, value in settings.items()}
    if settings.get("AWS_ACCESS_KEY_ID"):
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        environment |= dict(zip(names, server[1].of("env"), strict=True))
    assert who(environment, server[1]) == expected
    ours, server[1].asked[:] = list(server[1].asked), []

    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = Session().get_credentials()
    assert found is not None
    keys = found.get_frozen_credentials()
    assert (keys.access_key, (keys.secret_key, keys.token)) == (expected, server[1].keys[expected])
    assert ours == server[1].asked


def test_the_role_of_a_block_is_asked_for_with_what_was_found(
    server: tuple[str, Aws], environment: dict[str, str]
) -> None:
    assert who(environment, server[1], ROLE.format("reader")) == "AKIAREADER"
    assert server[1].asked == [("AssumeRole", {"by": "AKIAMACHINE", "RoleArn": ROLE.format("reader")})]


def test_services_are_where_awss_own_library_has_them() -> None:
    """Where it knows a region. It has CodeCommit's by a table, the others by the same rule as all services."""
    partitions = Loader().load_data("partitions")["partitions"]
    regions = {
        region: part["outputs"]["dnsSuffix"]
        for part in partitions
        for region in part["regions"]
        if "global" not in region
    }
    assert len(regions) > 30
    assert {r: endpoint("codecommit", r, {}) for r in regions} == {
        r: f"https://codecommit.{r}.{end}" for r, end in regions.items()
    }
    named = {"AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_RESOURCE_GROUPS_TAGGING_API": "http://tags/"}
    assert [endpoint(service, "eu-west-1", named) for service in ("tagging", "sts")] == ["http://tags", "http://all"]
    for text in ("", "eu-west-1.evil.example/", "eu", "eu-west-1@evil.example", "EU-WEST-1", "x" * 500):
        with pytest.raises(AwsError, match="region") as told:
            endpoint("sts", text, {})
        assert len(str(told.value)) < 200


def test_a_cluster_of_eks_is_entered_by_an_address_that_the_token_service_takes(
    server: tuple[str, Aws], environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text(written("[profile ops]\n{keys:ops}", server, tmp_path))
    clock = FakeClock(SystemClock().now())
    identities = AwsIdentities(clock, environment)

    async def story() -> list[Credential]:
        source = AwsToken(AwsCluster(name="prod", role=ROLE.format("deploy"), profile="ops"), identities, clock)
        first = await source.current()
        again = [await source.current(), await source.current(refused=Credential("Bearer another"))]
        await clock.advance(1)
        again.append(await source.current(refused=first))
        await clock.advance(14 * 60)
        return [first, *again, await source.current()]

    found = [one.authorization for one in asyncio.run(story())]
    assert [found.index(one) for one in found] == [0, 0, 0, 3, 4]
    assert [name for name, _ in server[1].asked] == ["AssumeRole"]
    for authorization in found:
        kind, _, token = authorization.partition(" k8s-aws-v1.")
        address = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        assert (kind, token.strip("=") == token) == ("Bearer", True)
        with urlopen(Plain(address, headers={"x-k8s-aws-id": "prod"})) as answer:
            assert answer.read() == b"<Arn>AKIADEPLOY at prod</Arn>"
        query = {key: values[0] for key, values in parse_qs(urlsplit(address).query).items()}
        told = {key: query[key] for key in ("Action", "Version", "X-Amz-Expires", "X-Amz-SignedHeaders")}
        assert told == {
            "Action": "GetCallerIdentity", "Version": "2011-06-15", "X-Amz-Expires": "60", "X-Amz-SignedHeaders": "host;x-k8s-aws-id",
        }  # fmt: skip


def test_keys_are_kept_until_they_end_soon_and_longer_where_nobody_answers(
    server: tuple[str, Aws], environment: dict[str, str]
) -> None:
    clock = FakeClock(SystemClock().now())
    server[1].now = clock.now
    environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"{server[0]}/agent"
    identities = AwsIdentities(clock, environment)
    looks = []

    async def story() -> None:
        for seconds in (0, 3200, 200, 3299, 200):
            await clock.advance(seconds)
            await identities.signed(CALL)
            looks.append(len(server[1].asked))
            if seconds == 3299:
                server[1].answers["/agent"] = partial(web.Response, status=500)
        await clock.advance(400)
        with pytest.raises(AwsError, match="refuses: 500"):
            await identities.signed(CALL)

    asyncio.run(story())
    assert looks == [1, 1, 2, 2, 2]


REPOSITORIES: dict[str, dict[str, Any]] = {
    "shop": {"tagged": True, "branches": ["main", "dev", "f/x"], "folders": {"/": ["deploy", "a"], "/a/b": ["c.yaml"]}},
    "empty": {"tagged": True, "default": "", "branches": []},
    "web": {"branches": ["trunk"], "default": "trunk"},
    "api": {"tagged": True, "branches": ["main"], "folders": {"/": ["x"]}},
    "docs": {"branches": ["main"]},
}


class Signed(World):
    """A world whose requests are sent."""

    def __init__(self, environment: dict[str, str]) -> None:
        super().__init__()
        self.environment = environment

    def request(self, request: Request) -> Answer:
        async def ask() -> Answer:
            client = WebClient(AwsIdentities(SystemClock(), self.environment))
            try:
                return await client.request(request)
            finally:
                await client.close()

        return asyncio.run(ask())


def generated(environment: dict[str, str], block: dict[str, Any], **provider: Any) -> list[str]:
    """What a set makes of CodeCommit: each Application's name as its template has it; its error."""
    template = {
        "metadata": {"name": "{{ .repository }}-{{ .branchNormalized }}"},
        "spec": {
            "project": "{{ .organization }} {{ .url }} {{ .branch }} [{{ .sha }}{{ .short_sha }}] {{ .repository_id }} {{ .labels }}"
        },
    }
    generator = {"scmProvider": {"awsCodeCommit": block, **provider}}
    found = made({"goTemplate": True, "generators": [generator], "template": template}, Signed(environment))
    if found.error:
        return [found.error]
    return [body["metadata"]["name"] for body in found.applications] + [found.applications[0]["spec"]["project"]]


def test_repositories_of_codecommit(server: tuple[str, Aws], environment: dict[str, str]) -> None:
    server[1].repositories = REPOSITORIES
    host = "git-codecommit.eu-west-1.amazonaws.com/v1/repos"
    shop = f"111122223333 ssh://{host}/shop main [] id-shop "
    assert generated(environment, {}) == ["shop-main", "web-trunk", "api-main", "docs-main", shop]
    assert server[1].asked[0] == ("ListRepositories", {"by": "AKIAMACHINE"})

    del server[1].asked[:]
    tags = [{"key": "team", "value": "a"}, {"key": "live"}, {"key": "team", "value": "b"}]
    block = {"role": ROLE.format("reader"), "region": "eu-central-1", "tagFilters": tags, "allBranches": True}
    fips = shop.replace("ssh://git-codecommit", "https://git-codecommit-fips").strip() + " "
    assert generated(environment, block, cloneProtocol="https-fips") == [
        "shop-main", "shop-dev", "shop-f-x", "api-main", fips,
    ]  # fmt: skip
    chosen = [{"Key": "live"}, {"Key": "team", "Values": ["a", "b"]}]
    resources = {"ResourceTypeFilters": ["codecommit:repository"], "TagFilters": chosen}
    assert [asked for name, asked in server[1].asked if name == "GetResources"] == [
        {"by": "AKIAREADER", **resources}, {"by": "AKIAREADER", **resources, "PaginationToken": "2"},
    ]  # fmt: skip

    for path, names in (
        ("deploy", ["shop-main"]),
        ("a/b/c.yaml", ["shop-main"]),
        ("/", ["shop-main", "web-trunk", "api-main", "docs-main"]),
    ):
        assert generated(environment, {}, filters=[{"pathsExist": [path]}])[:-1] == names
    assert generated(environment, {}, filters=[{"pathsDoNotExist": ["deploy"], "branchMatch": "main"}])[:-1] == [
        "api-main",
        "docs-main",
    ]
    assert generated(environment, {}, cloneProtocol="ftp") == ["unknown clone protocol for codecommit ftp"]


DENIED, LONG = {"__type": "x#AccessDeniedException", "message": CANARY}, f"{CANARY} {'x' * 9000}"
HOSTILE = {
    "not JSON": (web.Response, {"text": f"<html>{CANARY}"}, "answered 200 to ListRepositories"),
    "a list": (web.json_response, {"data": [CANARY]}, "answered 200 to ListRepositories"),
    "refused": (web.json_response, {"data": DENIED, "status": 400}, "400 AccessDeniedException"),
    "a code that is none": (web.json_response, {"data": {"__type": LONG}, "status": 400}, "answered 400 to ListRepositories"),
    "without end": (web.json_response, {"data": {"repositories": [], "nextToken": "1"}}, "more than 500 pages"),
    "too large": (web.Response, {"body": b"x" * (17 << 20)}, "the answer has more than"),
    "elsewhere": (web.Response, {"status": 307, "headers": {"Location": "http://127.0.0.2:1/"}}, "answered 307"),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_an_answer_that_is_none_ends_the_set_and_says_no_secret(
    what: str, server: tuple[str, Aws], environment: dict[str, str]
) -> None:
    make, settings, words = HOSTILE[what]
    server[1].answers["codecommit"] = partial(make, **settings)
    if what == "without end":
        environment |= dict(
            zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), server[1].of("e"), strict=True)
        )
    (told,) = generated(environment, {})
    assert words in told
    assert (CANARY in told, len(told) < 400) == (False, True)


KEYS = {"AccessKeyId": "AKIA", "SecretAccessKey": CANARY, "Token": CANARY}
WRONG: dict[str, str | dict[str, str]] = {
    "a page": f"<html>{CANARY}</html>",
    "no keys": {"Token": CANARY},
    "another shape": "[" * 100_000,
    "a line break": {**KEYS, "AccessKeyId": "AKIA\r\nX-Evil: 1"},
    "no time": {**KEYS, "Expiration": f"soon {CANARY}"},
    "too large": {**KEYS, "more": "x" * (1 << 19)},
}


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("where", ["container", "machine", "sts"])
def test_keys_that_are_none_are_refused_without_a_word_of_them(
    what: str, where: str, server: tuple[str, Aws], environment: dict[str, str], capsys: Any, caplog: Any
) -> None:
    wrong = WRONG[what]
    text = wrong if isinstance(wrong, str) else json.dumps(wrong)
    if where == "sts" and isinstance(wrong, dict):
        text = "".join(f"<{key}>{value}</{key}>" for key, value in wrong.items())
    path = {"container": "/agent", "machine": "/latest/meta-data/iam/security-credentials/machine", "sts": "sts"}[where]
    server[1].answers[path] = partial(web.Response, text=text)
    if where == "container":
        environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"{server[0]}/agent"
    caplog.set_level(logging.DEBUG)
    call = Request(url=CALL.url, aws=AwsCall(service="codecommit", role=ROLE.format("x") if where == "sts" else ""))
    with pytest.raises(AwsError) as told, structlog.testing.capture_logs() as logs:
        asyncio.run(AwsIdentities(SystemClock(), environment).signed(call))
    heard = [one.getMessage() for one in caplog.records if not one.name.startswith("botocore")]  # that is the server's
    said = f"{told.value}{told.value.hint}{logs}{heard}{capsys.readouterr()}"
    assert CANARY not in said
    assert len(str(told.value)) < 400


@pytest.mark.parametrize(
    ("settings", "config", "words"),
    [
        ({"AWS_EC2_METADATA_DISABLED": "true"}, "", "there are no credentials of AWS"),
        ({"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1"}, "", "the machine's metadata: cannot be asked"),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://evil.example/agent"}, "", "are at no address that may be asked"),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://[::1/agent"}, "", "are at no address that may be asked"),
        ({"AWS_PROFILE": "gone"}, "", "AWS profile gone: is in neither of the shared files"),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere", "AWS_ROLE_ARN": "r"}, "", "/nowhere: the token file cannot be read"),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere"}, "", "a web identity and no role"),
        ({}, f"aws_secret_access_key {CANARY}\n", "neither a section nor a setting"),
        ({}, f"[default]\ncredential_process = /bin/echo {CANARY}\n", "credential_process is not supported"),
        ({}, f"[default]\nsso_start_url = https://{CANARY}\n", "sso_start_url is not supported"),
        ({}, "[default]\nrole_arn = r\n", "neither a source_profile nor a credential_source"),
        ({}, "[default]\nrole_arn = r\nsource_profile = b\n[profile b]\nrole_arn = r\nsource_profile = default\n", "name each other"),
        ({}, f"[default]\nx = {'y' * (1 << 20)}\n", "has more than 1048576 bytes"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, "", "no region is named"),
    ],
)  # fmt: skip
def test_what_leads_to_no_keys_is_told_in_one_sentence(
    settings: dict[str, str], config: str, words: str, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text(config)
    identities = AwsIdentities(SystemClock(), environment | settings)

    async def story() -> None:
        with pytest.raises(AwsError, match=words) as told:
            await identities.signed(CALL)
        assert CANARY not in f"{told.value} {told.value.hint}"
        with pytest.raises(ClusterError, match=words) as refused:
            await AwsToken(AwsCluster(name="prod"), identities, SystemClock()).current()
        assert "AWS identity for cluster prod: " in str(refused.value)

    asyncio.run(story())
