"""Admission policies: what they are about, what they say, what they change."""

from collections.abc import Sequence
from typing import Any

import pytest

from kilde.kubeapi.resources.catalog import Catalog
from kilde.kubeapi.resources.policies import (
    Denial,
    Mutation,
    MutationFailed,
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


def nobody(kind: Any, reference: Any, about: Request) -> Sequence[dict[str, Any]]:
    return ()


def denied(found: dict[str, Any], about: Request, bound: dict[str, Any] | None = None) -> list[str]:
    verdict = judge([found], [bound or binding()], about, nobody)
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


def test_only_the_first_failure_is_told() -> None:
    assert denied(
        policy({"expression": "false", "message": "one"}, {"expression": "false", "message": "two"}), request()
    ) == ["one"]


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
    verdict = judge([PARAMETRIC], [bound], request(BAD), lambda kind, reference, about: found)
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
    assert (
        denied(PARAMETRIC, request(BAD), binding(paramRef={"name": "absent", "parameterNotFoundAction": action}))
        == words
    )


def made(found: dict[str, Any], about: Request) -> list[Mutation | None]:
    """The patches of one policy, all of the same object."""
    (one,) = invocations([found], [binding()], about, nobody)
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


def test_a_mutation_that_cannot_be_made_denies_unless_told_to_ignore() -> None:
    wrong = {"patchType": "JSONPatch", "jsonPatch": {"expression": "object.nope"}}
    with pytest.raises(MutationFailed, match="no such key: nope"):
        made(policy(mutations=[wrong]), request())
    assert made(policy(mutations=[wrong], failurePolicy="Ignore"), request()) == [None]


def test_a_mutating_policy_is_asked_again_where_it_says_so_and_only_about_what_it_wants() -> None:
    right = {"patchType": "JSONPatch", "jsonPatch": {"expression": "[]"}}
    asked = policy(mutations=[right], reinvocationPolicy="IfNeeded")
    (one,) = invocations([asked], [binding()], request(), nobody)
    assert (one.again, one.size, one.key) == (True, 1, ("p", "b", "", ""))
    picky = policy(mutations=[right], matchConditions=[{"name": "x", "expression": "has(object.data)"}])
    (one,) = invocations([picky], [binding()], request(), nobody)
    assert not one.again
    assert [wanted(one, request(body)) for body in ({}, {"data": {}})] == [False, True]


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
    assert [one.binding["metadata"]["name"] for one in invocations(changing, bindings, request(), nobody)] == [
        "a",
        "c",
        "b",
    ]
