"""The fleet: Applications, projects and clusters as the cluster has them, followed."""
