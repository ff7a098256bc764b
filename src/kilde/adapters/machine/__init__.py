"""This machine, measured: its disks and what its kernel says."""
