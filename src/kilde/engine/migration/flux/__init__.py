"""Moving from Flux: what is read of it, its objects' way to Kilde and back, and whether it writes beside Kilde."""
