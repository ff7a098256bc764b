"""What people declare: applications, parsed from their manifests, and the status that is written back."""
