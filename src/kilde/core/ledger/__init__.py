"""What happened, in a chain that shows every later change; see chain.py for what it can and cannot prove."""
