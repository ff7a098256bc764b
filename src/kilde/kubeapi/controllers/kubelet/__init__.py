"""The pretended kubelet: pods that run, become ready, crash, finish and go, with the words of the real one."""

from kilde.kubeapi.controllers.kubelet.reconcile import controller

__all__ = ["controller"]
