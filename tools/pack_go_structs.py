"""Packs the structs that a real API server works with, field by field, into a generated Python module: some refusals print them.

    python tools/pack_go_structs.py $(go env GOMODCACHE)/k8s.io

reads the newest k8s.io/kubernetes and k8s.io/api of that folder that go together (1.N.x and 0.N.x) and writes
`src/kilde/kubeapi/resources/_go_structs.py`, which is in the repository because a build machine need not have Go.

One line a struct: its name, then `Field:type` in Go's order, `Field=key:type` where its key in JSON is another word, `+Struct` for one that
is embedded. Types: s string, i number, b bool, q quantity, o number or string, m map, y bytes, t time, l label selector, S struct S; before
them `*` for a pointer and `[` for a list.
"""

import re
import sys
from pathlib import Path

from pack_go_types import RESOURCES, packed

VERSION = "36.3"
PACKAGES = ("batch", "certificates", "core", "resource")
ROOTS = (
    "batch.PodFailurePolicy",
    "batch.SuccessPolicy",
    "core.PodTemplateSpec",
    "core.PodSpec",
    "core.PersistentVolumeClaimSpec",
    "core.PersistentVolumeSource",
    "core.EphemeralContainer",
    "resource.ResourceClaimSpec",
    "resource.AllocationResult",
    "resource.ResourceClaimTemplateSpec",
    "certificates.CertificateSigningRequestCondition",
)
_SCALARS = {"string": "s", "bool": "b", "[]byte": "y", "any": "m", "float64": "i"} | dict.fromkeys(
    ("int", "int8", "int32", "int64", "uint8", "uint32", "uint64"), "i"
)
_KNOWN = {
    "resource.Quantity": "q",
    "apiresource.Quantity": "q",
    "intstr.IntOrString": "o",
    "metav1.Time": "t",
    "metav1.LabelSelector": "l",
    "types.UID": "s",
    "types.NodeName": "s",
    "runtime.RawExtension": "m",
    "metav1.ConditionStatus": "s",
}
_STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"^type (\w+) ([\w.\[\]]+)$", re.MULTILINE)
_FIELD = re.compile(r"^(\w+)\s+(\S+)\s*(`.*`)?$")


def read(path: Path) -> tuple[dict[str, list[tuple[str, str, str]]], dict[str, str]]:
    """The structs of a file, their fields as (name, type, JSON key), and what its other types are."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    text = "\n".join(line.partition("//")[0].rstrip() for line in text.splitlines())
    structs = {}
    for name, body in _STRUCT.findall(text):
        fields = []
        for line in (line.strip() for line in body.splitlines()):
            found = _FIELD.match(line)
            if found:
                tag = re.search(r'json:"([^",]*)', found[3] or "")
                fields.append((found[1], found[2], tag[1] if tag else ""))
            elif line:
                fields.append(("", line.partition(" ")[0], ""))
        structs[name] = fields
    return structs, dict(_NAMED.findall(text))


class Packer:
    """The structs that the roots are made of."""

    def __init__(self, modules: Path) -> None:
        kubernetes, api = modules / f"kubernetes@v1.{VERSION}", modules / f"api@v0.{VERSION}"
        self._own = {name: read(kubernetes / f"pkg/apis/{name}/types.go") for name in PACKAGES}
        self._keys = {name: read(api / f"{name}/v1/types.go")[0] for name in PACKAGES}
        self.lines: dict[str, str] = {}

    def add(self, package: str, name: str) -> None:
        """One struct and those within it."""
        if name in self.lines:
            return
        self.lines[name] = ""
        keys = {field: key for field, _, key in self._keys[package].get(name, ())}
        words = []
        for field, kind, _ in self._own[package][0][name]:
            if not field:
                if kind != "metav1.ObjectMeta":
                    self.add(package, kind)
                words.append(f"+{kind.removeprefix('metav1.')}")
                continue
            key = keys.get(field, "")
            told = f"={key}" if key and key.lower() != field.lower() else ""
            words.append(f"{field}{told}:{self._type(package, kind)}")
        self.lines[name] = " ".join((name, *words))

    def _type(self, package: str, kind: str) -> str:
        if kind in _SCALARS:
            return _SCALARS[kind]
        if kind.startswith("*"):
            return f"*{self._type(package, kind[1:])}"
        if kind.startswith("[]"):
            return f"[{self._type(package, kind[2:])}"
        if kind.startswith("map["):
            return "m"
        if kind in _KNOWN:
            return _KNOWN[kind]
        owner, _, name = kind.rpartition(".")
        owner = "core" if owner == "api" else owner
        package = owner if owner in PACKAGES else package
        structs, named = self._own[package]
        if name in named:
            return self._type(package, named[name])
        if name not in structs:
            raise LookupError(f"{package}.{name}")
        self.add(package, name)
        return name


if __name__ == "__main__":
    packer = Packer(Path(sys.argv[1]))
    for root in ROOTS:
        packer.add(*root.split("."))
    about = "The structs of a real API server, field by field"
    text = packed("\n".join(packer.lines.values()), about).replace("pack_go_types.py", "pack_go_structs.py")
    (RESOURCES / "_go_structs.py").write_text(text, encoding="utf-8")
    print(len(packer.lines), "structs")
