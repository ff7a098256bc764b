"""Scales, and who owns what after them."""

from differential.found.requests import (
    APPLIED,
    DEPLOYMENTS,
    NOTHING,
    PORTS,
    REPLICA_SETS,
    STATEFUL_SETS,
    WIDGET,
    WIDGETS,
    deployment,
)
from differential.many import BEGIN
from differential.steps import APPLY, MERGE, Step

SCALE = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "x"}, "spec": {"replicas": 2}}

SEQUENCES: dict[str, list[Step]] = {
    "a write after a scale puts the order of owned ports right, once": [
        DEPLOYMENTS.post(deployment(ports=PORTS)),
        DEPLOYMENTS.put(SCALE, "/scale"),
        DEPLOYMENTS.put(SCALE, "/scale"),
        DEPLOYMENTS.patch(MERGE, NOTHING),
        DEPLOYMENTS.patch(MERGE, NOTHING),
        DEPLOYMENTS.put(SCALE, "/scale"),
    ],
    "a scale leaves owners without such lists as they were": [
        DEPLOYMENTS.post(deployment()),
        DEPLOYMENTS.put(SCALE, "/scale"),
        DEPLOYMENTS.patch(MERGE, NOTHING),
    ],
    "a scale that is no number": [
        DEPLOYMENTS.post(deployment()),
        DEPLOYMENTS.patch(MERGE, {"spec": {"replicas": "x"}}, "/scale"),
    ],
    **{
        f"a scale of {of} that changes nothing takes its owner's entry apart, and the next one drops the part": [
            *steps,
            *(
                about.patch(MERGE, body, below)
                for body in ({}, NOTHING)
                for below in ("/scale", "/scale", "", "/scale")
            ),
            about.patch(MERGE, {"spec": {"replicas": 3}}, "/scale"),
            about.patch(MERGE, {"spec": {"replicas": 3}}, "/scale"),
            about.patch(MERGE, {"metadata": {"labels": {"a": "b"}}}),
            *(
                []
                if about is WIDGETS
                else [about.patch(APPLY, {**SCALE, "spec": {"replicas": n}}, "/scale") for n in (3, 4)]
            ),
            about.patch(MERGE, {}, "/scale"),
        ]
        for of, about, steps in (
            ("a ReplicaSet", REPLICA_SETS, [REPLICA_SETS.post(deployment(ports=PORTS))]),
            ("a Deployment", DEPLOYMENTS, [DEPLOYMENTS.post(deployment())]),
            ("a custom resource", WIDGETS, [WIDGETS.post({**WIDGET, "spec": {"replicas": 0}})]),
            ("what was applied", STATEFUL_SETS, [STATEFUL_SETS.patch(APPLY, APPLIED)]),
        )
    },
    "a scale that changes nothing before another write": [
        DEPLOYMENTS.post(deployment()),
        DEPLOYMENTS.patch(MERGE, {}, "/scale"),
        DEPLOYMENTS.patch(MERGE, {}),
        DEPLOYMENTS.patch(MERGE, {}, "/scale"),
    ],
    **{
        f"a scale gives a custom resource its spec, which {what} completes": [
            WIDGETS.post(WIDGET),
            WIDGETS.put(SCALE, "/scale"),
            Step("GET", f"{WIDGETS.all}/x", about=f"{WIDGETS.all}/x"),
            step,
            Step("WATCH", f"{WIDGETS.all}?watch=true&resourceVersion={BEGIN}", about=WIDGETS.all),
            WIDGETS.patch(MERGE, {}),
        ]
        for what, step in (
            ("a write that changes nothing", WIDGETS.patch(MERGE, {})),
            ("another scale", WIDGETS.put(SCALE, "/scale")),
            ("a status", WIDGETS.patch(MERGE, {"status": {"phase": "x"}}, "/status")),
        )
    },
    "whatever is wrong with a custom resource's scale is told alike": [
        WIDGETS.post(WIDGET),
        *(
            WIDGETS.put(body, f"/scale{query}")
            for query in ("", "?fieldValidation=Strict")
            for body in (
                {**SCALE, "spec": {"replicas": "x"}},
                {**SCALE, "spec": {"nope": 1}},
                *({"kind": "Foo"}, {"kind": "Scale", "apiVersion": "v1"}, {"apiVersion": 1}, [], "x", None),
            )
        ),
    ],
    "collisions are counted from what was there": [
        DEPLOYMENTS.post(deployment()),
        *(DEPLOYMENTS.patch(MERGE, {"status": {"collisionCount": n}}, "/status") for n in (-1, 1, 0, None)),
    ],
}
