"""What the API server decides, without a server."""

import pytest

from kilde.core.objects.typed import go_decode
from kilde.core.objects.typed.schema import builtin
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic import decode, deletion, failures, negotiate, options, paging, rbac
from kilde.kubeapi.logic.failures import Named
from kilde.kubeapi.logic.options import DeleteOptions, ListOptions, WriteOptions
from kilde.kubeapi.logic.path import Route, route
from kilde.kubeapi.logic.rbac import Attributes


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/v1/pods", Route("", "v1", plural="pods")),
        ("/api/v1/namespaces", Route("", "v1", plural="namespaces")),
        ("/api/v1/namespaces/n", Route("", "v1", plural="namespaces", name="n")),
        ("/api/v1/namespaces/n/status", Route("", "v1", plural="namespaces", name="n", subresource="status")),
        ("/api/v1/namespaces/n/pods/p/log", Route("", "v1", "n", "pods", "p", "log")),
        ("/apis/apps/v1/namespaces/n/deployments/d", Route("apps", "v1", "n", "deployments", "d")),
        ("/api/v1/watch/namespaces/n/pods", Route("", "v1", "n", "pods", watch=True)),
        ("/api/v1/namespaces/n/services/s/proxy/a/b", Route("", "v1", "n", "services", "s", "proxy", "a/b")),
        ("/healthz", None),
        ("/apis/apps", None),
    ],
)
def test_a_path_asks_for(path: str, expected: Route | None) -> None:
    assert route(path) == expected


@pytest.mark.parametrize(
    ("accept", "kind", "media"),
    [
        ("application/json", "", negotiate.JSON),
        ("", "", negotiate.JSON),
        ("application/yaml", "", negotiate.YAML),
        ("application/vnd.kubernetes.protobuf,application/json", "", negotiate.PROTOBUF),
        ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", "Table", negotiate.JSON),
        ("application/json;as=Table;v=v9;g=meta.k8s.io,application/json", "", negotiate.JSON),
        ("text/html;q=0.9,*/*;q=0.8", "", negotiate.JSON),
        ("application/yaml;q=0.1,application/json", "", negotiate.JSON),
    ],
)
def test_the_best_form_that_fits_is_chosen(accept: str, kind: str, media: str) -> None:
    found = negotiate.form(accept)
    assert (found.kind, found.media) == (kind, media)


@pytest.mark.parametrize(
    "accept", ["text/plain", "application/vnd.kubernetes.protobuf2", "application/yaml;stream=watch"]
)
def test_a_form_that_is_not_ours_is_406(accept: str) -> None:
    with pytest.raises(ApiError) as refused:
        negotiate.form(accept)
    assert (refused.value.status, refused.value.reason) == (406, "NotAcceptable")


def test_options_of_a_write_are_read() -> None:
    query = {"fieldManager": ["me"], "dryRun": ["All"], "fieldValidation": ["Strict"], "force": ["true"]}
    assert options.write_options(query, "PatchOptions", apply=True) == WriteOptions(True, "me", "Strict", True)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"dryRun": ["Some"]}, "dryRun"),
        ({"fieldValidation": ["x"]}, "fieldValidation"),
        ({"fieldManager": ["m" * 129]}, "fieldManager"),
        ({"fieldManager": ["a\tb"]}, "fieldManager"),
        ({"force": ["true"]}, "force"),
    ],
)
def test_options_that_do_not_hold_are_422(query: dict[str, list[str]], field: str) -> None:
    with pytest.raises(ApiError) as refused:
        options.write_options(query, "PatchOptions")
    assert refused.value.status == 422
    assert refused.value.details is not None
    assert [cause["field"] for cause in refused.value.details["causes"]] == [field]


def test_a_watch_is_recognised_and_its_version_read() -> None:
    query = {"watch": ["1"], "resourceVersion": ["12"], "timeoutSeconds": ["3"], "allowWatchBookmarks": ["true"]}
    assert options.list_options(query) == ListOptions(watch=True, version=12, timeout=3, bookmarks=True)


def test_delete_options_come_from_the_body_or_else_from_the_query() -> None:
    body = {"gracePeriodSeconds": 0, "propagationPolicy": "Orphan", "preconditions": {"uid": "u"}}
    assert options.delete_options({"gracePeriodSeconds": ["9"]}, body) == DeleteOptions(0, "Orphan", uid="u")
    assert options.delete_options({"gracePeriodSeconds": ["9"]}, None) == DeleteOptions(9)


def test_a_key_said_twice_is_found_where_it_is_and_maps_under_it_are_united() -> None:
    raw = b'{"metadata":{"name":"a","name":"b"},"data":{"x":"1"},"data":{"y":"2"},"l":[{"k":1,"k":2}]}'
    body = decode.decode(raw, negotiate.JSON, "ConfigMap")
    assert body.value == {"metadata": {"name": "b"}, "data": {"x": "1", "y": "2"}, "l": [{"k": 2}]}
    assert sorted(body.duplicates) == [
        'duplicate field "data"',
        'duplicate field "l[0].k"',
        'duplicate field "metadata.name"',
    ]


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b'{"a" 1}', b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe", b"nope"],
    ids=["empty", "open", "no colon", "deep list", "deep map", "not utf-8", "word"],
)
def test_a_body_that_cannot_be_read_is_400(raw: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        decode.decode(raw, negotiate.JSON, "ConfigMap")
    assert refused.value.status == 400


DEPLOYMENT = builtin().node("apps", "v1", "Deployment")


def test_unknown_fields_fall_away_and_are_named() -> None:
    assert DEPLOYMENT is not None
    raw = {
        "kind": "Deployment",
        "spec": {"bogus": 1, "replicas": None, "template": {"spec": {"containers": [{"nmae": "c"}]}}},
    }
    found = go_decode.decode(DEPLOYMENT, raw)
    assert found.object == {"kind": "Deployment", "spec": {"template": {"spec": {"containers": [{}]}}}}
    assert found.unknown == ("spec.bogus", "spec.template.spec.containers[0].nmae")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"replicas": "3"}, "cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"),
        (
            {"replicas": 1.5},
            "cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        ({"replicas": 1 << 40}, "of type int32"),
        ({"paused": 1}, "cannot unmarshal number into Go struct field DeploymentSpec.spec.paused of type bool"),
        (
            {"template": []},
            "cannot unmarshal array into Go struct field DeploymentSpec.spec.template of type v1.PodTemplateSpec",
        ),
    ],
)
def test_a_wrong_type_is_told_in_gos_words(spec: dict[str, object], words: str) -> None:
    assert DEPLOYMENT is not None
    with pytest.raises(go_decode.WrongType, match=words.replace("[", r"\[")):
        go_decode.decode(DEPLOYMENT, {"spec": spec})


def pod(**status: object) -> dict[str, object]:
    return {
        "metadata": {"name": "p", "uid": "u", "generation": 1},
        "spec": {"nodeName": "n", "terminationGracePeriodSeconds": 30},
        "status": status,
    }


def judged(obj: dict[str, object], asked: DeleteOptions, storage: str = "pods") -> deletion.Verdict:
    return deletion.judge(storage, obj, asked, now=1_000_000.0)


def test_a_running_pod_ends_with_its_grace() -> None:
    verdict = judged(pod(phase="Running"), DeleteOptions())
    assert not verdict.gone
    assert verdict.object["metadata"] == {
        "name": "p",
        "uid": "u",
        "deletionTimestamp": "1970-01-12T13:47:10Z",
        "deletionGracePeriodSeconds": 30,
        "generation": 2,
    }


@pytest.mark.parametrize("obj", [pod(phase="Succeeded"), {**pod(), "spec": {}}], ids=["finished", "never scheduled"])
def test_a_pod_that_does_not_run_goes_at_once(obj: dict[str, object]) -> None:
    assert judged(obj, DeleteOptions()).gone


def test_a_later_request_shortens_the_grace_but_does_not_lengthen_it() -> None:
    going = judged(pod(phase="Running"), DeleteOptions()).object
    assert judged(going, DeleteOptions(60)).object == going
    assert judged(going, DeleteOptions(5)).object["metadata"]["deletionGracePeriodSeconds"] == 5
    assert judged(going, DeleteOptions(0)).gone


@pytest.mark.parametrize(
    ("policy", "storage", "finalizers"),
    [
        ("Foreground", "configmaps", ["x/y", "foregroundDeletion"]),
        ("Orphan", "configmaps", ["x/y", "orphan"]),
        ("Background", "configmaps", ["x/y"]),
        ("", "jobs.batch", ["x/y", "orphan"]),
    ],
)
def test_a_policy_is_kept_as_a_finalizer(policy: str, storage: str, finalizers: list[str]) -> None:
    obj = {"metadata": {"name": "a", "uid": "u", "finalizers": ["x/y"]}}
    assert judged(obj, DeleteOptions(propagation=policy), storage).object["metadata"]["finalizers"] == finalizers


def test_a_token_goes_round() -> None:
    token = paging.Token(12, ("n", "a"))
    assert paging.decode(paging.encode(token)) == token


@pytest.mark.parametrize("text", ["x", "e30", "", "\u00e6", "bm90IGpzb24"])
def test_a_token_of_somebody_else_is_400(text: str) -> None:
    with pytest.raises(ApiError, match="continue key is not valid"):
        paging.decode(text)


RULE = {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]}


@pytest.mark.parametrize(
    ("rule", "wanted", "expected"),
    [
        (RULE, Attributes("get", "", "pods", "", "n", "p"), True),
        (RULE, Attributes("get", "", "pods", "log", "n", "p"), True),
        (RULE, Attributes("get", "", "pods", "exec", "n", "p"), False),
        (RULE, Attributes("delete", "", "pods"), False),
        (RULE, Attributes("get", "apps", "pods"), False),
        ({**RULE, "resourceNames": ["q"]}, Attributes("get", "", "pods", "", "n", "p"), False),
        (
            {"apiGroups": ["*"], "resources": ["*/scale"], "verbs": ["*"]},
            Attributes("patch", "apps", "deployments", "scale"),
            True,
        ),
        ({"nonResourceURLs": ["/healthz", "/api/*"], "verbs": ["get"]}, Attributes("get", path="/api/v1"), True),
        ({"nonResourceURLs": ["/healthz"], "verbs": ["get"]}, Attributes("get", path="/healthz/x"), False),
    ],
)
def test_a_rule_allows(rule: dict[str, object], wanted: Attributes, expected: bool) -> None:
    assert rbac.allows(rule, wanted) is expected


def test_what_is_not_held_is_named_once() -> None:
    wanted = [{"apiGroups": [""], "resources": ["pods", "secrets"], "verbs": ["get", "list"]}]
    missing = rbac.uncovered(wanted, [RULE])
    assert [rbac.compact(rule) for rule in missing] == ['{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}']


def test_causes_are_listed_once_in_the_message() -> None:
    twice = [failures.cause("FieldValueRequired", "Required value", "spec.a")] * 2
    error = failures.invalid(Named("apps", "Deployment", "d"), twice)
    assert error.message == 'Deployment.apps "d" is invalid: spec.a: Required value'


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a: [\n", "yaml: line 1: did not find expected node content"),
        ("a:\n\tb: c", "yaml: line 2: found character that cannot start any token"),
        ("a: b: c", "yaml: mapping values are not allowed in this context"),
        ("# words\n---\na: [\n", "yaml: line 3: did not find expected node content"),
        ("a: *b", "yaml: unknown anchor 'b' referenced"),
    ],
)
def test_a_mistake_in_yaml_is_told_as_go_does(text: str, what: str) -> None:
    with pytest.raises(decode.Unreadable) as told:
        decode.read(text.encode(), negotiate.YAML)
    assert told.value.what == what


@pytest.mark.parametrize("text", ["a: 1\n---\n}{", "---\na: 1\n---\nb: 2", "%YAML 1.1\n---\na: 1", "a: 1\n...\n]["])
def test_the_first_document_of_a_body_is_all_that_counts(text: str) -> None:
    assert decode.read(text.encode(), negotiate.YAML).value == {"a": 1}
