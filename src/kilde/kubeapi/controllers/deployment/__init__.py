"""Deployments: a ReplicaSet for each template, rolled from one to the next as upstream's deployment controller does."""

from kilde.kubeapi.controllers.deployment.reconcile import controller

__all__ = ["controller"]
