"""One operation: what it works on, its walk in the cluster, its writes, and what holds it back."""
