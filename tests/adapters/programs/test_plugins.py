"""Config management plugins: real programs on a repository's files; what they are told, and what they cannot see."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from kilde.adapters.programs.plugins import PluginPrograms, read_plugins
from kilde.core.basics.errors import InvalidInput, KildeError
from kilde.core.render import PluginOptions, PluginParameter, Rendered, RenderSource, Surroundings, render
from kilde.core.render.outside import Outside
from kilde.core.render.plugin import read_plugin
from kilde.core.source.tree import MemoryTree

AROUND = Surroundings(
    app="web",
    namespace="shop",
    project="team",
    revision="0123456789abcdef",
    repo_url="https://git.example/shop.git",
    target_revision="main",
    kube_version="1.31.2",
    api_versions=("v1", "apps/v1"),
)
ENVIRONMENT = """import json, os
print(json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "all"}, "data": dict(os.environ)}))
"""


def plugin(name: str = "p", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ConfigManagementPlugin",
        "metadata": {"name": name},
        "spec": {"generate": {"command": ["sh", "-c", "cat *.txt"]}, **spec},
    }


def rendered(
    files: dict[str, str],
    *plugins: dict[str, Any],
    options: PluginOptions | None = None,
    seconds: float = 90.0,
    links: dict[str, str] | None = None,
) -> Rendered:
    tree = MemoryTree({name: text.encode() for name, text in files.items()}, links)
    programs = PluginPrograms(tuple(read_plugin(one, "test") for one in plugins), seconds=seconds)
    return render(tree, RenderSource(path="app", plugin=options), outside=Outside(plugins=programs), around=AROUND)


def cm(name: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n---\n"


def test_init_then_generate_run_in_the_folder_with_the_whole_repository_beside_it() -> None:
    made = rendered(
        {"app/a.txt": cm("a"), "base/b.txt": cm("b")},
        plugin(init={"command": ["sh", "-c"], "args": ["cp ../base/b.txt made.txt"]}),
        options=PluginOptions(name="p"),
    )
    assert [one.name for one in made.manifests] == ["a", "b"]
    assert made.source_type == "Plugin"
    assert {"app/a.txt", "base/b.txt"} <= made.trace.seen.keys()


def test_it_gets_argo_cds_environment_and_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOLD_TO_NOBODY", "x")
    options = PluginOptions(
        name="p",
        env=(("A", "$ARGOCD_APP_NAME-${ARGOCD_APP_REVISION_SHORT}"), ("lower", "$$1")),
        parameters=(
            PluginParameter(name="one-text", string="<x> & 'y'"),
            PluginParameter(name="list", array=("a", "b")),
            PluginParameter(name="some.map", map=(("k-1", "v"),)),
            PluginParameter(name="none", array=(), map=()),
        ),
    )
    made = rendered({"app/e.py": ENVIRONMENT}, plugin(generate={"command": [sys.executable, "e.py"]}), options=options)
    found = dict(made.manifests[0].body["data"])
    home = found.pop("HOME")
    assert found.pop("TMPDIR") == home
    assert found.pop("PATH") == os.environ["PATH"]
    for shells in ("PWD", "SHLVL", "_", "LC_CTYPE", "OLDPWD"):
        found.pop(shells, None)
    assert json.loads(found.pop("ARGOCD_APP_PARAMETERS")) == [
        {"name": "one-text", "string": "<x> & 'y'"},
        {"name": "list", "array": ["a", "b"]},
        {"name": "some.map", "map": {"k-1": "v"}},
        {"name": "none", "array": [], "map": {}},
    ]
    assert found == {
        "ARGOCD_APP_NAME": "web",
        "ARGOCD_APP_NAMESPACE": "shop",
        "ARGOCD_APP_PROJECT_NAME": "team",
        "ARGOCD_APP_REVISION": "0123456789abcdef",
        "ARGOCD_APP_REVISION_SHORT": "0123456",
        "ARGOCD_APP_REVISION_SHORT_8": "01234567",
        "ARGOCD_APP_SOURCE_PATH": "app",
        "ARGOCD_APP_SOURCE_REPO_URL": "https://git.example/shop.git",
        "ARGOCD_APP_SOURCE_TARGET_REVISION": "main",
        "KUBE_VERSION": "1.31.2",
        "KUBE_API_VERSIONS": "v1,apps/v1",
        "KUBECONFIG": "/dev/null",
        "ARGOCD_ENV_A": "web-0123456",
        "ARGOCD_ENV_lower": "$1",
        "PARAM_ONE_TEXT": "<x> & 'y'",
        "PARAM_LIST_0": "a",
        "PARAM_LIST_1": "b",
        "PARAM_SOME_MAP_K_1": "v",
    }


@pytest.mark.parametrize(
    ("discover", "taken"),
    [
        ({"fileName": "*.txt"}, True),
        ({"fileName": "sub/mark"}, True),
        ({"fileName": "*.toml"}, False),
        ({"find": {"glob": "**/mark"}}, True),
        ({"find": {"glob": "mark"}}, False),
        ({"find": {"command": ["sh", "-c", "ls sub"]}}, True),
        ({"find": {"command": ["true"]}}, False),
        ({"find": {"command": ["sh", "-c", "echo yes; exit 3"]}}, False),
        ({}, False),
    ],
)
def test_a_plugin_takes_what_it_discovers_before_all_other_tools(discover: dict[str, Any], taken: bool) -> None:
    files = {"app/a.txt": cm("a"), "app/sub/mark": "", "app/kustomization.yaml": "resources: []\n"}
    made = rendered(files, plugin("z", discover=discover), plugin("a", discover={"fileName": "nothing"}))
    assert made.source_type == ("Plugin" if taken else "Kustomize")
    if discover and not taken:
        with pytest.raises(KildeError, match='could not find plugin with name "z" supporting the given repository'):
            rendered(files, plugin("z", discover=discover), options=PluginOptions(name="z"))


def test_a_plugin_that_is_not_there_is_told_and_one_with_a_version_has_it_in_its_name() -> None:
    with pytest.raises(KildeError, match='could not find plugin with name "q"'):
        rendered({"app/a.txt": cm("a")}, plugin("p"), options=PluginOptions(name="q"))
    with pytest.raises(KildeError, match="could not find plugin supporting the given repository"):
        rendered({"app/a.txt": cm("a")}, plugin("p"), options=PluginOptions())
    assert rendered({"app/a.txt": cm("a")}, plugin("p", version="v1"), options=PluginOptions(name="p-v1")).manifests
    with pytest.raises(KildeError, match="kilde up --plugins"):
        render(MemoryTree({"app/a": b""}), RenderSource(path="app", plugin=PluginOptions(name="p")))


def test_what_fails_is_told_with_the_command_and_without_our_folders() -> None:
    broken = plugin(generate={"command": ["sh", "-c", "pwd >&2; echo no such thing >&2; exit 7"]})
    with pytest.raises(KildeError) as caught:
        rendered({"app/a.txt": ""}, broken, options=PluginOptions(name="p"))
    assert str(caught.value) == (
        "plugin p: `sh -c 'pwd >&2; echo no such thing >&2; exit 7'` failed exit status 7: "
        "<path to cached source>/files/app\nno such thing"
    )
    with pytest.raises(KildeError, match="did not end within 1 s"):
        rendered(
            {"app/a.txt": ""},
            plugin(generate={"command": ["sleep", "100"]}),
            options=PluginOptions(name="p"),
            seconds=1.0,
        )
    with pytest.raises(KildeError, match="cannot be started"):
        rendered({"app/a.txt": ""}, plugin(generate={"command": ["no-such-thing"]}), options=PluginOptions(name="p"))
    with pytest.raises(KildeError, match="an object must be a map"):
        rendered({"app/a.txt": "words"}, plugin(), options=PluginOptions(name="p"))


def test_a_symlink_that_leaves_the_repository_is_refused_and_one_within_it_works() -> None:
    made = rendered(
        {"base/b.txt": cm("b"), "app/x": ""},
        plugin(),
        options=PluginOptions(name="p"),
        links={"app/b.txt": "../base/b.txt"},
    )
    assert [one.name for one in made.manifests] == ["b"]
    with pytest.raises(KildeError, match="leaves the repository"):
        rendered({"app/x": ""}, plugin(), options=PluginOptions(name="p"), links={"app/b.txt": "../../etc/passwd"})


def test_nothing_stays_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    rendered({"app/a.txt": cm("a")}, plugin(), options=PluginOptions(name="p"))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"kind": "ConfigMap"}, "plugin.kind: must be ConfigManagementPlugin"),
        (plugin(""), "plugin.metadata.name: must name the plugin"),
        (plugin(generate={}), "plugin.spec.generate: must have a command"),
        (plugin(provideGitCreds=True), "plugin.spec.provideGitCreds: is not supported: a plugin gets no credentials"),
        (plugin(init={"command": "make"}), "plugin.spec.init.command: must be a list, not a string"),
    ],
)
def test_a_plugin_yaml_that_cannot_be_used_is_told_with_its_file(
    body: dict[str, Any], told: str, tmp_path: Path
) -> None:
    (tmp_path / "p").mkdir()
    file = tmp_path / "p" / "plugin.yaml"
    file.write_text(json.dumps(body))
    with pytest.raises(InvalidInput) as caught:
        read_plugins(tmp_path)
    assert str(caught.value).startswith(str(file))
    assert told in str(caught.value)


def test_a_folder_has_plugins_in_files_and_in_folders_of_one_name_each(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "plugin.yaml").write_text(json.dumps(plugin("b", parameters={"static": [{"name": "x"}]})))
    (tmp_path / "a.yaml").write_text(json.dumps(plugin("a", preserveFileMode=True)))
    found = PluginPrograms(read_plugins(tmp_path)).known()
    assert [(one.name, one.keep_mode) for one in found] == [("a", True), ("b", False)]
    (tmp_path / "c.yaml").write_text(json.dumps(plugin("b")))
    with pytest.raises(InvalidInput, match="two plugins are named b"):
        read_plugins(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match=r"there is no plugin\.yaml in it"):
        read_plugins(tmp_path / "empty")
