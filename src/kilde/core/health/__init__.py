"""Stage 5: is it well? Objects in, verdicts out, as Argo CD words them."""
