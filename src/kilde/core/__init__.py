"""The rules of GitOps as plain functions over frozen values: no I/O, no clock, no dice. One folder a stage, in the order data flows."""
