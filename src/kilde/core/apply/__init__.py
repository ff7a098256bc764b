"""Stage 4, the deciding half: a plan becomes commands, the answers become an outcome. Nothing is done here."""
