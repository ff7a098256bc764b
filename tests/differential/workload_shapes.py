"""Random objects of the kinds that make pods, and of those that watch over them."""

from differential.pod_shapes import template
from differential.shapes import Dice, Object, claim_spec, percent, quantity, selector


def deployment(dice: Dice) -> Object:
    rolling = {
        "type": "RollingUpdate",
        **dice.some(rollingUpdate=dice.some(maxSurge=percent(dice), maxUnavailable=percent(dice))),
    }
    strategy = dice.one(rolling, {"type": "Recreate"}, {"type": dice.odd("Recreate", "X"), "rollingUpdate": None}, {})
    return {
        "spec": {"selector": selector(dice), "template": template(dice)}
        | dice.some(
            replicas=dice.odd(dice.one(0, 1, 3), -1, "2", None),
            strategy=strategy,
            minReadySeconds=dice.odd(1, -1),
            revisionHistoryLimit=dice.odd(2, -1),
            progressDeadlineSeconds=dice.odd(60, 1),
            paused=True,
        )
    }


def stateful_set(dice: Dice) -> Object:
    claim = {"metadata": {"name": "data"}, "spec": claim_spec(dice)}
    strategy = dice.one(
        {"type": "OnDelete"},
        {"type": "RollingUpdate", "rollingUpdate": dice.some(partition=dice.odd(1, -1))},
        {"type": "X"},
    )
    return {
        "spec": {"selector": selector(dice), "template": template(dice), "serviceName": dice.odd("s", "", "Bad!")}
        | dice.some(
            replicas=dice.odd(1, -1),
            updateStrategy=strategy,
            podManagementPolicy=dice.odd("Parallel", "X"),
            volumeClaimTemplates=[claim],
            persistentVolumeClaimRetentionPolicy=dice.some(whenDeleted=dice.odd("Delete", "X"), whenScaled="Retain"),
            minReadySeconds=dice.odd(1, -1),
            revisionHistoryLimit=dice.odd(1, -1),
            ordinals=dice.some(start=dice.odd(1, -1)),
        )
    }


def daemon_set(dice: Dice) -> Object:
    strategy = dice.one(
        {"type": "OnDelete"},
        {"type": "RollingUpdate", "rollingUpdate": dice.some(maxUnavailable=percent(dice), maxSurge=percent(dice))},
    )
    return {
        "spec": {"selector": selector(dice), "template": template(dice)}
        | dice.some(updateStrategy=strategy, minReadySeconds=dice.odd(2, -1), revisionHistoryLimit=dice.odd(1, -1))
    }


def replica_set(dice: Dice) -> Object:
    return {
        "spec": {"selector": selector(dice), "template": template(dice)}
        | dice.some(replicas=dice.odd(2, -1), minReadySeconds=3)
    }


def job_spec(dice: Dice) -> Object:
    rule = {
        "action": dice.odd(dice.one("Ignore", "FailJob"), "X"),
        "onExitCodes": {"operator": dice.odd("In", "X"), "values": dice.one([1], [], [2, 1])},
    }
    return {"template": template(dice, "Never")} | dice.some(
        parallelism=dice.odd(1, -1),
        completions=dice.odd(2, -1),
        backoffLimit=dice.odd(1, -1),
        completionMode=dice.odd("Indexed", "NonIndexed", "X"),
        activeDeadlineSeconds=dice.odd(5, -1),
        ttlSecondsAfterFinished=dice.odd(9, -9),
        suspend=True,
        podFailurePolicy={"rules": [rule]},
        manualSelector=dice.odd(False, True),
    )


def job(dice: Dice) -> Object:
    return {"spec": job_spec(dice)}


def cron_job(dice: Dice) -> Object:
    return {
        "spec": {
            "schedule": dice.odd("*/5 * * * *", "bad", "@daily", "TZ=UTC * * * * *", "61 * * * *", likely=0.3),
            "jobTemplate": {"spec": job_spec(dice)},
        }
        | dice.some(
            concurrencyPolicy=dice.odd("Forbid", "X"),
            suspend=True,
            timeZone=dice.odd("Europe/Oslo", "Nope/Nope", ""),
            startingDeadlineSeconds=dice.odd(5, -1),
            successfulJobsHistoryLimit=dice.odd(1, -1),
            failedJobsHistoryLimit=2,
        )
    }


def disruption_budget(dice: Dice) -> Object:
    return {
        "spec": dice.some(
            minAvailable=percent(dice),
            maxUnavailable=percent(dice),
            selector=selector(dice),
            unhealthyPodEvictionPolicy=dice.odd("AlwaysAllow", "X"),
        )
    }


def autoscaler(dice: Dice) -> Object:
    def metric(number: int) -> Object:
        return dice.one(
            {
                "type": "Resource",
                "resource": {
                    "name": "cpu",
                    "target": dice.odd(
                        {"type": "Utilization", "averageUtilization": 50}, {"type": "Utilization"}, {"type": "X"}
                    ),
                },
            },
            {
                "type": "Pods",
                "pods": {"metric": {"name": "m"}, "target": {"type": "AverageValue", "averageValue": "1"}},
            },
            {
                "type": "External",
                "external": {
                    "metric": {"name": dice.odd("m", "")},
                    "target": {"type": "Value", "value": quantity(dice)},
                },
            },
            {"type": "X"},
        )

    policy = {"type": dice.odd("Pods", "X"), "value": dice.odd(4, 0), "periodSeconds": dice.odd(15, 0, 9999)}
    rules = dice.some(stabilizationWindowSeconds=dice.odd(5, -1), policies=[policy], selectPolicy=dice.odd("Max", "X"))
    return {
        "spec": {
            "scaleTargetRef": {
                "kind": dice.odd("Deployment", "", "a/b"),
                "name": dice.odd("a", ""),
                **dice.some(apiVersion="apps/v1"),
            },
            "maxReplicas": dice.odd(5, 0),
        }
        | dice.some(
            minReplicas=dice.odd(1, 0, 9),
            metrics=dice.few(2, metric),
            behavior=dice.some(scaleUp=rules, scaleDown=rules),
        )
    }
