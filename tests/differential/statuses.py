"""Random statuses, as controllers write them and as they must not, by kind."""

from differential.shapes import Dice, Object, port_number, quantity


def _condition(dice: Dice, kind: str) -> Object:
    return {"type": dice.odd(kind, ""), "status": dice.odd(dice.one("True", "False"), "X", "")} | dice.some(
        reason=dice.odd("R", "", "bad reason"), message="", lastTransitionTime="2024-01-01T00:00:00Z"
    )


def _counts(dice: Dice, *names: str) -> Object:
    return {name: dice.odd(dice.one(0, 1, 2), -1, likely=0.1) for name in names if dice.maybe(0.4)}


def deployment(dice: Dice) -> Object:
    return _counts(
        dice, "replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "collisionCount"
    ) | dice.some(observedGeneration=dice.odd(1, -1), conditions=[_condition(dice, "Available")])


def replica_set(dice: Dice) -> Object:
    return _counts(
        dice, "replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"
    ) | dice.some(conditions=[_condition(dice, "ReplicaFailure")])


def stateful_set(dice: Dice) -> Object:
    return _counts(
        dice, "replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"
    ) | dice.some(currentRevision="a", observedGeneration=dice.odd(1, -1), conditions=[_condition(dice, "X")])


def daemon_set(dice: Dice) -> Object:
    return _counts(
        dice,
        *("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"),
        *("updatedNumberScheduled", "numberAvailable", "numberUnavailable", "observedGeneration", "collisionCount"),
    )


def cron_job(dice: Dice) -> Object:
    return dice.some(
        active=[{"kind": "Job", "name": "j"}],
        lastScheduleTime="2024-01-01T00:00:00Z",
        lastSuccessfulTime="2024-01-01T00:00:00Z",
    )


def service(dice: Dice) -> Object:
    port = {"port": port_number(dice), "protocol": dice.odd("TCP", "X"), **dice.some(error=dice.odd("E", "bad error"))}
    ingress = dice.some(
        ip=dice.odd("1.2.3.4", "x"),
        hostname=dice.odd("a.example.com", "Bad!"),
        ipMode=dice.odd("VIP", "X"),
        ports=[port],
    )
    return dice.some(loadBalancer=dice.some(ingress=[ingress]), conditions=[_condition(dice, "X")])


def ingress(dice: Dice) -> Object:
    port = {"port": port_number(dice), "protocol": dice.odd("TCP", "X"), **dice.some(error=dice.odd("E", "bad error"))}
    found = dice.some(ip=dice.odd("1.2.3.4", "x"), hostname=dice.odd("a.example.com", "Bad!", "1.2.3.4"), ports=[port])
    return dice.some(loadBalancer=dice.some(ingress=[found]))


def volume(dice: Dice) -> Object:
    return dice.some(phase=dice.odd("Bound", "X"), message="m", reason="r")


def budget(dice: Dice) -> Object:
    return _counts(
        dice, "disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods", "observedGeneration"
    ) | dice.some(conditions=[_condition(dice, "DisruptionAllowed")], disruptedPods={"p": "2024-01-01T00:00:00Z"})


def autoscaler(dice: Dice) -> Object:
    return _counts(dice, "currentReplicas", "desiredReplicas", "observedGeneration") | dice.some(
        conditions=[_condition(dice, "AbleToScale")], lastScaleTime="2024-01-01T00:00:00Z"
    )


def quota(dice: Dice) -> Object:
    return dice.some(hard={"pods": quantity(dice)}, used={dice.odd("pods", "bad name"): quantity(dice)})


def node(dice: Dice) -> Object:
    return dice.some(
        capacity={dice.odd("cpu", "bad!"): quantity(dice)},
        allocatable={"memory": quantity(dice)},
        conditions=[_condition(dice, "Ready")],
        addresses=[{"type": "Hostname", "address": "h"}, *dice.odd([], [{"type": "Hostname", "address": "h"}])],
        phase="Running",
    )


def namespace(dice: Dice) -> Object:
    return dice.some(phase=dice.odd("Active", "X", "Terminating"), conditions=[_condition(dice, "X")])


def attachment(dice: Dice) -> Object:
    return {"attached": dice.maybe()} | dice.some(
        attachmentMetadata={"a": "b"}, attachError=dice.some(message="m", errorCode=1)
    )


def resource_claim(dice: Dice) -> Object:
    result = {
        "request": dice.odd("r0", "nope"),
        "driver": dice.odd("d", "Bad!"),
        "pool": "p",
        "device": dice.odd("x", ""),
    }
    user = {"resource": "pods", "name": "p", "uid": dice.odd("1", "")}
    return dice.some(allocation={"devices": {"results": [result]}}, reservedFor=[user, *dice.odd([], [user])])


def admission_policy(dice: Dice) -> Object:
    return dice.some(
        observedGeneration=1,
        conditions=[_condition(dice, "X")],
        typeChecking={"expressionWarnings": [{"fieldRef": dice.odd("spec.x", ""), "warning": dice.odd("w", "")}]},
    )


def signing_request(dice: Dice) -> Object:
    return dice.some(
        certificate=dice.odd("YQ==", ""), conditions=[_condition(dice, dice.one("Approved", "Denied", "Failed"))]
    )


def widget(dice: Dice) -> Object:
    return dice.some(phase=dice.one("Ready", "Nope", 5), conditions=[{"type": "Ready", "status": "True"}], replicas=3)
