"""Jobs: pods until enough have succeeded or too many failed, counted once each (upstream: controller/job)."""

from kilde.kubeapi.controllers.job.reconcile import controller

__all__ = ["controller"]
