"""StatefulSets: numbered pods with their own claims, one after the other, as upstream's statefulset controller does."""

from kilde.kubeapi.controllers.statefulset.reconcile import controller

__all__ = ["controller"]
