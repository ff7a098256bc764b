"""Jsonnet in folders of applications: what go-jsonnet gives, we give; and what a hostile file cannot do."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from _gojsonnet import evaluate_file

from kilde.adapters.programs.jsonnet import JsonnetProgram
from kilde.core.basics.errors import KildeError
from kilde.core.render import DirectoryOptions, Rendered, RenderSource, Surroundings, render
from kilde.core.render.outside import Outside
from kilde.core.render.source import JsonnetVariable
from kilde.core.source.tree import MemoryTree

CM = "{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'a'}, data: %s}"
AROUND = Surroundings(app="web", namespace="shop")


def rendered(
    files: dict[str, str], *, program: JsonnetProgram | None = None, links: dict[str, str] | None = None, **options: Any
) -> Rendered:
    tree = MemoryTree({name: text.encode() for name, text in files.items()}, links)
    source = RenderSource(path="app", directory=DirectoryOptions(**options) if options else None)
    return render(tree, source, outside=Outside(jsonnet=program or JsonnetProgram()), around=AROUND)


def test_one_object_and_a_list_and_a_list_object_and_files_beside_them_come_in_order() -> None:
    made = rendered(
        {
            "app/a.jsonnet": CM % "{}",
            "app/b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n",
            "app/c.jsonnet": "[" + CM.replace("'a'", "'c'") % "{}" + ", {apiVersion: 'v1', kind: 'List', items: ["
            f"{CM.replace(chr(39) + 'a', chr(39) + 'd') % '{}'}]}}]",
            "app/lib.libsonnet": "error 'not rendered'",
        }
    )
    assert [(one.name, str(one.origin)) for one in made.manifests] == [
        ("a", "app/a.jsonnet"),
        ("b", "app/b.yaml:1"),
        ("c", "app/c.jsonnet"),
        ("d", "app/c.jsonnet"),
    ]


def test_variables_arguments_and_libraries_reach_it_and_take_the_build_environment() -> None:
    made = rendered(
        {
            "app/a.jsonnet": "local l = import 'l.libsonnet'; local n = import 'near/n.libsonnet';"
            "function(t, c) " + CM % "{x: std.extVar('x'), n: std.extVar('n') + 1, t: t, c: c.k, l: l, near: n}",
            "app/l.libsonnet": "'of the folder'",
            "libs/one/l.libsonnet": "'one'",
            "libs/two/l.libsonnet": "'two'",
            "app/near/n.libsonnet": "import 'l.libsonnet'",
            "app/near/l.libsonnet": "'near'",
        },
        ext_vars=(
            JsonnetVariable(name="x", value="$ARGOCD_APP_NAME in $ARGOCD_APP_SOURCE_PATH"),
            JsonnetVariable(name="n", value="1", code=True),
        ),
        tlas=(JsonnetVariable(name="t", value="{k: 1}"), JsonnetVariable(name="c", value="{k: 1}", code=True)),
        libs=("libs/one", "/libs/two"),
    )
    [one] = made.manifests
    assert one.body["data"] == {"x": "web in app", "n": 2, "t": "{k: 1}", "c": 1, "l": "of the folder", "near": "near"}
    assert {path for path, seen in made.trace.seen.items() if seen} >= {"app/l.libsonnet", "app/near/n.libsonnet"}


@pytest.mark.parametrize(
    "expression",
    [
        "{a: 1.0, b: 1e20, c: 0.1, d: 12345678901234567890, e: 1e-7, f: -0.5, g: 123456789.125, h: 1234567890123456789}",
        "std.manifestYamlDoc({a: [1, {b: 'x: y'}], c: ''})",
        "{[k]: std.asciiUpper(k) for k in ['b', 'a']} + {c+: 'x'}",
        "{local s = self, a: 1, b:: 2, c: s.b, d: $.a, e: super.x} + {} + {e: 1}",
        "std.mergePatch({a: {b: 1, c: 2}}, {a: {c: null, d: 3}})",
        "[x * y for x in std.range(1, 3) for y in [1, 2] if x != y]",
        "{a: 'é😀' + '\\u0000', b: '%05.2f|%s|%x' % [3.14159, {z: 1, a: [null]}, 255], c: |||\n  text\n   more\n|||}",
        "{a: std.base64('x'), b: std.md5('x'), c: std.sort([3, 1, 2]), d: std.split('a,b', ','), e: std.parseJson('{\"a\":1}')}",
        "{a: std.parseYaml('a: 1\\nb: [x]\\n'), b: std.format('%d', 5), c: std.native == null || true}",
        "{assert self.a > 0 : 'no', a: 1}",
        "local f(x, y=2) = x + y; {a: f(1), b: f(y=1, x=3), c: if f(1) > 2 then 'big' else 'small'}",
        "import 'sub/x.libsonnet'",
        "importstr 'sub/x.libsonnet'",
    ],
)
def test_what_go_jsonnet_gives_we_give(expression: str, tmp_path: Path) -> None:
    from kilde.core.render.jsonnet import _exact

    files = {
        "a.jsonnet": "{v: " + expression + "}",
        "sub/x.libsonnet": "{y: import '../y.libsonnet'}",
        "y.libsonnet": "7",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    try:
        theirs = json.loads(evaluate_file(str(tmp_path / "a.jsonnet")))
    except RuntimeError:
        theirs = None
    source = {f"app/{name}": text for name, text in files.items()}
    source["app/a.jsonnet"] = CM % f"({files['a.jsonnet']})"
    try:
        ours = rendered(source).manifests[0].body["data"]
    except KildeError:
        ours = None
    assert ours == _exact(theirs)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import '../../etc/passwd'", "leaves the repository"),
        ("importstr '/etc/passwd'", "is an absolute path"),
        ("importstr '../links/out'", "leaves the repository"),
        ("import 'gone.libsonnet'", "couldn't open import"),
        ("local f(x) = f(x + 1) + 1; f(1)", "stack overflow"),
        ("error 'no replicas'", "no replicas"),
        ("{a: ", "a.jsonnet"),
        ("7", "an object must be a map"),
        ("[null]", "an object must be a map"),
        ("std.extVar('unset')", "unset"),
    ],
)
def test_what_cannot_be_used_is_told_in_a_sentence(text: str, told: str) -> None:
    with pytest.raises(KildeError) as caught:
        rendered({"app/a.jsonnet": text, "app/x": "x"}, links={"links/out": "../../etc/passwd"})
    assert told in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_a_variable_whose_code_cannot_be_read_is_named() -> None:
    good, bad = (
        JsonnetVariable(name="good", value="1 + 1", code=True),
        JsonnetVariable(name="n", value="1 +", code=True),
    )
    for options, told in (({"ext_vars": (good, bad)}, "extVars 'n'"), ({"tlas": (good, bad)}, "tlas 'n'")):
        with pytest.raises(KildeError, match=rf"^Jsonnet: {told}: .*expected one of"):
            rendered({"app/a.jsonnet": "function(good, n) " + CM % "{}"}, **options)


def test_what_never_ends_or_eats_all_memory_is_stopped() -> None:
    endless = "local f(x) = if x < 0 then 0 else f(x + 1) tailstrict; f(1)"
    with pytest.raises(KildeError, match="recurses too deeply, or needs more than 1024 MiB"):
        rendered({"app/a.jsonnet": endless}, program=JsonnetProgram(seconds=1.0))
    sums = "std.foldl(function(a, b) a + b, std.range(1, 100000000), 0)"
    with pytest.raises(KildeError, match=r"did not end within 1 s|MiB"):
        rendered({"app/a.jsonnet": sums}, program=JsonnetProgram(seconds=1.0))
    with pytest.raises(KildeError, match="needs more than 300 MiB"):
        rendered(
            {"app/a.jsonnet": "std.length(std.foldl(function(a, b) a + a, std.range(1, 40), 'x'))"},
            program=JsonnetProgram(memory=300 << 20),
        )
    many = ", ".join(f"importstr 'x{n}'" for n in range(5001))
    with pytest.raises(KildeError, match="more than 5000 imports"):
        rendered({"app/a.jsonnet": f"[{many}]"} | {f"app/x{n}": "" for n in range(5001)})


def test_the_child_sees_no_environment_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOLD_TO_NOBODY", "x")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "rjsonnet.py").write_text("raise SystemExit('taken over')")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert rendered({"app/a.jsonnet": CM % "{}"}).manifests[0].name == "a"
    assert os.listdir(tmp_path) == ["rjsonnet.py"]
