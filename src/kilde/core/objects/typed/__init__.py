"""Types of Kubernetes objects, and server-side apply over them."""
