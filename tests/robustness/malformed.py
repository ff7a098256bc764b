"""Requests that no well-behaved client sends, drawn by lot: paths, queries, headers, bodies, patches, protobuf, framing."""

import gzip
import json
import random
import string
import struct
from typing import NamedTuple

_ROOTS = (
    "/api/v1/namespaces/default/configmaps",
    "/api/v1/namespaces/default/pods",
    "/apis/apps/v1/namespaces/default/deployments",
    "/api/v1/nodes",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "/api/v1/namespaces",
    "/openapi/v3",
    "/apis",
)
_METHODS = (
    "GET",
    "GET",
    "POST",
    "POST",
    "PUT",
    "PATCH",
    "PATCH",
    "PATCH",
    "DELETE",
    "HEAD",
    "OPTIONS",
    "TRACE",
    "CONNECT",
)
_MEDIA = (
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/merge-patch+json",
    "application/json-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "application/cbor",
    "text/plain; charset=\xff",
    "application/json;;;=",
    "",
    "*/*",
)
_ODD_TEXT = (
    "",
    " ",
    "\x00",
    "..",
    "%",
    "%zz",
    "a" * 300,
    "\u202e",
    "ä",
    "=",
    ",",
    "!a",
    "a in (",
    "a notin (b,,",
    "==",
    "a=b=c",
    "-1",
    "9" * 30,
    "1e9",
    "null",
    "[]",
    "{}",
)


class Request(NamedTuple):
    """What is sent: the bytes of one request. `whole` says whether an answer is due on this connection."""

    data: bytes
    whole: bool = True


def request(dice: random.Random, token: str) -> Request:
    """One request of a random kind."""
    method, path = dice.choice(_METHODS), _path(dice)
    body = _body(dice) if method in ("POST", "PUT", "PATCH", "DELETE") or dice.random() < 0.05 else b""
    headers = [f"Host: x\r\nAuthorization: Bearer {token}", *_headers(dice)]
    media = dice.choice(_MEDIA)
    headers.append(f"Content-Type: {media}")
    whole = True
    roll = dice.random()
    if roll < 0.03:
        headers.append(f"Content-Length: {dice.choice(['-1', 'x', '1, 2', '99999999999999999999', ' ', '+3'])}")
        whole = False
    elif roll < 0.06:
        headers.append("Transfer-Encoding: chunked")
        body = dice.choice(
            [b"zz\r\nabc\r\n0\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n", b"ffffffffffffffff\r\n", b"3\r\nabcdef", b"0\r\n\r\n"]
        )
        whole = False
    else:
        headers.append(f"Content-Length: {len(body)}")
    if roll > 0.97:
        body, headers = (
            gzip.compress(body),
            [*headers[:-1], "Content-Encoding: gzip", f"Content-Length: {len(gzip.compress(body))}"],
        )
    head = f"{method} {path} HTTP/1.1\r\n" + "\r\n".join(headers) + "\r\n\r\n"
    data = head.encode("latin-1", "replace") + body
    if dice.random() < 0.03:
        data, whole = _scrambled(dice, data), False
    return Request(data, whole)


def _scrambled(dice: random.Random, data: bytes) -> bytes:
    found = bytearray(data)
    for _ in range(dice.randint(1, 20)):
        found[dice.randrange(len(found))] = dice.randrange(256)
    return bytes(found)


def _path(dice: random.Random) -> str:
    path = dice.choice(_ROOTS)
    for _ in range(dice.randint(0, 3)):
        word = dice.choice(
            [
                "x",
                "status",
                "scale",
                "log",
                "watch",
                "..",
                ".",
                "",
                "%2e%2e",
                "%00",
                "%ff%fe",
                "a" * dice.randint(1, 400),
                "%2F",
                _letters(dice),
            ]
        )
        path += f"/{word}"
    if dice.random() < 0.6:
        names = [
            "labelSelector",
            "fieldSelector",
            "resourceVersion",
            "resourceVersionMatch",
            "limit",
            "continue",
            "timeoutSeconds",
            "dryRun",
            "fieldManager",
            "fieldValidation",
            "force",
            "propagationPolicy",
            "gracePeriodSeconds",
            "includeObject",
            "sendInitialEvents",
            "hash",
            "container",
            "tailLines",
            _letters(dice),
        ]
        path += "?" + "&".join(
            f"{dice.choice(names)}={_quoted(dice.choice([*_ODD_TEXT, _letters(dice)]))}"
            for _ in range(dice.randint(1, 4))
        )
    return path


def _quoted(text: str) -> str:
    return "".join(
        f"%{byte:02x}" if byte <= 32 or byte > 126 or chr(byte) in "&#" else chr(byte) for byte in text.encode()
    )


def _letters(dice: random.Random) -> str:
    return "".join(dice.choices(string.ascii_letters + string.digits + "-._~!$'()*+,;=:@", k=dice.randint(1, 12)))


def _headers(dice: random.Random) -> list[str]:
    odd = [
        "Accept: application/json;as=Table;v=v9;g=x",
        "Accept: ,,,;q=x",
        "Accept: " + "a/b," * dice.randint(1, 300),
        "Accept: application/vnd.kubernetes.protobuf",
        "Accept-Encoding: gzip;q=nope, *",
        "If-None-Match: " + _letters(dice),
        "Impersonate-User: ",
        "Impersonate-User: " + _letters(dice),
        "Impersonate-Group: x",
        "Impersonate-Extra-%zz: a",
        "User-Agent: " + "\xe4" * dice.randint(0, 200),
        "X-" + "y" * dice.randint(1, 2000) + ": z",
        "Expect: 100-continue",
        "Authorization: Basic x",
        "Range: bytes=0-",
    ]
    return dice.sample(odd, dice.choice([0, 0, 1, 2]))


def _body(dice: random.Random) -> bytes:
    return dice.choice(_BODIES)(dice)


def _object(dice: random.Random) -> dict[str, object]:
    found: dict[str, object] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "x", "labels": {"a": "b"}},
        "data": {"a": "b"},
    }
    for _ in range(dice.randint(1, 4)):
        holder = dice.choice([found, found["metadata"]])
        key = dice.choice(
            [
                "apiVersion",
                "kind",
                "metadata",
                "data",
                "name",
                "labels",
                "finalizers",
                "ownerReferences",
                "managedFields",
                "resourceVersion",
                "uid",
                "spec",
                "generateName",
                "namespace",
                "deletionTimestamp",
            ]
        )
        if isinstance(holder, dict):
            holder[key] = dice.choice(
                [
                    None,
                    1,
                    -1,
                    1.5e308,
                    True,
                    "",
                    "x",
                    [],
                    {},
                    [None],
                    [{}],
                    {"a": None},
                    {"": {"": {}}},
                    "\ud800",
                    "9" * 400,
                    [[[[]]]],
                    10**30,
                ]
            )
    return found


def _mutated(dice: random.Random) -> bytes:
    return _scrambled(dice, json.dumps(_object(dice)).encode())


def _operations(dice: random.Random) -> bytes:
    paths = [
        "",
        "/",
        "/data",
        "/data/-",
        "/metadata/labels/~2",
        "/a/b/c",
        "nope",
        "/metadata/finalizers/999999999999",
        "/data/a",
        5,
        None,
    ]
    verbs = ["add", "remove", "replace", "move", "copy", "test", "x", None, 7]
    made = [
        {
            "op": dice.choice(verbs),
            "path": dice.choice(paths),
            "from": dice.choice(paths),
            "value": dice.choice([None, 1, {}, []]),
        }
        for _ in range(dice.randint(0, 5))
    ]
    if dice.random() < 0.1:
        made = [{"op": "copy", "from": "", "path": "/data/x"}] * 40  # doubles each time
    return json.dumps(made).encode()


def _directives(dice: random.Random) -> bytes:
    keys = [
        "$patch",
        "$retainKeys",
        "$setElementOrder/finalizers",
        "$deleteFromPrimitiveList/finalizers",
        "$setElementOrder/",
        "$nope",
    ]
    made = {
        "metadata": {dice.choice(keys): dice.choice([None, 1, "delete", "replace", [], [1], [{}], {}])},
        dice.choice(keys): dice.choice(["replace", 1, []]),
    }
    return json.dumps(made).encode()


def _yaml(dice: random.Random) -> bytes:
    bomb = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
        b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(12)
    )
    return dice.choice(
        [
            bomb,
            b"!!python/object/apply:os.system [x]",
            b"a: *nope",
            b"? [",
            b"- " * 5000,
            b"%YAML 9\n---\n",
            b"a: b: c",
            b"\t",
            b"{" * 3000,
            b"x: !!binary ###",
            b"---\n---\n---\n",
            b"a: .inf\nb: .nan\n",
            b"\xff\xfe\x00",
        ]
    )


def _protobuf(dice: random.Random) -> bytes:
    return b"k8s\x00" + dice.choice(
        [
            b"",
            dice.randbytes(dice.randint(0, 200)),
            b"\x0a\x0c\x0a\x02v1\x12\x06Secret\x12" + dice.randbytes(20),
            b"\x0a" + b"\xff" * 12,
            b"\x12" + struct.pack("<Q", dice.getrandbits(60)),
            b"\x0b" * 3000,
        ]
    )


def _deep(dice: random.Random) -> bytes:
    depth = dice.choice([100, 1000, 20_000])
    return dice.choice(
        [b"[" * depth, b'{"a":' * depth, b'{"metadata":' * depth + b"{}" + b"}" * depth, b"[" * depth + b"]" * depth]
    )


_BODIES = (
    lambda dice: json.dumps(_object(dice)).encode(),
    lambda dice: json.dumps(_object(dice)).encode(),
    _mutated,
    _mutated,
    _operations,
    _directives,
    _yaml,
    _protobuf,
    _protobuf,
    _deep,
    lambda dice: dice.randbytes(dice.randint(0, 300)),
    lambda dice: b"",
    lambda dice: b'{"a":1,"a":2,"a":{"b":1,"b":2}}',
    lambda dice: (
        b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"a":"'
        + b"y" * dice.choice([1000, 1_000_000, 4_000_000])
        + b'"}}'
        if dice.random() < 0.05
        else b"NaN"
    ),
)
