"""Karpenter: Ready decides; before it, whatever a node class is made of may have failed."""

from collections.abc import Mapping
from typing import Final

from kilde.core.health.judging import Judge, by_rank, ill, well

KINDS: Final[Mapping[str, Judge]] = {
    "EC2NodeClass": by_rank(
        ill("Ready", "False"),
        well("Ready", "EC2NodeClass is ready"),
        ill("SubnetsReady", "False"),
        ill("SecurityGroupsReady", "False"),
        ill("ValidationSucceeded", "False"),
        waiting="Waiting for EC2NodeClass to be ready",
    ),
    "NodePool": by_rank(
        ill("Ready", "False"),
        well("Ready"),
        ill("NodeClassReady", "False"),
        waiting="Waiting for NodePool to be ready",
    ),
}
