"""Generators: what each gives, how they are put together, and what a hostile set costs."""

from typing import Any

import pytest

from core.sets.given import World, a_set, made, names, parameters
from kilde.core.basics.errors import LimitExceeded
from kilde.core.sets.generating import generate, git_urls, requeue_after, uses
from kilde.core.sets.outside import KnownCluster
from kilde.core.sets.path_patterns import fits_glob
from kilde.core.sets.policy import SetsPolicy

SERVER = "https://kubernetes.default.svc"


def test_list_elements_and_yaml() -> None:
    assert names("{generators: [{list: {elements: [{name: a}], elementsYaml: '[{name: b}, {name: c}]'}}]}") == [
        "a",
        "b",
        "c",
    ]
    found = made("{generators: [{list: {elements: [{name: 1}]}}]}")
    assert found.error == "error parsing value as string: name is none (quote it, or set goTemplate: true)"
    assert found.reason == "ApplicationGenerationFromParamsError"
    flat = parameters({"list": {"elements": [{"name": "a", "values": {"x": "y"}}]}}, go=False)
    assert flat == [{"name": "a", "values.x": "y"}]


def test_a_selector_after_any_generator_sees_nested_values_flat() -> None:
    spec = "{goTemplate: true, generators: [{list: {elements: [{name: a, m: {n: 1}}, {name: b, m: {n: 2}}]}, selector: {matchLabels: {m.n: '2'}}}]}"  # noqa: E501
    assert names(spec) == ["b"]
    expression = "{key: name, operator: NotIn, values: [a]}"
    assert names(
        f"{{generators: [{{list: {{elements: [{{name: a}}, {{name: b}}]}}, selector: {{matchExpressions: [{expression}]}}}}]}}"
    ) == ["b"]


def test_clusters_with_and_without_a_selector_and_as_one_list() -> None:
    world = World()
    world.known = [
        KnownCluster(
            name="One_1",
            server="https://1",
            project="p",
            labels={"env": "prod"},
            annotations={"a": "b", "argocd.argoproj.io/refresh": "x"},
        ),
        KnownCluster(name="two", server="https://2", labels={"env": "dev"}),
    ]
    assert parameters({"clusters": {"values": {"z": "{{.name}}"}}}, world) == [
        {"name": "One_1", "nameNormalized": "one-1", "server": "https://1", "project": "p", "metadata": {"annotations": {"a": "b"}, "labels": {"env": "prod"}}, "values": {"z": "One_1"}},  # noqa: E501
        {"name": "two", "nameNormalized": "two", "server": "https://2", "project": "", "metadata": {"labels": {"env": "dev"}}, "values": {"z": "two"}},  # noqa: E501
        {"name": "in-cluster", "nameNormalized": "in-cluster", "server": SERVER, "project": "", "values": {"z": "in-cluster"}},
    ]  # fmt: skip
    chosen = {"clusters": {"selector": {"matchLabels": {"env": "prod"}}}}
    assert parameters(chosen, world, go=False) == [
        {"name": "One_1", "nameNormalized": "one-1", "server": "https://1", "project": "p", "metadata.annotations.a": "b", "metadata.labels.env": "prod"}  # noqa: E501
    ]  # fmt: skip
    world.known.append(KnownCluster(name="here", server=SERVER))
    (one,) = parameters({"clusters": {"flatList": True}}, world)
    assert [each["name"] for each in one["clusters"]] == ["One_1", "two", "here"]


FILES = {
    "apps/a/config.yaml": b"name: one\nport: 8080\nnested: {list: [x, w]}\n",
    "apps/b/deep/config.json": b'[{"name": "two"}, {"name": "three"}]',
    "apps/.hidden/config.yaml": b"name: four\n",
    "other/x": b"",
}


def a_tree(files: dict[str, bytes] | None = None) -> World:
    world = World()
    world.files = FILES if files is None else files
    return world


def git(**more: Any) -> dict[str, Any]:
    return {"git": {"repoURL": "https://git.example/r.git", "revision": "HEAD", **more}}


def test_git_folders() -> None:
    both = git(
        directories=[{"path": "apps/*"}, {"path": "apps/b/*"}, {"path": "apps/a", "exclude": True}],
        values={"v": "{{.path.basename}}!"},
    )
    assert parameters(both, a_tree()) == [
        {"path": {"path": "apps/b", "basename": "b", "basenameNormalized": "b", "segments": ["apps", "b"]}, "values": {"v": "b!"}},
        {"path": {"path": "apps/b/deep", "basename": "deep", "basenameNormalized": "deep", "segments": ["apps", "b", "deep"]}, "values": {"v": "deep!"}},  # noqa: E501
    ]  # fmt: skip
    flat = parameters(git(directories=[{"path": "apps/a"}], pathParamPrefix="my"), a_tree(), go=False)
    assert flat == [
        {
            "my.path": "apps/a",
            "my.path.basename": "a",
            "my.path.basenameNormalized": "a",
            "my.path[0]": "apps",
            "my.path[1]": "a",
        }
    ]


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [("*", ["apps", "other"]), ("apps/[ab]", ["apps/a", "apps/b"]), ("apps/[^a]", ["apps/b"]), ("a?ps", ["apps"]), ("apps/**", ["apps/a", "apps/b"]), ("[", []), ("apps/[b-", [])],  # noqa: E501
)  # fmt: skip
def test_folders_fit_as_gos_path_match_says(pattern: str, fits: list[str]) -> None:
    found = parameters(git(directories=[{"path": pattern}]), a_tree())
    assert [each["path"]["path"] for each in found] == fits


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("apps/*.yaml", ["apps/.hidden", "apps/a"]),  # as git's pathspecs: a star reaches across folders
        ("**/config.json", ["apps/b/deep", "apps/b/deep"]),
        ("apps/b", ["apps/b/deep", "apps/b/deep"]),  # a folder stands for all below it
        ("apps/a/config.yam?", ["apps/a"]),
        ("./apps/a/config.yaml", ["apps/a"]),
        ("nothing/*", []),
    ],
)
def test_files_fit_as_gits_pathspecs_say(pattern: str, fits: list[str]) -> None:
    found = parameters(git(files=[{"path": pattern}]), a_tree())
    assert [each["path"]["path"] for each in found] == fits


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("apps/*.yaml", ["apps/x.yaml"]),
        ("apps/**/*.yaml", ["apps/x.yaml", "apps/a/x.yaml", "apps/a/b/x.yaml"]),
        ("**/x.yaml", ["apps/x.yaml", "apps/a/x.yaml", "apps/a/b/x.yaml", "x.yaml"]),
        ("apps/*/x.yaml", ["apps/a/x.yaml"]),
        ("apps/**", ["apps/x.yaml", "apps/a/x.yaml", "apps/a/b/x.yaml", "apps/c.json"]),
        ("apps/{x.yaml,c.json}", ["apps/x.yaml", "apps/c.json"]),
        ("{apps/{a,z},.}/x.yaml", ["apps/a/x.yaml", "x.yaml"]),
        ("apps", []),
        ("apps/[!x]*", ["apps/c.json"]),
        ("apps/a**/x.yaml", ["apps/a/x.yaml"]),
    ],
)
def test_files_by_globs(pattern: str, fits: list[str]) -> None:
    there = ("apps/x.yaml", "apps/a/x.yaml", "apps/a/b/x.yaml", "apps/c.json", "x.yaml")
    assert [path for path in there if fits_glob(pattern, path)] == fits


@pytest.mark.parametrize("pattern", ["{a,b}" * 9, "{a,b,c,d,e}" * 8, "{" * 5000, "**/" * 4000 + "x"])
def test_a_hostile_glob_ends(pattern: str) -> None:
    try:
        assert not fits_glob(pattern, "a/" * 50 + "b")
    except LimitExceeded as error:
        assert "more than" in str(error)  # noqa: PT017 - whether it is refused or only fits nothing is the same to its writer


def test_the_installation_chooses_globs() -> None:
    world = a_tree({"apps/config.yaml": b"a: 1", "apps/a/config.yaml": b"a: 2"})
    template = {"metadata": {"name": "{{.a}}"}, "spec": {}}
    owner = a_set({"goTemplate": True, "template": template, "generators": [git(files=[{"path": "apps/*"}])]})
    both, one = (generate(owner, world, SetsPolicy(globs=globs)) for globs in (False, True))
    assert [len(found.applications) for found in (both, one)] == [2, 1]


def test_git_files_give_their_content() -> None:
    (one,) = parameters(git(files=[{"path": "apps/a/*"}]), a_tree())
    assert one["port"] == 8080
    assert one["path"]["filename"] == "config.yaml"
    (flat,) = parameters(
        git(files=[{"path": "apps/**"}, {"path": "apps/b/*", "exclude": True}, {"path": "*hidden*", "exclude": True}]),
        a_tree(),
        go=False,
    )
    assert (flat["port"], flat["nested.list.1"], flat["path.filenameNormalized"]) == ("8080", "w", "config.yaml")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"a/c.yaml": b"a: [\n"}, "unable to process file 'a/c.yaml' from repository 'https://git.example/r.git': unable to parse file: "),
        ({"a/c.yaml": b"text"}, "from repository 'https://git.example/r.git': it is neither an object nor a list of objects"),
        ({"a/c.yaml": b"[" * 200_000}, "unable to process file 'a/c.yaml'"),
        ({"a/c.yaml": b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(b"k%d: &k%d [*%s,*%s,*%s,*%s,*%s,*%s,*%s,*%s]\n" % (i, i, *([b"a" if i == 0 else b"k%d" % (i - 1)] * 8)) for i in range(9))}, "unable to process file"),  # noqa: E501
        ({"a/c.yaml": b"x" * (33 << 20)}, "more than"),
    ],
    ids=["no-yaml", "a-text", "deep", "laughs", "large"],
)  # fmt: skip
def test_files_that_are_none_fail_in_one_sentence(files: dict[str, bytes], words: str) -> None:
    found = made({"generators": [git(files=[{"path": "a/*"}])]}, a_tree(files))
    assert words in found.error
    assert len(found.error) < 500


def test_matrix_children_use_what_the_first_gives() -> None:
    second = git(files=[{"path": "apps/{{.folder}}/config.yaml"}], values={"from": "{{.folder}}", "later": "{{.name}}"})
    first = {"list": {"elements": [{"folder": "a"}]}}
    (one,) = parameters({"matrix": {"generators": [first, second]}}, a_tree(), goTemplateOptions=["missingkey=error"])
    assert (one["folder"], one["name"], one["values"]) == ("a", "one", {"from": "a", "later": "one"})
    clash = {
        "generators": [
            {
                "matrix": {
                    "generators": [{"list": {"elements": [{"name": "a"}]}}, {"list": {"elements": [{"name": "b"}]}}]
                }
            }
        ]
    }
    words = "failed to combine string maps with merging params for the matrix generator"
    assert made(clash).error == f"{words}: found duplicate key name with different value, a: a ,b: b"


def test_each_level_of_nested_generators_says_that_a_child_failed() -> None:
    good, bad = {"list": {"elements": [{"a": "x"}]}}, {"list": {"elements": [{"a": 5}]}}
    child, said = (
        "child generator returned an error on parameter generation",
        "error parsing value as string: a is none",
    )

    def error(generator: dict[str, Any]) -> str:
        return made({"generators": [generator]}).error

    first = f"error failed to get params for first generator in matrix generator: {child}: {said}"
    assert error({"matrix": {"generators": [bad, good]}}).startswith(first)
    second = f"failed to get params for second generator in the matrix generator: {child}: {said}"
    assert error({"matrix": {"generators": [good, bad]}}).startswith(second)
    both = f"error getting param sets from generators: error getting params from generator 2 of 2: {child}: {said}"
    assert error({"merge": {"mergeKeys": ["a"], "generators": [good, bad]}}).startswith(both)
    deep = {"matrix": {"generators": [{"merge": {"mergeKeys": [], "generators": [good, good]}}, good]}}
    by_key = "error getting param sets by merge key: no merge keys were specified, Merge requires at least one"
    assert error(deep) == f"error failed to get params for first generator in matrix generator: {child}: {by_key}"
    wrong = {**good, "selector": {"matchExpressions": [{"key": "a", "operator": "Nope"}]}}
    assert error(wrong).startswith("error parsing label selector: ")


def test_merge_lays_over_what_agrees_on_the_keys() -> None:
    base = {"list": {"elements": [{"name": "a", "x": "1"}, {"name": "b", "x": "1"}]}}
    above = {"list": {"elements": [{"name": "b", "x": "2"}, {"name": "c", "x": "3"}]}}
    merge = {"merge": {"mergeKeys": ["name"], "generators": [base, above]}}
    assert parameters(merge) == [{"name": "a", "x": "1"}, {"name": "b", "x": "2"}]
    nested = {
        "merge": {
            "mergeKeys": ["name"],
            "generators": [{"matrix": {"generators": [base, {"list": {"elements": [{"y": "z"}]}}]}}, above],
        }
    }
    assert parameters(nested) == [{"name": "a", "x": "1", "y": "z"}, {"name": "b", "x": "2", "y": "z"}]
    twice = {"generators": [{"merge": {"mergeKeys": ["x"], "generators": [base, above]}}]}
    assert 'Duplicate key was {"x":"1"}' in made(twice).error


@pytest.mark.parametrize(
    ("generator", "words"),
    [
        ({"matrix": {"generators": [{"list": {}}]}}, "found less than two generators, Matrix support only two"),
        ({"matrix": {"generators": [{"list": {}}] * 3}}, "found more than two generators, Matrix support only two"),
        (
            {"merge": {"mergeKeys": ["a"], "generators": [{"list": {}}]}},
            "found less than two generators, Merge requires two or more",
        ),
        (
            {"merge": {"mergeKeys": [], "generators": [{"list": {}}] * 2}},
            "no merge keys were specified, Merge requires at least one",
        ),
        (
            {"matrix": {"generators": [{"list": {}, "clusters": {}}, {"list": {}}]}},
            "found more than one generator in matrix.Generators",
        ),
        ({"oci": {}}, "ApplicationSet all contains unrecognized generators: oci"),
        ({"git": {"repoURL": "u", "revision": "HEAD"}}, "a git generator needs directories or files"),
        ({"list": {"elements": {}}}, ""),
        ({"list": {"elementsYaml": "{"}}, "error unmarshling decoded ElementsYaml: line 2, column 1: did not find"),
        ({"list": []}, "the generator list is not an object"),
        ({"scmProvider": {"awsCodeCommit": {}}}, "the forge answered 404 to ListRepositories"),
    ],
)
def test_what_is_wrong_is_told(generator: dict[str, Any], words: str) -> None:
    found = made({"generators": [generator]})
    assert words in found.error
    assert found.error or not words


def test_hostile_sets_are_bounded_with_one_clear_error() -> None:
    many = {"list": {"elements": [{"name": str(number)} for number in range(10_001)]}}
    assert made({"generators": [many]}).error.startswith("a generator gives 10001 parameter sets, more than 10000")
    some = {"list": {"elements": [{"k": str(number)} for number in range(150)]}}
    product = {"matrix": {"generators": [some, {"list": {"elements": [{"j": str(number)} for number in range(150)]}}]}}
    assert "more than 10000" in made({"generators": [product]}).error
    deep: dict[str, Any] = {"list": {"elements": []}}
    for _ in range(50):
        deep = {"matrix": {"generators": [{"list": {"elements": [{"a": "b"}]}}, deep]}}
    assert made({"generators": [deep]}).error == "generators that nest are nested deeper than 2 levels"
    half = {"list": {"elements": [{"name": str(number)} for number in range(6_000)]}}
    assert made({"generators": [half, half]}).error == "the set makes more than 10000 Applications: split it"


@pytest.mark.parametrize(
    "text",
    [
        "{{ range until 100000 }}{{ range until 100000 }}x{{ end }}{{ end }}",
        "{{ repeat 1000000000 .name }}",
        "{{ define `t` }}{{ template `t` . }}{{ end }}{{ template `t` . }}",
        "{{ tpl .again . }}",
        "{{ range until 50 }}{{ genPrivateKey `ecdsa` }}{{ end }}",
        "{{ seq 1 1000000000 }}",
        "{{ untilStep -1000000000 0 1 }}",
        "{{ len (printf `%1000000000d` 1) }}",
        "{{ $x := .name }}{{ range until 60 }}{{ $x = print $x $x }}{{ end }}",
        "{{ $x := .name }}{{ range until 60 }}{{ $x = replace `a` `aa` $x }}{{ end }}",
        "{{ $x := repeat 1000000 .name }}{{ regexReplaceAll `a` $x $x }}",
        "{{ $x := list 1 }}{{ range until 60 }}{{ $x = list $x $x }}{{ end }}{{ toJson $x }}",
        "{{ uniq (until 100000) }}",
        "{{ $x := until 99999 }}{{ range until 9000 }}{{ $_ := has -1 $x }}{{ end }}",
        "{{ .name.__class__ }}x{{ fail `no` }}",
        "{{ env `HOME` }}",
        "(" * 5000 + "{{ " + "(" * 5000,
        "{{ regexMatch `(a+)+$` (repeat 30 `a`) }}{{ fail `no` }}",
    ],
)
def test_hostile_templates_end_soon_and_in_one_sentence(text: str) -> None:
    again = {"name": "a", "again": "{{ tpl .again . }}"}
    spec = {"goTemplate": True, "generators": [{"list": {"elements": [again]}}]}
    found = made({**spec, "template": {"metadata": {"name": text}, "spec": {}}})
    assert found.reason == "RenderTemplateParamsError"
    assert 0 < len(found.error) < 1000
    assert "Traceback" not in found.error


def test_a_generators_own_template_is_laid_over_the_sets() -> None:
    own = {"metadata": {"labels": {"a": "own"}}, "spec": {"destination": {"namespace": "own"}}}
    template = {
        "metadata": {"name": "{{name}}", "labels": {"a": "set", "b": "set"}},
        "spec": {"project": "p", "destination": {"namespace": "set", "server": "s"}},
    }
    (app,) = made(
        {"generators": [{"list": {"elements": [{"name": "x"}], "template": own}}], "template": template}
    ).applications
    assert app["metadata"]["labels"] == {"a": "own", "b": "set"}
    assert app["spec"] == {"project": "p", "destination": {"namespace": "own", "server": "s"}}


def test_a_template_patch_merges_and_cannot_change_the_project() -> None:
    patch = (
        "metadata:\n  finalizers: [mine]\n  labels: {x: '{{.name}}'}\n"
        "spec:\n  project: evil\n  source: {path: null, helm: {values: 'a: {{.name}}'}}\n"
    )
    template = {"metadata": {"name": "{{.name}}"}, "spec": {"project": "p", "source": {"path": "a", "repoURL": "u"}}}
    spec = {"goTemplate": True, "generators": [{"list": {"elements": [{"name": "x"}]}}], "template": template}
    (app,) = made({**spec, "templatePatch": patch}).applications
    assert app["spec"] == {"project": "p", "source": {"repoURL": "u", "helm": {"values": "a: x"}}}
    assert set(app["metadata"]["finalizers"]) == {"mine", "resources-finalizer.argocd.argoproj.io"}
    assert "templatePatch" in made({**spec, "templatePatch": "[1]"}).error
    assert "templatePatch" in made({**spec, "templatePatch": "a: ["}).error


def test_a_template_patch_of_a_wrong_type_fails_as_a_template_that_cannot_be_filled() -> None:
    template = {"metadata": {"name": "{{.name}}"}, "spec": {"project": "p", "source": {"path": "a", "repoURL": "u"}}}
    spec = {"goTemplate": True, "generators": [{"list": {"elements": [{"name": "x"}]}}], "template": template,
            "syncPolicy": {"preserveResourcesOnDeletion": True}}  # fmt: skip
    patch = (
        "metadata: {labels: {tier: 1}, finalizers: [true]}\n"
        "spec: {destination: {server: 1}, source: {helm: {values: [1]}}, syncPolicy: {automated: yes}, ours: [1]}\n"
    )
    found = made({**spec, "templatePatch": patch})
    assert (found.applications, found.reason, found.error) == (
        (),
        "RenderTemplateParamsError",
        "invalid templatePatch: metadata.labels.tier: must be a string, not a number; "
        "metadata.finalizers[0]: must be a string, not a boolean; "
        "spec.destination.server: must be a string, not a number; "
        "spec.source.helm.values: must be a string, not a list; "
        "spec.syncPolicy.automated: must be an object, not a boolean",
    )


def test_finalizers_and_empty_parameters() -> None:
    preserve = "{syncPolicy: {preserveResourcesOnDeletion: true}, generators: [{list: {elements: [{name: a}]}}]}"
    assert "finalizers" not in made(preserve).applications[0]["metadata"]
    (bare,) = made("{generators: [{list: {elements: [{}]}}]}").applications
    assert bare["metadata"] == {
        "name": "{{name}}",
        "namespace": "argocd",
    }  # as Argo CD: without parameters nothing is filled


def test_when_a_set_is_looked_at_again() -> None:
    pull = {"pullRequest": {"github": {"owner": "o", "repo": "r"}}}
    assert requeue_after([{"list": {}}]) == 0
    assert requeue_after([pull]) == 1800
    assert requeue_after([{"matrix": {"generators": [pull, git(requeueAfterSeconds=20)]}}, {"clusters": {}}]) == 20
    assert git_urls([{"merge": {"generators": [git(), {"git": {"repoURL": "{{x}}"}}]}}]) == {
        "https://git.example/r.git"
    }
    assert uses([{"matrix": {"generators": [{"clusters": {}}]}}], "clusters")
    assert not uses([{"list": {}}], "clusters")


def test_a_plugin_is_asked_with_its_token_and_gives_parameters() -> None:
    world = World()
    world.maps["p"] = {"baseUrl": "http://plugin.example/", "token": "$sec:tok", "requestTimeout": "5"}
    world.secrets["sec"] = {"tok": "canary\n"}
    world.answer(
        "http://plugin.example/api/v1/getparams.execute", {"output": {"parameters": [{"name": "a", "n": {"m": 1}}]}}
    )
    plugin = {
        "plugin": {"configMapRef": {"name": "p"}, "input": {"parameters": {"q": "1"}}, "values": {"v": "{{.name}}"}}
    }
    given = {"generator": {"input": {"parameters": {"q": "1"}}}}
    assert parameters(plugin, world) == [{"name": "a", "n": {"m": 1.0}, "values": {"v": "a"}, **given}]
    assert parameters(plugin, world, go=False)[0]["n.m"] == "1"
    asked = world.asked[0]
    assert (asked.method, asked.timeout, asked.headers["Authorization"]) == ("POST", 5, "Bearer canary")
    assert asked.body == b'{"applicationSetName":"all","input":{"parameters":{"q":"1"}}}'
    world.answer("http://plugin.example/api/v1/getparams.execute", {}, status=500)
    assert "API error with status code 500" in made({"generators": [plugin]}, world).error
    world.maps["p"]["token"] = "plain"
    assert "starting with '$'" in made({"generators": [plugin]}, world).error


def test_cluster_decisions_choose_among_the_known_clusters() -> None:
    world = World()
    world.known = [KnownCluster(name="one", server="https://1")]
    world.maps["d"] = {
        "apiVersion": "x.io/v1",
        "kind": "placements",
        "statusListKey": "decisions",
        "matchKey": "clusterName",
    }
    world.found = [{"status": {"decisions": [{"clusterName": "one", "n": 1}, {"clusterName": "unknown"}]}}]
    generator = {"clusterDecisionResource": {"configMapRef": "d", "name": "p", "values": {"a": "b"}}}
    assert parameters(generator, world) == [
        {"name": "one", "server": "https://1", "clusterName": "one", "n": "1", "values": {"a": "b"}}
    ]
    world.found = []
    assert made({"generators": [generator]}, world).error == "no clusterDecisionResources found"
