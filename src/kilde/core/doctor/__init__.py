"""What measurements of a machine and its cluster mean: numbers in, verdicts out."""
