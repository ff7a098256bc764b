"""What may be done with objects: one module a verb; all of it synchronous, on the World."""
