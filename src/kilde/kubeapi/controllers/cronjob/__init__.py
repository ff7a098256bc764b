"""CronJobs: a Job at each time of a schedule (upstream: controller/cronjob)."""

from kilde.kubeapi.controllers.cronjob.reconcile import controller

__all__ = ["controller"]
