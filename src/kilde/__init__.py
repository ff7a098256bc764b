"""Kilde: a Kubernetes cluster as the mirror of a branch in a Git repository. Here: the version, and nothing else."""

__version__ = "0.1.0"
