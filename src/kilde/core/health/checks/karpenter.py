"""Karpenter: Ready decides; before it, whatever a node class is made of may have failed."""

from collections.abc import Mapping
from typing import Final

from kilde.core.health.health import HealthStatus
from kilde.core.health.judging import Judge, When, by_rank, ill, observed, well

KINDS: Final[Mapping[str, Judge]] = {
    "EC2NodeClass": by_rank(
        ill("Ready", "False"),
        well("Ready", "EC2NodeClass is ready"),
        ill("SubnetsReady", "False"),
        ill("SecurityGroupsReady", "False"),
        ill("ValidationSucceeded", "False"),
        waiting="Waiting for EC2NodeClass to be ready",
    ),
    "NodeClaim": observed(
        by_rank(
            When("Disrupting", "True", HealthStatus.SUSPENDED),
            When("Ready", "True", HealthStatus.HEALTHY),
            ill("Ready", "False"),
            When("Initialized", "True", HealthStatus.PROGRESSING, "Node initialized, waiting for Ready"),
            When("Registered", "True", HealthStatus.PROGRESSING, "Node registered, waiting for initialization"),
            When("Launched", "True", HealthStatus.PROGRESSING, "Node launched, waiting for registration"),
            waiting="Waiting for NodeClaim to be launched",
        ),
        "Waiting for NodeClaim spec to be reconciled",
    ),
    "NodePool": by_rank(
        ill("Ready", "False"),
        well("Ready"),
        ill("NodeClassReady", "False"),
        waiting="Waiting for NodePool to be ready",
    ),
}
