"""Packs the protobuf field numbers of Kubernetes' kinds into one generated Python module.

The facts come from the struct tags of the Go modules, not from generated.proto: only the tags tell inlined structs and pointers.

    go mod download -json k8s.io/api@v0.36.3        # and k8s.io/{apimachinery,apiextensions-apiserver,kube-aggregator}
    python tools/pack_protobuf.py DIRECTORY…        # the "Dir" of each

writes `src/kilde/kubeapi/resources/_protobuf_fields.py`, which is in the repository because a build machine need not have Go.
"""

import base64
import json
import re
import sys
import textwrap
import zlib
from collections.abc import Iterator
from pathlib import Path

from kilde.core.objects.ref import join_api_version
from kilde.kubeapi.resources.kinds import BUILTIN

TARGET = Path("src/kilde/kubeapi/resources/_protobuf_fields.py")

_STRUCT = re.compile(r"^type (\w+) struct ?\{(?:\}|\n(.*?)^\})", re.MULTILINE | re.DOTALL)
_ALIAS = re.compile(r"^type (\w+) (\[\][\w.]+|map\[\w+\][\w.*]+|string|int32|int64|bool)\b", re.MULTILINE)
_FIELD = re.compile(
    r'^\t(?:(\w+)\s+)?([*\[\]\w.]+)\s+`json:"([^"]*)"[^`]*?protobuf:"(\w+),(\d+),(\w+)[^`]*`', re.MULTILINE
)
_IMPORT = re.compile(r'^\s*(?:import )?(?:(\w+) )?"(k8s\.io/[^"]+)"', re.MULTILINE)

# Types with an encoding of their own in JSON.
_SPECIAL = {
    "k8s.io/apimachinery/pkg/apis/meta/v1.Time": "time",
    "k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime": "microtime",
    "k8s.io/apimachinery/pkg/apis/meta/v1.Duration": "duration",
    "k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1": "raw",
    "k8s.io/apimachinery/pkg/api/resource.Quantity": "quantity",
    "k8s.io/apimachinery/pkg/util/intstr.IntOrString": "intorstring",
    "k8s.io/apimachinery/pkg/runtime.RawExtension": "raw",
    "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON": "raw",
    "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrArray": "schemaorarray",
    "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrBool": "schemaorbool",
    "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrStringArray": "schemaorstrings",
}
_SCALARS = {
    "string": "string",
    "bool": "bool",
    "int": "int",
    "int32": "int",
    "int64": "int",
    "uint32": "int",
    "uint64": "int",
    "float64": "double",
    "[]byte": "bytes",
    "byte": "bytes",
}
# Kinds that are sent or answered but are not served resources, and what lists begin with.
_META = "k8s.io/apimachinery/pkg/apis/meta/v1."
_FURTHER = (
    *(
        _META + name
        for name in (
            "APIGroup",
            "APIGroupList",
            "APIResourceList",
            "APIVersions",
            "DeleteOptions",
            "ListMeta",
            "PartialObjectMetadata",
            "Status",
        )
    ),
    "k8s.io/api/autoscaling/v1.Scale",
    "k8s.io/api/policy/v1.Eviction",
    "k8s.io/api/authentication/v1.TokenRequest",
)
_PACKAGES = {
    "": "core",
    "admissionregistration.k8s.io": "admissionregistration",
    "certificates.k8s.io": "certificates",
    "rbac.authorization.k8s.io": "rbac",
}


class Package:
    """The structs and aliases of one Go package."""

    def __init__(self, path: str, folder: Path) -> None:
        self.path = path
        self.structs: dict[str, str] = {}
        self.aliases: dict[str, str] = {}
        self.imports: dict[str, str] = {}
        for file in sorted(folder.glob("*.go")):
            if file.name.startswith("zz_") or file.name.endswith("_test.go") or file.name == "generated.pb.go":
                continue
            text = file.read_text(encoding="utf-8")
            self.structs |= dict(_STRUCT.findall(text))
            self.aliases |= dict(_ALIAS.findall(text))
            for name, path_ in _IMPORT.findall(text):
                self.imports[name or path_.rpartition("/")[2]] = path_


class Reader:
    """Reads packages from module folders, each when first needed."""

    def __init__(self, folders: list[Path]) -> None:
        self._folders = {self._module(folder): folder for folder in folders}
        self._packages: dict[str, Package] = {}
        self.messages: dict[str, list[list[object]]] = {}

    @staticmethod
    def _module(folder: Path) -> str:
        return re.search(r"^module (\S+)", (folder / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)[1]  # type: ignore[index]

    def folder(self, path: str) -> Path:
        """Where a package's sources are."""
        module = next(name for name in self._folders if path == name or path.startswith(f"{name}/"))
        return self._folders[module] / path.removeprefix(module).lstrip("/")

    def package(self, path: str) -> Package:
        """A package, read once."""
        if path not in self._packages:
            self._packages[path] = Package(path, self.folder(path))
        return self._packages[path]

    def read(self, name: str) -> None:
        """Adds a message and all it refers to."""
        if name in self.messages:
            return
        path, _, struct = name.rpartition(".")
        package = self.package(path)
        fields = self.messages[name] = []
        for field, kind, tag, _wire, number, label in _FIELD.findall(package.structs[struct]):
            key, *options = tag.split(",")
            code = self._code(package, kind, repeated=label == "rep")
            flags = ("*" if kind.startswith("*") else "") + ("+" if "inline" in options or not key else "")
            flags += "" if "omitempty" in options or "omitzero" in options else "!"
            fields.append([int(number), key or field or kind, flags, code])

    def _code(self, package: Package, kind: str, *, repeated: bool = False) -> str:
        """`string`, `[]string`, `{}quantity`, `@message`, …"""
        kind = kind.lstrip("*")
        if kind in _SCALARS:
            return _SCALARS[kind]
        if kind.startswith("[]"):
            return "[]" + self._code(package, kind[2:])
        if kind.startswith("map["):
            return "{}" + self._code(package, kind.partition("]")[2])
        prefix, _, name = kind.rpartition(".")
        home = self.package(package.imports[prefix]) if prefix else package
        full = f"{home.path}.{name}"
        if full in _SPECIAL:
            if _SPECIAL[full].startswith("schema"):
                self.read("k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaProps")
            return _SPECIAL[full]
        if name in home.structs:
            self.read(full)
            return "@" + full
        alias = home.aliases.get(name)
        if alias == "[]string" and not repeated:
            return "strings"  # a message of its own that holds the items
        if alias is None:
            raise SystemExit(f"no such type: {full}")
        return self._code(home, alias)


def kinds() -> Iterator[tuple[str, str]]:
    """(`apps/v1 Deployment`, Go name) of every kind that may be sent."""
    for resource in BUILTIN:
        group = _PACKAGES.get(resource.group, resource.group.split(".")[0])
        path = f"k8s.io/api/{group}/{resource.version}"
        if resource.group == "apiextensions.k8s.io":
            path = f"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/{resource.version}"
        if resource.group == "apiregistration.k8s.io":
            path = f"k8s.io/kube-aggregator/pkg/apis/apiregistration/{resource.version}"
        yield f"{join_api_version(resource.group, resource.version)} {resource.kind}", f"{path}.{resource.kind}"
    for name in _FURTHER:
        path, _, kind = name.rpartition(".")
        group, version = path.split("/")[-2:]
        if group == "authentication":
            group = "authentication.k8s.io"
        of = "meta.k8s.io/v1" if kind == "PartialObjectMetadata" else "v1" if group == "meta" else f"{group}/{version}"
        yield f"{of} {kind}", name


def packed(folders: list[Path]) -> str:
    """The source text of the generated module."""
    reader = Reader(folders)
    roots = dict(kinds())
    for name in roots.values():
        reader.read(name)
    short = {name: index for index, name in enumerate(reader.messages)}
    messages = [
        [
            [number, key, flags, re.sub(r"@(.+)", lambda found: f"@{short[found[1]]}", str(code))]
            for number, key, flags, code in fields
        ]
        for fields in reader.messages.values()
    ]
    facts = {"kinds": {kind: short[name] for kind, name in roots.items()}, "messages": messages}
    facts["schema"] = short["k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaProps"]  # type: ignore[assignment]
    raw = json.dumps(facts, separators=(",", ":")).encode()
    lines = textwrap.wrap(base64.b85encode(zlib.compress(raw, 9)).decode(), 118)
    head = '"""Protobuf fields of Kubernetes\' kinds, compressed. Generated by tools/pack_protobuf.py; do not edit."""'
    quoted = [f"    {line!r}" for line in lines]
    print(
        f"{len(messages)} messages, {sum(map(len, messages))} fields, {len(''.join(lines)) // 1024} KiB",
        file=sys.stderr,
    )
    return "\n".join([head, "", "# fmt: off", "FACTS = (", *quoted, ")", "# fmt: on", ""])


if __name__ == "__main__":
    TARGET.write_text(packed([Path(folder) for folder in sys.argv[1:]]), encoding="utf-8")
