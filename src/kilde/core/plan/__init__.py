"""Stage 3: desired and live objects become a plan, and every change carries its reason."""
