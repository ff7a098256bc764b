"""Kubernetes over HTTP: our own thin client (aiohttp, msgspec), kubeconfig to watch."""
