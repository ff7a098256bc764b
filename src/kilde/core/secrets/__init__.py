"""Secrets: sealed values, the objects that carry them, and what comes out when they are opened. No I/O; keys are arguments."""
