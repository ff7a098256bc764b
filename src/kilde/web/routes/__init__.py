"""What is served where: one module a subject."""
