"""Kubernetes objects as values: reading, writing, merging and comparing them."""
