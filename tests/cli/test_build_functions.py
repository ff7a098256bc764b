"""KRM functions and plugins: run for real by both programs, on the same input. Containers go through a stand-in for docker."""

from pathlib import Path

import pytest

from cli.both import Both, both, write

EXEC = ("--enable-alpha-plugins", "--enable-exec")
RESOURCES = """apiVersion: v1
kind: ConfigMap
metadata: {name: c, annotations: {kept: 'yes'}}
data: {a: b}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: d, namespace: n}
spec: {template: {spec: {containers: [{name: x, image: y}]}}}
"""
FN = """apiVersion: example.com/v1
kind: Fn
metadata:
  name: fn
  annotations:
    config.kubernetes.io/function: |
      exec: {path: ./fn.sh, args: [one, two words], envs: [A=1, B=x=y, C]}
spec: {text: hello}
"""
# a function that writes down what it was given, and then says what `does` says
RECORDING = "#!/bin/sh\ncat > seen\n{does}\n"
LIST = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n"
GIVEN = "cat <<'END'\n{text}END\n"


def made(text: str) -> str:
    return RECORDING.format(does=GIVEN.format(text=text))


def app(folder: Path, kustomization: str, function: str, config: str = FN, **more: str) -> Both:
    files = {
        "app/kustomization.yaml": kustomization,
        "app/r.yaml": RESOURCES,
        "app/fn.yaml": config,
        "app/fn.sh": function,
    }
    return both(folder, {**files, **more})


TRANSFORM = "resources: [r.yaml]\ntransformers: [fn.yaml]\nnamePrefix: p-\n"
GENERATE = "resources: [r.yaml]\ngenerators: [fn.yaml]\nnamePrefix: p-\n"
CM = "- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: %s}\n  data: {x: '1'}\n"
# name → (kustomization, the function)
CASES = {
    "a transformer that changes nothing": (TRANSFORM, "#!/bin/sh\ncat\n"),
    "a transformer that changes a value": (TRANSFORM, "#!/bin/sh\nsed 's/image: y/image: z/'\n"),
    "a transformer that renames": (TRANSFORM, "#!/bin/sh\nsed 's/  name: p-c/  name: q/'\n"),
    "a transformer that removes one": (TRANSFORM, made(LIST + CM % "p-c")),
    "a transformer that adds one": (TRANSFORM, made(LIST + CM % "other" + CM % "p-c")),
    "a transformer that removes all": (TRANSFORM, made(LIST.replace("items:", "items: []"))),
    "a transformer that doubles one": (TRANSFORM, made(LIST + CM % "p-c" + CM % "p-c")),
    "a transformer that prints documents": (TRANSFORM, made("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: p-c}\n---\n"
                                                            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: z}\n")),
    "a transformer that prints nonsense": (TRANSFORM, made("a: [\n")),
    "a transformer that prints nothing": (TRANSFORM, "#!/bin/sh\ncat > seen\n"),
    "a transformer that fails": (TRANSFORM, "#!/bin/sh\ncat\nexit 3\n"),
    "a transformer that is not there": (TRANSFORM, "not executable"),
    "arguments and variables": (TRANSFORM, "#!/bin/sh\nsed \"s/a: b/a: '$# $1 $2 $A $B $C $D'/\"\n"),
    "the folder it runs in": (TRANSFORM, "#!/bin/sh\nsed \"s|a: b|a: $(basename $(pwd))|\"\n"),
    "what the config says": (TRANSFORM, "#!/bin/sh\ncat > seen\nt=$(sed -n 's/ *text: //p' seen)\nsed \"s|a: b|a: $t|\" seen\n"),
    "a function in the middle of names that change": (
        "resources: [r.yaml]\nnamePrefix: p-\nconfigMapGenerator: [{name: g, literals: [a=b]}]\ntransformers: [fn.yaml, x.yaml]\n",
        "#!/bin/sh\nsed 's/image: y/image: z/'\n"),
    "a generator": (GENERATE, made(LIST + CM % "g")),
    "a generator with a hash": (GENERATE, made(LIST + CM.replace("name: %s", "name: g, annotations: "
                                               "{kustomize.config.k8s.io/needs-hash: 'true'}"))),
    "a generator that merges": (GENERATE, made(LIST + CM.replace("name: %s", "name: c, annotations: "
                                               "{kustomize.config.k8s.io/behavior: merge}"))),
    "a generator with no truth": (GENERATE, made(LIST + CM.replace("name: %s", "name: g, annotations: "
                                                 "{kustomize.config.k8s.io/needs-hash: 'maybe'}"))),
    "a generator that repeats its input": (GENERATE, "#!/bin/sh\ncat\n"),
    "a validator that is content": ("resources: [r.yaml]\nvalidators: [fn.yaml]\n", "#!/bin/sh\ncat\n"),
    "a validator that refuses": ("resources: [r.yaml]\nvalidators: [fn.yaml]\n", "#!/bin/sh\necho no >&2\nexit 1\n"),
    "a validator that changes something": ("resources: [r.yaml]\nvalidators: [fn.yaml]\n", "#!/bin/sh\nsed 's/image: y/image: z/'\n"),
    "with origins": (TRANSFORM + "buildMetadata: [originAnnotations, transformerAnnotations]\n", made(LIST + CM % "p-c" + CM % "z")),
    "a generator with origins": (GENERATE + "buildMetadata: [originAnnotations]\n", made(LIST + CM % "g")),
}  # fmt: skip
PREFIXER = "apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: x}\nprefix: x-\nfieldSpecs: [{path: metadata/name}]\n"


@pytest.mark.parametrize("name", CASES)
def test_a_function_does_to_our_output_what_it_does_to_kustomizes(tmp_path: Path, name: str) -> None:
    kustomization, function = CASES[name]
    here = app(tmp_path, kustomization, function, **{"app/x.yaml": PREFIXER})
    here.same("app", *EXEC, "-e", "A=2", "-e", "D=4", "--reorder", "none")


@pytest.mark.parametrize("kustomization", [TRANSFORM, GENERATE])
@pytest.mark.parametrize("flags", [(), ("--enable-exec",), ("--enable-alpha-plugins",)])
def test_without_its_flags_nothing_runs(tmp_path: Path, kustomization: str, flags: tuple[str, ...]) -> None:
    here = app(tmp_path, kustomization, "#!/bin/sh\ntouch ran\ncat\n")
    here.same("app", *flags)
    assert not (tmp_path / "app/ran").exists()


CONTAINER = """apiVersion: example.com/v1
kind: Fn
metadata:
  name: fn
  annotations:
    config.kubernetes.io/function: |
      container:
        image: example.com/fn:v1
        network: NETWORK
        envs: [ONE=1, TWO, LOG_TO_STDERR=false]
        mounts:
        - {type: bind, src: ./data, dst: /data}
        - {type: volume, src: vol, dst: /vol, rw: true}
"""
# stands in for docker: writes down its arguments, and is the function itself
DOCKER = """#!/bin/sh
for argument; do echo "$argument"; done >> "$HOME/arguments"
pwd >> "$HOME/arguments"
sed 's/image: y/image: z/'
"""


@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("--network",),
        ("--network", "--as-current-user", "-e", "ONE=x", "--env", "THREE", "-e", "STRUCTURED_RESULTS=no"),
        (
            "--network",
            "--network-name",
            "other",
            "--mount",
            "type=bind,source=/tmp,target=/t,rw=true",
            "--mount",
            "src=a,dst=/b",
        ),
    ],
)
@pytest.mark.parametrize("network", ["true", "false"])
def test_docker_is_given_what_kustomize_gives_it(tmp_path: Path, flags: tuple[str, ...], network: str) -> None:
    config = CONTAINER.replace("NETWORK", network)
    here = app(tmp_path, TRANSFORM, "", config, **{"bin/docker": DOCKER})
    here = Both(tmp_path, {**here.variables, "PATH": f"{tmp_path}/bin:/usr/bin:/bin"})
    seen = []
    for program in (here.theirs, here.ours):
        said = program("app", "--enable-alpha-plugins", *flags)
        log = tmp_path / "arguments"
        seen.append((said.code, said.out, log.read_text() if log.exists() else ""))
        log.unlink(missing_ok=True)
    assert seen[0] == seen[1]
    assert (seen[0][0] == 0) is (network == "false" or "--network" in flags)


@pytest.mark.parametrize("source", ["/etc", "../x", "a/../../x"])
def test_mounts_stay_below_the_folder(tmp_path: Path, source: str) -> None:
    config = CONTAINER.replace("NETWORK", "false").replace("./data", source)
    here = app(tmp_path, TRANSFORM, "", config)
    assert f"the mount path '{source}' is not permitted" in here.same("app", "--enable-alpha-plugins").err


@pytest.mark.parametrize(
    "annotation",
    ["exec: {path: ./fn.sh, unknown: x}", "exec: [", "container: {image: [a]}", "text", "exec: {path: 5}", "{}"],
)
def test_what_is_no_spec_of_a_function_is_refused(tmp_path: Path, annotation: str) -> None:
    config = FN.replace("exec: {path: ./fn.sh, args: [one, two words], envs: [A=1, B=x=y, C]}", annotation)
    app(tmp_path, TRANSFORM, "#!/bin/sh\ncat\n", config).same("app", *EXEC)


def test_the_older_annotations_name_functions_too(tmp_path: Path) -> None:
    old = FN.replace("config.kubernetes.io/function", "config.k8s.io/function")
    assert app(tmp_path / "a", TRANSFORM, "#!/bin/sh\nsed 's/image: y/image: z/'\n", old).same("app", *EXEC).code == 0
    field = "apiVersion: e/v1\nkind: F\nmetadata:\n  name: fn\n  configFn:\n    exec: {path: ./fn.sh}\n"
    assert app(tmp_path / "b", TRANSFORM, "#!/bin/sh\nsed 's/image: y/image: z/'\n", field).same("app", *EXEC).code == 0


PLUGIN = """#!/bin/sh
echo "$@" | sed "s|$1|CONFIG|" >> "$HOME/log"
cat "$1" >> "$HOME/log"
echo "$KUSTOMIZE_PLUGIN_CONFIG_STRING" >> "$HOME/log"
echo "$KUSTOMIZE_PLUGIN_CONFIG_ROOT $(pwd)" >> "$HOME/log"
tee -a "$HOME/log" | DOES
"""
PLUGIN_CONFIG = """apiVersion: example.com/v1
kind: Plug
metadata: {name: plug}
argsOneLiner: one 'two words' # not this
argsFromFile: args
"""


@pytest.mark.parametrize(
    ("field", "does"),
    [
        ("transformers", "sed 's/image: y/image: z/'"),
        ("transformers", "{ cat > /dev/null; echo broken >&2; exit 3; }"),
        ("generators", "{ cat; echo 'apiVersion: v1'; echo 'kind: ConfigMap'; echo 'metadata: {name: made}'; }"),
        ("validators", "cat"),
        ("validators", "sed 's/image: y/image: z/'"),
        ("validators", "sed 's/^metadata:/metadata:\\n  labels: {validated-by: x}/'"),
    ],
)
def test_an_executable_plugin_is_run_as_kustomize_runs_it(tmp_path: Path, field: str, does: str) -> None:
    files = {
        "app/plug.yaml": PLUGIN_CONFIG,
        "app/args": "three\n  four five\n\n",
        ".config/kustomize/plugin/example.com/v1/plug/Plug": PLUGIN.replace("DOES", does),
    }
    here = app(tmp_path, f"resources: [r.yaml]\n{field}: [plug.yaml]\n", "", **files)
    here.theirs("app", "--enable-alpha-plugins")
    given = (tmp_path / "log").read_text()
    (tmp_path / "log").unlink()
    here.same("app", "--enable-alpha-plugins")
    log = (tmp_path / "log").read_text()
    assert log in (given, given * 2)


def test_a_plugin_that_is_not_there_is_named(tmp_path: Path) -> None:
    here = app(tmp_path, "resources: [r.yaml]\ntransformers: [plug.yaml]\n", "", **{"app/plug.yaml": PLUGIN_CONFIG})
    assert "set KUSTOMIZE_PLUGIN_HOME" in here.same("app", "--enable-alpha-plugins").err
    write(tmp_path, {"plugins/example.com/v1/plug/Plug.so": "x"})
    here = Both(tmp_path, {**here.variables, "KUSTOMIZE_PLUGIN_HOME": str(tmp_path / "plugins")})
    assert "Go plugins are not loaded (make it an executable)" in here.same("app", "--enable-alpha-plugins").err
