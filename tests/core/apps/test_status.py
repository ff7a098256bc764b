"""An application's status as a value, and the smallest patch from one to the next."""

from typing import Any

import pytest

from kilde.core.apply.outcome import ObjectResult, Phase, ResultCode
from kilde.core.apps.application import read_application
from kilde.core.apps.operation import read_operation
from kilde.core.apps.status import (
    OperationState,
    ResourceState,
    Verdict,
    add_history,
    compared_to,
    last_attempt,
    render_operation,
    render_status,
)
from kilde.core.objects.ref import ObjectRef

SOURCE = {"repoURL": "https://git.example/x.git", "path": "app"}
DESTINATION = {"server": "https://kubernetes.default.svc", "namespace": "shop"}


def application(**more: Any) -> Any:
    spec = {"source": SOURCE, "destination": DESTINATION, **more.pop("spec", {})}
    return read_application({"metadata": {"name": "shop", "namespace": "argocd"}, "spec": spec, **more})


def test_a_status_has_argo_cds_shape() -> None:
    verdict = Verdict(
        sync="OutOfSync",
        health="Progressing",
        revisions=("abc",),
        source_types=("Kustomize",),
        resources=(
            ResourceState(ref=ObjectRef("apps", "Deployment", "shop", "web"), version="v1", sync="Synced", wave=2),
            ResourceState(
                ref=ObjectRef("", "ConfigMap", "shop", "a"), version="v1", sync="OutOfSync", requires_pruning=True
            ),
        ),
        conditions=(("SyncError", "no"),),
        images=("nginx:1",),
    )
    assert render_status(application(), verdict, now=0) == {
        "conditions": [{"lastTransitionTime": "1970-01-01T00:00:00Z", "message": "no", "type": "SyncError"}],
        "controllerNamespace": "argocd",
        "health": {"lastTransitionTime": "1970-01-01T00:00:00Z", "status": "Progressing"},
        "resourceHealthSource": "appTree",
        "resources": [
            {
                "kind": "ConfigMap",
                "name": "a",
                "namespace": "shop",
                "requiresPruning": True,
                "status": "OutOfSync",
                "version": "v1",
            },
            {
                "group": "apps",
                "kind": "Deployment",
                "name": "web",
                "namespace": "shop",
                "status": "Synced",
                "syncWave": 2,
                "version": "v1",
            },
        ],
        "sourceType": "Kustomize",
        "summary": {"images": ["nginx:1"]},
        "sync": {
            "comparedTo": {"destination": DESTINATION, "source": SOURCE},
            "revision": "abc",
            "status": "OutOfSync",
        },
    }


def test_a_condition_and_a_health_that_stay_keep_their_time() -> None:
    verdict = Verdict(sync="Synced", health="Healthy", revisions=("a",), conditions=(("SyncError", "no"),))
    first = render_status(application(), verdict, now=0)
    again = render_status(application(status=first), verdict, now=100)
    assert again == first


def test_a_spec_that_cannot_be_used_is_compared_with_nothing() -> None:
    verdict = Verdict(sync="Unknown", health="Unknown", compared=False)
    status = render_status(application(), verdict, now=0)
    assert status["sync"] == {"status": "Unknown"}
    assert "resources" not in status


def test_history_counts_on_and_is_cut_to_its_limit() -> None:
    app = application(spec={"revisionHistoryLimit": 2})
    history: list[dict[str, Any]] = []
    for revision in ("a", "b", "c"):
        history = add_history(history, app, revisions=(revision,), started=0, ended=1, by={"automated": True})
    assert [(entry["id"], entry["revision"]) for entry in history] == [(1, "b"), (2, "c")]
    assert history[0]["deployedAt"] == "1970-01-01T00:00:01Z"


def test_an_operation_tells_what_became_of_each_object_and_the_attempt_is_read_back() -> None:
    operation = read_operation({"initiatedBy": {"username": "ann"}, "sync": {"prune": True}})
    result = ObjectResult(
        ref=ObjectRef("", "ConfigMap", "shop", "a"),
        version="v1",
        code=ResultCode.SYNCED,
        message="configmap/a created",
        verb="created",
    )
    state = OperationState(
        operation=operation.raw,
        phase=Phase.SUCCEEDED,
        message="done",
        started_at=0,
        finished_at=2,
        revisions=("abc",),
        results=(result,),
        has_result=True,
    )
    rendered = render_operation(state, application())
    assert rendered == {
        "operation": {"initiatedBy": {"username": "ann"}, "retry": {}, "sync": {"prune": True}},
        "phase": "Succeeded",
        "message": "done",
        "startedAt": "1970-01-01T00:00:00Z",
        "finishedAt": "1970-01-01T00:00:02Z",
        "syncResult": {
            "revision": "abc",
            "source": SOURCE,
            "resources": [
                {
                    "group": "",
                    "hookPhase": "Running",
                    "kind": "ConfigMap",
                    "message": "configmap/a created",
                    "name": "a",
                    "namespace": "shop",
                    "status": "Synced",
                    "syncPhase": "Sync",
                    "version": "v1",
                }
            ],
        },
    }
    attempt = last_attempt({"operationState": rendered})
    assert attempt is not None
    assert (attempt.revision, attempt.sources, attempt.phase) == ("abc", (SOURCE,), "Succeeded")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"directory": {"recurse": False}, "kustomize": {}, "helm": {"skipCrds": False}}, {}),
        ({"directory": {"jsonnet": {}}}, {}),
        ({"directory": {"recurse": True, "exclude": "", "jsonnet": {"libs": []}}}, {"directory": {"recurse": True}}),
        ({"directory": {"include": "*.yaml"}}, {"directory": {"include": "*.yaml"}}),
        ({"kustomize": {"namePrefix": "", "forceCommonLabels": True}}, {}),
        ({"kustomize": {"namePrefix": "a-", "images": []}}, {"kustomize": {"namePrefix": "a-"}}),
        ({"helm": {"releaseName": "web", "valuesObject": {"on": False}}},) * 2,
    ],
)
def test_blocks_of_a_source_that_decide_nothing_are_left_out(written: dict[str, Any], told: dict[str, Any]) -> None:
    read = application(spec={"source": {**SOURCE, **written}})
    assert not read.problems
    assert compared_to(read)["source"] == {**SOURCE, **told}
    assert read.source.render.implicit == (not told)


def test_several_sources_have_no_revisions_where_none_could_be_resolved() -> None:
    read = application(spec={"source": None, "sources": [SOURCE, SOURCE]})
    unknown = Verdict(sync="Unknown", health="Healthy", revisions=read.unresolved)
    first = render_status(read, unknown, now=0)["sync"]
    assert first == {"comparedTo": {"destination": DESTINATION, "sources": [SOURCE, SOURCE]}, "status": "Unknown"}
    known = Verdict(sync="Synced", health="Healthy", revisions=("a", "b"))
    compared = {**first["comparedTo"], "source": {"repoURL": ""}}
    assert "source" not in render_status(read, known, now=0)["sync"]["comparedTo"], "nothing was synced by itself yet"
    status = render_status(read, known, now=0, automated=True)
    then = application(spec={"source": None, "sources": [SOURCE, SOURCE]}, status=status)
    assert render_status(then, unknown, now=0)["sync"] == {"comparedTo": compared, "status": "Unknown"}


def test_an_operation_over_several_sources_tells_the_first_where_it_names_none() -> None:
    read = application(spec={"source": None, "sources": [SOURCE, {**SOURCE, "path": "other"}]})
    for sync, told in (({}, SOURCE), ({"sources": [SOURCE]}, {"repoURL": ""})):
        state = OperationState(operation={"sync": sync}, phase=Phase.SUCCEEDED, started_at=0, has_result=True)
        assert render_operation(state, read)["syncResult"]["source"] == told


def test_sources_that_render_nothing_have_types_without_a_name() -> None:
    refs = Verdict(sync="Synced", health="Healthy", revisions=("a", "a"), source_types=("", ""))
    several = application(spec={"source": None, "sources": [SOURCE, SOURCE]})
    assert render_status(several, refs, now=0)["sourceTypes"] == ["", ""]
