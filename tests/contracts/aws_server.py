"""What Kilde asks of AWS, on one port: the token service, CodeCommit and the tagging API, a machine's metadata, a container's agent.

A request to a service is refused unless botocore, AWS's own library, signs it the same way.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, parse_qsl

import botocore.auth
from aiohttp import web
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from contracts.beside import answering

CANARY = "canary/Secret+"
PAGE = 2


class Aws:
    """`keys`: access key → secret and token of whoever there is. `answers`: by service or path, instead of what is there."""

    def __init__(self) -> None:
        self.keys: dict[str, tuple[str, str]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.answers: dict[str, Callable[[], web.Response]] = {}
        self.repositories: dict[str, dict[str, Any]] = {}
        self.lasts = 3600.0
        self.now = datetime.now(UTC).timestamp

    def of(self, name: str) -> tuple[str, str, str]:
        """Keys for somebody: access, secret, token; the same for the same name."""
        self.keys[f"AKIA{name.upper()}"] = (f"{CANARY}{name}", f"{CANARY}token/{name}")
        return (f"AKIA{name.upper()}", *self.keys[f"AKIA{name.upper()}"])

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        if request.path in self.answers:
            return self.answers[request.path]()
        if request.path == "/latest/api/token":
            return web.Response(text="imds-token", status=200 if request.method == "PUT" else 405)
        if request.path.startswith("/latest/"):
            return self._machine(request)
        if request.path == "/agent":
            self.asked.append(("agent", {"authorization": request.headers.get("Authorization", "")}))
            return web.json_response(self._as_json("container"))
        form = dict(parse_qsl(body.decode("utf-8", "replace")))
        if form.get("Action") == "AssumeRoleWithWebIdentity":
            return self._role(form)
        service, access = self._signed(request, body)
        if not service:
            return web.Response(status=403, text=f"<Error><Code>SignatureDoesNotMatch</Code>{CANARY}</Error>")
        if service == "sts" and request.method == "GET":
            return web.Response(text=f"<Arn>{access} at {request.headers['x-k8s-aws-id']}</Arn>")
        if service == "sts":
            return self._role(form, access)
        action = request.headers["X-Amz-Target"]
        self.asked.append((action.partition(".")[2], {"by": access, **json.loads(body)}))
        if service in self.answers:
            return self.answers[service]()
        return getattr(self, f"_{action.partition('.')[2]}")(json.loads(body))  # type: ignore[no-any-return]

    def _machine(self, request: web.Request) -> web.Response:
        if request.headers.get("X-aws-ec2-metadata-token") != "imds-token":
            return web.Response(status=401)
        role = request.path.rpartition("/")[2]
        return web.json_response({"Code": "Success", **self._as_json(role)}) if role else web.Response(text="machine\n")

    def _as_json(self, name: str) -> dict[str, str]:
        access, secret, token = self.of(name)
        return {"AccessKeyId": access, "SecretAccessKey": secret, "Token": token, "Expiration": self._ends()}

    def _ends(self) -> str:
        return datetime.fromtimestamp(self.now() + self.lasts, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _role(self, form: dict[str, str], by: str = "") -> web.Response:
        named = {
            key: form[key] for key in ("RoleArn", "ExternalId", "WebIdentityToken", "DurationSeconds") if key in form
        }
        self.asked.append((form["Action"], {"by": by, **named}))
        if "sts" in self.answers:
            return self.answers["sts"]()
        access, secret, token = self.of(form["RoleArn"].rpartition("/")[2])
        keys = f"<AccessKeyId>{access}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey><SessionToken>{token}</SessionToken>"
        action = form["Action"]
        return web.Response(
            content_type="text/xml",
            text=f"<{action}Response><{action}Result><Credentials>{keys}<Expiration>{self._ends()}</Expiration></Credentials>"
            f"</{action}Result></{action}Response>",
        )

    def _ListRepositories(self, asked: dict[str, Any]) -> web.Response:  # noqa: N802
        return self._listed([{"repositoryName": name} for name in self.repositories], "repositories", asked)

    def _ListBranches(self, asked: dict[str, Any]) -> web.Response:  # noqa: N802
        return self._listed(self.repositories[asked["repositoryName"]]["branches"], "branches", asked)

    def _listed(self, found: list[Any], key: str, asked: dict[str, Any]) -> web.Response:
        begin = int(asked.get("nextToken") or 0)
        more = {"nextToken": str(begin + PAGE)} if begin + PAGE < len(found) else {}
        return web.json_response({key: found[begin : begin + PAGE], **more})

    def _GetRepository(self, asked: dict[str, Any]) -> web.Response:  # noqa: N802
        name = asked["repositoryName"]
        host = "git-codecommit.eu-west-1.amazonaws.com/v1/repos"
        known = {"accountId": "111122223333", "repositoryId": f"id-{name}", "repositoryName": name}
        known |= {"cloneUrlHttp": f"https://{host}/{name}", "cloneUrlSsh": f"ssh://{host}/{name}"}
        default = self.repositories[name].get("default", "main")
        return web.json_response({"repositoryMetadata": known | ({"defaultBranch": default} if default else {})})

    def _GetFolder(self, asked: dict[str, Any]) -> web.Response:  # noqa: N802
        found = self.repositories[asked["repositoryName"]].get("folders", {}).get(asked["folderPath"])
        if found is None:
            return web.json_response({"__type": "com.amazonaws.codecommit#FolderDoesNotExistException"}, status=400)
        return web.json_response(
            {"commitId": "c", "files": [{"relativePath": name} for name in found], "subFolders": []}
        )

    def _GetResources(self, asked: dict[str, Any]) -> web.Response:  # noqa: N802
        begin = int(asked.get("PaginationToken") or 0)
        names = [name for name, one in self.repositories.items() if one.get("tagged")]
        arns = [{"ResourceARN": f"arn:aws:codecommit:eu-west-1:111122223333:{name}"} for name in names]
        more = str(begin + PAGE) if begin + PAGE < len(arns) else ""
        return web.json_response({"ResourceTagMappingList": arns[begin : begin + PAGE], "PaginationToken": more})

    def _signed(self, request: web.Request, body: bytes) -> tuple[str, str]:
        """The service and the access key of a request that botocore signs the same way at that time; ("", "") of another."""
        query = {key: values[0] for key, values in parse_qs(request.query_string).items()}
        proof = request.headers.get("Authorization", "").replace(",", "").split()[1:]
        parts = dict(part.split("=", 1) for part in proof)
        credential = parts.get("Credential") or query.get("X-Amz-Credential", "")
        access, day, region, service, _ = (*credential.split("/"), *[""] * 5)[:5]
        if access not in self.keys:
            return "", ""
        secret, token = self.keys[access]
        names = (parts.get("SignedHeaders") or query.get("X-Amz-SignedHeaders", "")).split(";")
        stamp = request.headers.get("x-amz-date") or query.get("X-Amz-Date", "")
        own = {
            name: request.headers[name] for name in names if name not in ("host", "x-amz-date", "x-amz-security-token")
        }
        plain = {key: value for key, value in query.items() if not key.startswith("X-Amz-")}
        again = AWSRequest(request.method, f"http://{request.host}{request.path}", own, body, plain)
        credentials = Credentials(access, secret, token if "ecurity" in str([*names, *query]) else None)
        signer = (
            SigV4QueryAuth(credentials, service, region, int(query["X-Amz-Expires"]))
            if plain
            else SigV4Auth(credentials, service, region)
        )
        moment = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        with patch.object(botocore.auth, "get_current_datetime", lambda **_: moment.replace(tzinfo=None)):
            signer.add_auth(again)
        if plain:
            signature = parse_qs(again.url.partition("?")[2])["X-Amz-Signature"][0]
            same = signature == query["X-Amz-Signature"]
        else:
            same = again.headers["Authorization"].rpartition("=")[2] == parts["Signature"]
        return (service, access) if same and stamp.startswith(day) else ("", "")


@contextmanager
def aws_server() -> Iterator[tuple[str, Aws]]:
    """A running one: its address, and what it knows."""
    aws = Aws()
    with answering(aws.answer) as address:
        yield address, aws
