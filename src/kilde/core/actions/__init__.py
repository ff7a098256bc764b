"""Actions on single objects: what may be done to one now, and what it writes."""
