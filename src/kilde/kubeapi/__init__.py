"""The embedded Kubernetes API: knows objects, not GitOps; the controller meets it over HTTP only."""
