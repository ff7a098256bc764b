"""How a plan is shown: as text in a terminal, as a comment on a pull request, as a page in a browser."""
