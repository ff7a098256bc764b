"""Admission policies: what they are about, what they say, what they change."""

from typing import Any

import pytest

from kilde.kubeapi.resources.catalog import Catalog
from kilde.kubeapi.resources.policies import (
    Denial,
    Mutation,
    MutationFailed,
    ParamKind,
    Params,
    Request,
    invocations,
    judge,
    mutation,
    wanted,
)

pytest.importorskip("cel_expr_python", reason="the extra cel is not installed")

RULES = {
    "resourceRules": [
        {"apiGroups": [""], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}
    ]
}
NAMESPACE = {"metadata": {"name": "n", "labels": {"team": "a"}}}
WHO = "ValidatingAdmissionPolicy 'p' with binding 'b'"


def policy(*validations: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "spec": {"matchConstraints": RULES, "validations": list(validations), **spec}}


def binding(*actions: str, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "b"},
        "spec": {"policyName": "p", "validationActions": list(actions or ("Deny",)), **spec},
    }


def request(body: dict[str, Any] | None = None, **more: Any) -> Request:
    resource = Catalog().at(more.pop("group", ""), "v1", more.pop("plural", "configmaps"))
    assert resource is not None
    found = {"metadata": {"name": "c", "labels": {"app": "x"}}, **(body or {})}
    return Request(
        more.pop("operation", "CREATE"), resource, "c", found, None, namespace=more.pop("namespace", NAMESPACE), **more
    )


def nobody(kind: Any) -> None:
    """No kind of parameters is served."""


def given(*found: dict[str, Any], namespaced: bool = True) -> Params:
    """A kind of parameters of which these objects are there, whatever is asked for."""
    return lambda kind: ParamKind(namespaced, lambda namespace, reference: found)


def denied(
    found: dict[str, Any], about: Request, bound: dict[str, Any] | None = None, params: Params = nobody
) -> list[str]:
    verdict = judge([found], [bound or binding()], about, params)
    return [denial.message.removeprefix(f"{WHO} denied request: ") for denial in verdict.denials]


NO_BAD = {"expression": "!has(object.data) || !('bad' in object.data)"}
BAD = {"data": {"bad": "1"}}


def test_a_good_object_passes_and_a_bad_one_is_denied() -> None:
    assert denied(policy(NO_BAD), request({"data": {"a": "1"}})) == []
    assert denied(policy(NO_BAD), request(BAD)) == [f"failed expression: {NO_BAD['expression']}"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"message": "no bad"}, "no bad"),
        ({"message": "no bad", "messageExpression": "'not in ' + object.metadata.name"}, "not in c"),
        ({"message": "no bad", "messageExpression": "object.nope"}, "no bad"),
    ],
)
def test_a_denial_says_why(more: dict[str, str], words: str) -> None:
    assert denied(policy({**NO_BAD, **more}), request(BAD)) == [words]


def test_every_failure_is_told() -> None:
    found = policy({"expression": "false", "message": "one"}, {"expression": "false", "message": "two"})
    assert denied(found, request()) == ["one", "two"]
    assert len(judge([found], [binding("Warn")], request(), nobody).warnings) == 2


@pytest.mark.parametrize(
    ("note", "fails", "words"),
    [
        ("object.metadata.name", "Fail", []),
        ("null", "Fail", []),
        ("object.nope", "Fail", ["expression 'object.nope' resulted in error: no such key: nope"]),
        ("object.nope", "Ignore", []),
        (
            "object.n",
            "Ignore",
            [
                "valueExpression 'object.n' resulted in unsupported return type: int. Return type must be either string or null."
            ],
        ),
    ],
)
def test_a_note_that_cannot_be_made_denies_whatever_the_binding_does(note: str, fails: str, words: list[str]) -> None:
    found = policy(auditAnnotations=[{"key": "k", "valueExpression": note}], failurePolicy=fails)
    assert denied(found, request({"n": 1}), binding("Audit")) == words


def test_a_binding_says_what_a_failure_does() -> None:
    found = policy({"expression": "false", "message": "m", "reason": "Forbidden"})
    denying = judge([found], [binding("Deny")], request(), nobody)
    assert (denying.denials, denying.warnings, denying.audit) == (
        [Denial(f"{WHO} denied request: m", "Forbidden")],
        [],
        {},
    )
    assert denying.denials[0].status == 403
    warning = judge([found], [binding("Warn", "Audit")], request(), nobody)
    assert (warning.denials, warning.warnings, warning.audit) == ([], [f"Validation failed for {WHO}: m"], {"p": ["m"]})


@pytest.mark.parametrize(
    ("policy_fails", "words"),
    [("Fail", ["expression 'object.nope == 1' resulted in error: no such key: nope"]), ("Ignore", [])],
)
def test_an_error_counts_as_the_failure_policy_says(policy_fails: str, words: list[str]) -> None:
    assert denied(policy({"expression": "object.nope == 1"}, failurePolicy=policy_fails), request()) == words


@pytest.mark.parametrize(
    ("constraints", "about", "matched"),
    [
        ({}, request(), True),
        ({}, request(operation="DELETE"), False),
        ({}, request(plural="secrets"), False),
        ({"namespaceSelector": {"matchLabels": {"team": "a"}}}, request(), True),
        ({"namespaceSelector": {"matchLabels": {"team": "b"}}}, request(), False),
        ({"objectSelector": {"matchLabels": {"app": "x"}}}, request(), True),
        ({"objectSelector": {"matchLabels": {"app": "y"}}}, request(), False),
        ({"excludeResourceRules": RULES["resourceRules"]}, request(), False),
        ({"resourceRules": [{**RULES["resourceRules"][0], "resources": ["*"]}]}, request(plural="secrets"), True),
        (
            {"resourceRules": [{**RULES["resourceRules"][0], "resources": ["*"]}]},
            request(plural="pods", sub_resource="status"),
            False,
        ),
        (
            {"resourceRules": [{**RULES["resourceRules"][0], "resources": ["*/status"]}]},
            request(plural="pods", sub_resource="status"),
            True,
        ),
        (
            {"resourceRules": [{**RULES["resourceRules"][0], "resources": ["*/*"], "scope": "Cluster"}]},
            request(),
            False,
        ),
        ({"resourceRules": [{**RULES["resourceRules"][0], "resourceNames": ["other"]}]}, request(), False),
    ],
)
def test_a_policy_is_asked_about_what_it_matches(constraints: dict[str, Any], about: Request, *, matched: bool) -> None:
    found = policy({"expression": "false", "message": "asked"}, matchConstraints={**RULES, **constraints})
    assert denied(found, about) == (["asked"] if matched else [])


def test_policies_are_not_asked_about_policies() -> None:
    everything = {
        "resourceRules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"]}]
    }
    about = request(group="admissionregistration.k8s.io", plural="validatingadmissionpolicies", namespace=None)
    assert denied(policy({"expression": "false"}, matchConstraints=everything), about) == []


def test_expressions_see_the_request_its_namespace_and_the_policy_s_variables() -> None:
    expression = "variables.who == 'u' && request.operation == 'CREATE' && namespaceObject.metadata.labels.team == 'a' && oldObject == null"
    variables = [
        {"name": "who", "expression": "request.userInfo.username"},
        {"name": "unused", "expression": "object.nope"},
    ]
    assert denied(policy({"expression": expression}, variables=variables), request(user="u")) == []


def test_a_condition_that_does_not_hold_leaves_the_policy_out() -> None:
    conditions = [{"name": "c", "expression": "request.userInfo.username != 'u'"}]
    found = policy({"expression": "false", "message": "m"}, matchConditions=conditions)
    assert denied(found, request(user="u")) == []
    assert denied(found, request(user="v")) == ["m"]


PARAMETRIC = policy(
    {"expression": "object.data.size() <= int(params.data.most)", "message": "too many"},
    paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
)


def test_each_parameter_object_is_judged_by() -> None:
    bound = binding(paramRef={"name": "limits", "parameterNotFoundAction": "Deny"})
    found = [{"data": {"most": "5"}}, {"data": {"most": "0"}}]
    verdict = judge([PARAMETRIC], [bound], request(BAD), given(*found))
    assert [denial.message for denial in verdict.denials] == [f"{WHO} denied request: too many"]


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (
            "Deny",
            ["failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"],
        ),
        ("Allow", []),
    ],
)
def test_missing_parameters_count_as_the_binding_says(action: str, words: list[str]) -> None:
    bound = binding("Warn", paramRef={"name": "absent", "parameterNotFoundAction": action})
    assert denied(PARAMETRIC, request(BAD), bound, given()) == words


_OF_NOTHING = "failed to find resource referenced by paramKind: '/v1, Kind=ConfigMap'"


@pytest.mark.parametrize(
    ("about", "params", "reference", "words"),
    [
        (request(), nobody, {"name": "a"}, f"failed to configure policy: {_OF_NOTHING}"),
        (
            request(),
            given(namespaced=False),
            {"name": "a", "namespace": "n"},
            "failed to configure binding: paramRef.namespace must not be provided for a cluster-scoped `paramKind`",
        ),
        (
            request(namespace=None),
            given(),
            {"name": "a"},
            "failed to configure binding: cannot use namespaced paramRef in policy binding that matches cluster-scoped resources",
        ),
    ],
)
def test_parameters_that_cannot_be_told_deny_unless_told_to_ignore(
    about: Request, params: Params, reference: dict[str, Any], words: str
) -> None:
    bound = binding("Audit", paramRef={"parameterNotFoundAction": "Allow", **reference})
    assert [one.rpartition("denied request: ")[2] for one in denied(PARAMETRIC, about, bound, params)] == [words]
    ignoring = {**PARAMETRIC, "spec": {**PARAMETRIC["spec"], "failurePolicy": "Ignore"}}
    assert denied(ignoring, about, bound, params) == []


def test_expressions_do_not_see_empty_fields_of_the_request() -> None:
    fields = ("namespace", "name", "subResource", "userInfo.uid", "dryRun")
    told = f"'%s'.format([[{', '.join(f'has(request.{field})' for field in fields)}]])"
    found = policy({"expression": "false", "messageExpression": told})
    assert denied(found, request(namespace=None)) == ["[false, true, false, false, true]"]


def made(found: dict[str, Any], about: Request) -> list[Mutation]:
    """The patches of one policy, all of the same object."""
    ((one,), _) = invocations([found], [binding()], about, nobody)
    return [mutation(one, place, about) for place in range(one.size)]


def test_a_mutating_policy_gives_its_patches_in_order() -> None:
    apply = {
        "patchType": "ApplyConfiguration",
        "applyConfiguration": {"expression": 'Object{metadata: Object.metadata{labels: {"n": object.metadata.name}}}'},
    }
    patch = {
        "patchType": "JSONPatch",
        "jsonPatch": {"expression": '[JSONPatch{op: "add", path: "/data/x", value: "1"}]'},
    }
    about = request()
    assert made(policy(mutations=[apply, patch]), about) == [
        Mutation({"metadata": {"labels": {"n": "c"}}}, applies=True, resource=about.resource),
        Mutation([{"op": "add", "path": "/data/x", "value": "1"}], applies=False, resource=about.resource),
    ]


def test_a_rule_for_another_version_sees_the_object_in_it_unless_it_is_exact() -> None:
    catalog = Catalog()
    older, newer = (catalog.at("autoscaling", version, "horizontalpodautoscalers") for version in ("v1", "v2"))
    assert older is not None
    assert catalog.equivalents(older, "status") == (newer,)
    about = Request(
        "UPDATE",
        older,
        "a",
        {"in": "v1"},
        {"in": "v1", "old": True},
        others=catalog.equivalents(older),
        convert=lambda obj, resource: {**obj, "in": resource.version},
    )
    told = "request.resource.version + request.requestResource.version + object['in'] + oldObject['in']"
    rules = [
        {"apiGroups": ["apps", "autoscaling"], "apiVersions": ["v2"], "operations": ["UPDATE"], "resources": ["*"]}
    ]
    found = policy({"expression": "false", "messageExpression": told}, matchConstraints={"resourceRules": rules})
    exact = policy({"expression": "false"}, matchConstraints={"resourceRules": rules, "matchPolicy": "Exact"})

    assert denied(found, about) == ["v2v1v2v2"]
    assert denied(exact, about) == []
    assert denied(found, about, binding(matchResources={"excludeResourceRules": rules})) == []


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("object.nope", "expression 'object.nope' resulted in error: no such key: nope"),
        (
            'Object{metadata: Object.other{labels: {"a": "b"}}}',
            'type mismatch: unexpected type name "Object.other", expected "Object.metadata", which matches field name path'
            " from root Object type",
        ),
    ],
)
def test_a_mutation_that_cannot_be_made_fails(expression: str, words: str) -> None:
    wrong = {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}
    with pytest.raises(MutationFailed) as failed:
        made(policy(mutations=[wrong]), request())
    assert failed.value.what == words


def test_keys_are_escaped_for_the_paths_of_patches() -> None:
    expression = '[JSONPatch{op: "remove", path: "/data/" + jsonpatch.escapeKey("a/b~c")}]'
    (one,) = made(policy(mutations=[{"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}]), request())
    assert one.patch == [{"op": "remove", "path": "/data/a~1b~0c"}]


def test_a_mutating_policy_is_asked_again_where_it_says_so_and_only_about_what_it_wants() -> None:
    right = {"patchType": "JSONPatch", "jsonPatch": {"expression": "[]"}}
    asked = policy(mutations=[right], reinvocationPolicy="IfNeeded")
    ((one,), _) = invocations([asked], [binding()], request(), nobody)
    assert (one.again, one.size, one.key) == (True, 1, ("'p' with binding 'b'", "", ""))
    picky = policy(mutations=[right], matchConditions=[{"name": "x", "expression": "has(object.data)"}])
    ((one,), _) = invocations([picky], [binding()], request(), nobody)
    assert not one.again
    assert [wanted(one, request(body)) for body in (None, {"data": {}})] == [False, True]


def test_all_bindings_of_a_policy_are_asked_before_those_of_the_next() -> None:
    def bound(name: str, to: str) -> dict[str, Any]:
        return {"metadata": {"name": name}, "spec": {"policyName": to, "validationActions": ["Warn"]}}

    policies = [{**policy({"expression": "false"}), "metadata": {"name": name}} for name in "pq"]
    bindings = [bound("a", "q"), bound("b", "p"), bound("c", "q")]
    asked = [
        warning.partition(" with binding ")[2][:3] for warning in judge(policies, bindings, request(), nobody).warnings
    ]
    assert asked == ["'a'", "'c'", "'b'"]
    changing = [policy(mutations=[]) | {"metadata": {"name": name}} for name in "pq"]
    assert [one.key[0][-2:-1] for one in invocations(changing, bindings, request(), nobody)[0]] == ["a", "c", "b"]
