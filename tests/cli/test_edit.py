"""`kilde edit`: files before and after, what is said, and that nothing happens to a file that cannot be edited."""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.command_line import Kilde, Said

FILE = "kustomization.yaml"
BEFORE = """\
# Owned by the web team.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization

resources:   # in the order of their age
  - deployment.yaml
  # needs the deployment
  - service.yaml

images:
  # CI changes this one
  - name: web
    newName: registry.example.org/web  # our own
    newTag: "1.0"  # CI
  - {name: proxy, newTag: v2}
commonLabels: {app: web}
configMapGenerator:
  - name: settings
    literals:
      - level=info  # or debug
      - url=http://x/?a=b
# end
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    Path(FILE).write_text(BEFORE)
    for name in ("deployment.yaml", "service.yaml", "job.yaml", "app.conf"):
        Path(name).write_text("")
    return tmp_path / "work"


def changed(old: str, new: str) -> str:
    assert BEFORE.count(old) == 1
    return BEFORE.replace(old, new)


EDITS = [
    (["set", "image", "web=*:1.1"], 'newTag: "1.0"  # CI', 'newTag: "1.1"  # CI'),
    (["set", "image", "web=*:v2"], 'newTag: "1.0"  # CI', "newTag: v2  # CI"),
    (["set", "image", "proxy:1.2,3"], "{name: proxy, newTag: v2}", '{name: proxy, newTag: "1.2,3"}'),
    (
        ["set", "image", "web@sha256:12"],
        '  - name: web\n    newName: registry.example.org/web  # our own\n    newTag: "1.0"  # CI\n',
        "  - digest: sha256:12\n    name: web\n",
    ),
    (
        ["set", "image", "web=*:*", "new=reg:5000/new:1@sha256:12"],
        "  - {name: proxy, newTag: v2}\n",
        "  - {name: proxy, newTag: v2}\n"
        '  - digest: sha256:12\n    name: new\n    newName: reg:5000/new\n    newTag: "1"\n',
    ),
    (["set", "replicas", "web=3"], "# end\n", "# end\nreplicas:\n  - count: 3\n    name: web\n"),
    (["set", "namespace", "y"], "# end\n", '# end\nnamespace: "y"\n'),
    (["set", "namesuffix", "--", "-dev"], "# end\n", "# end\nnameSuffix: -dev\n"),
    (["set", "label", "tier:front", 'app:"w"'], "{app: web}", "{app: w, tier: front}"),
    (["add", "label", "app:w", "-f"], "{app: web}", "{app: w}"),
    (["add", "label", "a:b", "--force=true"], "{app: web}", "{a: b, app: web}"),
    (["add", "annotation", "owner:me"], "# end\n", "# end\ncommonAnnotations:\n  owner: me\n"),
    (
        ["add", "label", "a:b", "--without-selector", "--include-templates"],
        "# end\n",
        "# end\nlabels:\n  - includeTemplates: true\n    pairs:\n      a: b\n",
    ),
    (["add", "resource", "job.yaml"], "  - service.yaml\n", "  - service.yaml\n  - job.yaml\n"),
    (
        ["add", "resource", "https://git.example.org/a?ref=v1"],
        "  - service.yaml\n",
        "  - service.yaml\n  - https://git.example.org/a?ref=v1\n",
    ),
    (["remove", "resource", "deployment.yaml"], "  - deployment.yaml\n", ""),
    (
        ["remove", "resource", "*.yaml"],
        "resources:   # in the order of their age\n  - deployment.yaml\n  # needs the deployment\n  - service.yaml\n",
        "# needs the deployment\n",
    ),
    (["remove", "label", "app"], "commonLabels: {app: web}\n", ""),
    (
        ["set", "configmap", "settings", "--from-literal=level=debug"],
        "level=info  # or debug",
        "level=debug  # or debug",
    ),
    (
        ["set", "configmap", "settings", "--new-namespace", "shop"],
        "      - url=http://x/?a=b\n",
        "      - url=http://x/?a=b\n    namespace: shop\n",
    ),
    (
        ["add", "configmap", "settings", "--from-file", "c=app.conf,app.conf"],
        "      - url=http://x/?a=b\n",
        "      - url=http://x/?a=b\n    files:\n      - c=app.conf\n      - app.conf\n",
    ),
    (
        ["add", "secret", "key", "--from-literal", "a=b"],
        "# end\n",
        "# end\nsecretGenerator:\n  - literals:\n      - a=b\n    name: key\n    type: Opaque\n",
    ),
    (
        ["remove", "configmap", "settings"],
        "configMapGenerator:\n  - name: settings\n    literals:\n      - level=info  # or debug\n      - url=http://x/?a=b\n",
        "",
    ),
    (["add", "buildmetadata", "originAnnotations"], "# end\n", "# end\nbuildMetadata:\n  - originAnnotations\n"),
    (
        ["fix"],
        "commonLabels: {app: web}\n",
        "labels:\n  - includeSelectors: true\n    pairs: {app: web}\n",
    ),
]


@pytest.mark.parametrize(("arguments", "old", "new"), EDITS, ids=[" ".join(edit[0]) for edit in EDITS])
def test_an_edit_changes_what_it_says_and_nothing_else(
    kilde: Kilde, here: Path, arguments: list[str], old: str, new: str
) -> None:
    said = kilde("edit", *arguments)

    assert (said.code, said.err) == (0, "")
    assert Path(FILE).read_text() == changed(old, new)


REFUSED = [
    (["set", "image"], "Error: no image specified"),
    (["set", "image", "web"], "Error: web: invalid format of image"),
    (["set", "replicas", "web"], "Error: web: invalid format of replica"),
    (["set", "namespace"], "Error: must specify exactly one namespace value"),
    (["set", "annotation", "-x"], "Usage: kilde edit set annotation"),
    (["set", "annotation", "a b:c"], "Error: a b: invalid annotation key"),
    (["set", "label", ":c"], "Error: invalid label: ':c'"),
    (
        ["set", "buildmetadata", "originAnnotation"],
        "Error: invalid buildMetadata option: originAnnotation (did you mean",
    ),
    (["set", "configmap", "setting", "--from-literal=a=b"], "Error: unable to find configmap"),
    (["set", "configmap", "settings", "--from-literal=levl=b"], "Error: key 'levl' not found"),
    (["add", "label", "app:x"], "Error: label app already in kustomization file"),
    (["add", "label", "a:x", "--force=perhaps"], "Usage: kilde edit add label"),
    (["add", "base", "nowhere"], "Error: nowhere: does not exist"),
    (["add", "resource", "nowhere.yaml"], "Error: nowhere.yaml: has no match"),
    (["add", "resource", "[a"], "Error: [a: syntax error in pattern"),
    (["add", "patch"], "Error: must provide either patch or path"),
    (["add", "configmap", "x"], "Error: at least from-env-file"),
    (["add", "configmap", "x", "--from-file=/etc/hostname"], "Error: '/etc/hostname' is an absolute path"),
    (["add", "configmap", "settings", "--from-literal=level=x"], "Error: settings: illegally repeats the key 'level'"),
    (["remove", "label", "nope"], "Error: label nope is not defined"),
    (["remove", "configmap", "nope"], "Error: nope: no specified configmap(s) were found"),
    (["remove", "label", "a", "b"], "Error: labels must be comma-separated"),
    (["sett"], "Usage: kilde edit"),
    (["set", "imag"], "Usage: kilde edit set"),
]


@pytest.mark.parametrize(("arguments", "words"), REFUSED, ids=[" ".join(case[0]) for case in REFUSED])
def test_what_cannot_be_done_ends_with_1_and_leaves_the_file(
    kilde: Kilde, here: Path, arguments: list[str], words: str
) -> None:
    said = kilde("edit", *arguments)

    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(words)
    assert Path(FILE).read_text() == BEFORE


BROKEN = [
    (b"resources: [\n- a", "Error: kustomization.yaml:2:1: "),
    (b"a: b\n", "Error: kustomization.yaml:1:1: a: unknown field"),
    (b"namespace: x\nimages:\n- name: web\n  newTag: 1.0\n", "Error: kustomization.yaml:4:3: images[0].newTag: must be a string"),
    (b"- a\n", "Error: kustomization.yaml:1: a kustomization must be a map"),
    (b"namespace: \xff\n", "Error: kustomization.yaml"),
    (b"a: " + b"[" * 5000, "Error: kustomization.yaml:1:"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "words"), BROKEN)
def test_a_broken_file_is_told_with_its_line_and_left(kilde: Kilde, here: Path, content: bytes, words: str) -> None:
    Path(FILE).write_bytes(content)

    said = kilde("edit", "set", "namespace", "x")

    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert said.err.startswith(words)
    assert Path(FILE).read_bytes() == content


def test_without_a_file_and_with_two_nothing_is_written(kilde: Kilde, here: Path) -> None:
    Path("kustomization.yml").write_text("")
    assert kilde("edit", "set", "namespace", "x").err.startswith("Error: Found multiple kustomization files")
    Path("kustomization.yml").unlink()
    Path(FILE).unlink()
    assert kilde("edit", "set", "namespace", "x") == Said(
        1, "", "Error: Missing kustomization file 'kustomization.yaml' (change into its folder first)\n"
    )
    Path(FILE).mkdir()
    assert kilde("edit", "set", "namespace", "x").err == "Error: kustomization.yaml: should be a file\n"


def test_an_empty_file_gets_its_header(kilde: Kilde, here: Path) -> None:
    Path(FILE).write_text("")
    assert kilde("edit", "add", "resource", "job.yaml").code == 0
    assert Path(FILE).read_text() == (
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- job.yaml\n"
    )


def test_what_is_there_already_is_told_of_and_left(kilde: Kilde, here: Path) -> None:
    before = os.stat(FILE)
    said = kilde("edit", "add", "resource", "deployment.yaml", FILE)

    assert said == Said(0, "", "resource deployment.yaml already in kustomization file\n")
    assert os.stat(FILE) == before
    assert kilde("edit", "add", "transformer", "*.none") == Said(0, "", "*.none has no match\n")
    assert kilde("edit", "remove", "patch", "--path", "p.yaml") == Said(
        0, "", "patch doesn't exist in kustomization file\n"
    )


def test_hidden_files_and_the_file_itself_are_not_added_by_a_pattern(kilde: Kilde, here: Path) -> None:
    Path(".hidden.yaml").write_text("")
    kilde("edit", "add", "transformer", "*.yaml")
    assert Path(FILE).read_text() == BEFORE + "transformers:\n  - deployment.yaml\n  - job.yaml\n  - service.yaml\n"


def test_a_link_stays_one_and_mode_stays(kilde: Kilde, here: Path) -> None:
    Path("real").mkdir()
    Path(FILE).rename("real/k.yaml")
    Path("real/k.yaml").chmod(0o640)
    Path(FILE).symlink_to("real/k.yaml")

    assert kilde("edit", "set", "namespace", "x").code == 0

    assert Path(FILE).is_symlink()
    assert Path("real/k.yaml").read_text() == BEFORE + "namespace: x\n"
    assert Path("real/k.yaml").stat().st_mode & 0o7777 == 0o640
    assert os.listdir("real") == ["k.yaml"]


@pytest.mark.skipif(os.geteuid() == 0 and not os.path.exists("/proc/self/limits"), reason="needs a limit to run into")
def test_a_full_disk_leaves_the_file_and_nothing_else(here: Path) -> None:
    # the kernel refuses to let this process write a file of more than 10 bytes
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "from kilde.cli.main import run; import kilde.core.render.kustomize.edit.editing, kilde.cli.commands.edit.setting;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10)); sys.exit(run(['edit', 'set', 'namespace', 'x']))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"}
    names = sorted(os.listdir())

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environment)

    assert (done.returncode, done.stderr) == (1, "Error: kustomization.yaml: cannot be written: File too large\n")
    assert (Path(FILE).read_text(), sorted(os.listdir())) == (BEFORE, names)


def test_images_that_follow_on_each_other_keep_their_order(kilde: Kilde, here: Path) -> None:
    text = "images:\n- name: b\n  newName: c\n- name: a\n  newName: b\n"
    Path(FILE).write_text(text)
    kilde("edit", "set", "image", "d:1", "a=b:2")
    assert Path(FILE).read_text() == text + '  newTag: "2"\n- name: d\n  newTag: "1"\n'


def test_of_several_entries_of_one_image_the_edited_ones_become_one(kilde: Kilde, here: Path) -> None:
    others = "- name: b\n  newTag: '1'\n- name: b\n  newTag: '2'\n"
    Path(FILE).write_text(f"images:\n- name: a\n  newName: x # kept\n- name: a\n  newName: w\n  newTag: z\n{others}")
    kilde("edit", "set", "image", "a=*:3@*")
    assert Path(FILE).read_text() == f'images:\n- name: a\n  newName: x # kept\n  newTag: "3"\n{others}'


def test_an_anchor_in_the_way_is_written_out(kilde: Kilde, here: Path) -> None:
    Path(FILE).write_text(
        "commonLabels: &common  # everywhere\n  app: web\n# notes\ncommonAnnotations: *common\nnamespace: x # y\n"
    )
    assert kilde("edit", "set", "label", "app:db").code == 0
    assert Path(FILE).read_text() == (
        "# everywhere\ncommonLabels:\n  app: db\n# notes\ncommonAnnotations:\n  app: web\nnamespace: x # y\n"
    )
    kilde("edit", "set", "namespace", "z")
    assert "namespace: z # y\n" in Path(FILE).read_text()


def test_deprecated_fields_are_folded_where_they_are_touched(kilde: Kilde, here: Path) -> None:
    Path(FILE).write_text("bases:\n# the base\n- ../base  # ours\nimageTags:\n- {name: a, newTag: b}\n")
    kilde("edit", "add", "resource", "job.yaml")
    assert Path(FILE).read_text() == (
        "resources:\n# the base\n- ../base  # ours\n- job.yaml\nimageTags:\n- {name: a, newTag: b}\n"
    )


def test_help_is_printed_where_no_command_is_named(kilde: Kilde) -> None:
    for arguments in ((), ("set",), ("add",), ("remove",)):
        said = kilde("edit", *arguments)
        assert (said.code, said.err) == (0, "")
        assert said.out == kilde("edit", *arguments, "--help").out


FIX_BEFORE = """\
bases:
- ../base  # shared
resources: [deployment.yaml]
# how it differs
patchesStrategicMerge:
  - job.yaml  # a file
  - |-
    kind: Deployment
    metadata:
      name: web
patchesJson6902:
# one more
- path: j.yaml
  target: {version: v1, kind: Service, name: web}
commonLabels:  # on everything
  # the app
  app: web
configMapGenerator:
- name: c
  env: app.conf
"""
FIX_AFTER = """\
resources: [deployment.yaml, ../base]
# how it differs
patches:
# one more
- path: j.yaml
  target: {version: v1, kind: Service, name: web}
- path: job.yaml  # a file
- patch: |-
    kind: Deployment
    metadata:
      name: web
labels:  # on everything
- includeSelectors: true
  pairs:
    # the app
    app: web
configMapGenerator:
- name: c
  envs:
  - app.conf
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
"""


def test_fix_keeps_a_mark_and_returns(kilde: Kilde, here: Path) -> None:
    Path(FILE).write_bytes(("\ufeff" + FIX_BEFORE.replace("\n", "\r\n")).encode())
    kilde("edit", "fix")
    assert Path(FILE).read_bytes().decode() == "\ufeff" + FIX_AFTER.replace("\n", "\r\n")


def test_the_last_label_goes_and_the_comments_stay(kilde: Kilde, here: Path) -> None:
    Path(FILE).write_text("# who\ncommonLabels:\n  # the app\n  app: web  # gone\nnamespace: x")
    kilde("edit", "remove", "label", "app")
    assert Path(FILE).read_text() == "# who\n# the app\nnamespace: x"


def test_fix_moves_entries_with_their_comments(kilde: Kilde, here: Path) -> None:
    Path(FILE).write_text(FIX_BEFORE)
    said = kilde("edit", "fix")

    assert Path(FILE).read_text() == FIX_AFTER
    assert said.out.startswith(
        "\nFixed fields:\n  bases -> resources\n  patchesJson6902 -> patches\n  patchesStrategicMerge -> patches\n"
        "  commonLabels -> labels\nWarning: the fixed kustomization gives an error when it is built: "
    )
    assert kilde("edit", "fix").out.startswith("Nothing to fix\n")
    assert Path(FILE).read_text() == FIX_AFTER


DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
      - name: web
        command: [serve, $(HOST), "--url=http://$(HOST)/x"]  # twice
"""
VARS = """\
resources: [deployment.yaml, service.yaml]
vars:
# who we are
- name: HOST
  objref: {apiVersion: v1, kind: Service, name: web}
replacements:
- path: r.yaml
"""


def test_fix_vars_turns_variables_into_replacements(kilde: Kilde, here: Path) -> None:
    service = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n"
    Path("service.yaml").write_text(service)
    Path("r.yaml").write_text("[]\n")
    Path("deployment.yaml").write_text(DEPLOYMENT.replace("http://$(HOST)/x", "http:$(HOST)"))
    Path(FILE).write_text(VARS)
    assert "--vars" in kilde("edit", "fix").out
    said = kilde("edit", "fix", "--vars")

    assert "vars -> replacements" in said.out
    assert "Warning" not in said.out
    assert Path("deployment.yaml").read_text() == DEPLOYMENT.replace(
        "http://$(HOST)/x", "http:HOST_PLACEHOLDER"
    ).replace("$(HOST)", "HOST_PLACEHOLDER")
    assert Path("service.yaml").read_text() == service
    target = (
        "  - fieldPaths:\n    - spec.template.spec.containers.0.command.{}\n{}"
        "    select:\n      group: apps\n      kind: Deployment\n      name: web\n      version: v1\n"
    )
    assert Path(FILE).read_text() == (
        "resources: [deployment.yaml, service.yaml]\n# who we are\nreplacements:\n- path: r.yaml\n"
        "- source:\n    kind: Service\n    name: web\n    version: v1\n  targets:\n"
        + target.format(1, "")
        + target.format(2, "    options:\n      delimiter: ':'\n      index: 1\n")
        + "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
    )


def test_a_variable_that_no_replacement_can_express_stops_fix(kilde: Kilde, here: Path) -> None:
    text = DEPLOYMENT.replace("$(HOST)/x", "$(HOST):80")
    Path("deployment.yaml").write_text(text)
    Path(FILE).write_text(VARS)
    said = kilde("edit", "fix", "--vars")

    assert (said.code, said.out) == (1, "")
    assert said.err == ("Error: deployment.yaml: cannot convert all vars to replacements; $(HOST) is not delimited\n")
    assert (Path(FILE).read_text(), Path("deployment.yaml").read_text()) == (VARS, text)


@pytest.mark.slow
def test_an_edit_starts_quickly(here: Path) -> None:
    """By CPU time, and twice of what it may cost on an idle machine (80 ms more than Python): others may be at work."""

    def cost(*arguments: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], check=True, env=environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    bare = min(cost("-c", "pass") for _ in range(7))
    edit = min(cost("-m", "kilde", "edit", "set", "image", f"web=*:{turn}") for turn in range(7))

    assert edit - bare < 0.160


@pytest.mark.parametrize("arguments", [("remove", "resource", "*7.yaml"), ("set", "image", "i100:v2")])
def test_a_long_file_takes_no_time_to_speak_of(kilde: Kilde, here: Path, arguments: tuple[str, ...]) -> None:
    lines = [f"- r{number}.yaml # {number}\n" for number in range(20_000)]
    images = [f"- name: i{number}\n  newTag: v1\n" for number in range(200)]
    Path(FILE).write_text("resources:\n" + "".join(lines) + "images:\n" + "".join(images))
    before = time.process_time()

    assert kilde("edit", *arguments).code == 0

    assert time.process_time() - before < 5.0  # a square of that would be minutes
