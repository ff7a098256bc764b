"""Where the outside is: one folder a technology, each implements a port, none knows another."""
