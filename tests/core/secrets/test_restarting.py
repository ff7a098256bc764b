"""Restarts: which Secrets count, what the digest tells, and what is written when."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kilde.core.secrets.restarting import RESTART, SECRETS, Use, Workload, digest, print_of, stamped, uses_of, workload

KEY = bytes(range(32))
IDENTITY = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}}


def test_every_way_to_use_a_secret_counts() -> None:
    pod = {
        "initContainers": [
            {"envFrom": [{"secretRef": {"name": "a", "optional": True}}, {"configMapRef": {"name": "x"}}]}
        ],
        "containers": [
            {
                "env": [
                    {"name": "P", "valueFrom": {"secretKeyRef": {"name": "b", "key": "k"}}},
                    {"name": "Q", "value": "1"},
                ]
            },
            {"envFrom": [{"secretRef": {"name": "d", "optional": True}}]},
        ],
        "volumes": [
            {"name": "v", "secret": {"secretName": "c", "optional": True}},
            {"name": "w", "projected": {"sources": [{"secret": {"name": "d"}}, {"serviceAccountToken": {}}]}},
        ],
        "imagePullSecrets": [{"name": "pull"}],
    }
    assert uses_of(pod) == (Use("a", True), Use("b", False), Use("c", True), Use("d", False))


JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["containers", "envFrom", "secretRef", "name", "volumes", "secret"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(spec=JSON)
def test_an_odd_shape_is_passed_over(spec: Any) -> None:
    body = {"metadata": {"annotations": {RESTART: "true"}}, "spec": {"template": {"spec": spec, "metadata": spec}}}
    assert workload(body) is not None
    assert workload({"metadata": {"annotations": spec}, "spec": spec}) is None


def test_the_digest_follows_what_secrets_hold_and_nothing_else() -> None:
    uses = (Use("a", False), Use("b", True))
    a, other = ({"metadata": {"labels": {"x": x}}, "data": {"k": v}} for x, v in (("1", "dg=="), ("2", "dw==")))
    prints = {"a": print_of(KEY, a)}
    assert print_of(KEY, {**a, "metadata": {}, "type": "Opaque"}) == prints["a"] != print_of(KEY, other)
    found = digest(KEY, uses, prints)
    assert len(found) == 32
    assert found != digest(bytes(32), uses, prints)  # without the key nobody can work it out
    assert found != digest(KEY, uses, {"a": print_of(KEY, other)})
    assert found != digest(KEY, uses, {**prints, "b": prints["a"]})
    assert found == digest(KEY, uses, {**prints, "unused": b"x"})
    assert digest(KEY, uses, {"b": prints["a"]}) == ""  # the one that has to be there is not


def test_turning_it_on_restarts_nothing_and_a_change_does() -> None:
    uses = (Use("a", False),)
    metadata = {"name": "web", "namespace": "shop", "uid": "u", "annotations": {SECRETS: "new"}}
    only_seen = {**IDENTITY, "metadata": metadata}
    restart = {**only_seen, "spec": {"template": {"metadata": {"annotations": {SECRETS: "new"}}}}}
    assert stamped(IDENTITY, Workload("u", uses, "", ""), "new") == only_seen
    assert stamped(IDENTITY, Workload("u", uses, "old", ""), "new") == restart
    kept = stamped(IDENTITY, Workload("u", uses, "", "older"), "new")  # somebody removed the one on the workload
    assert kept == {**restart, "spec": {"template": {"metadata": {"annotations": {SECRETS: "older"}}}}}
    assert stamped(IDENTITY, Workload("u", uses, "new", "undone"), "new") is None  # `kubectl rollout undo` stays
    assert stamped(IDENTITY, Workload("u", uses, "old", ""), "") is None
    assert stamped(IDENTITY, Workload("u", (), "", ""), "new") is None
