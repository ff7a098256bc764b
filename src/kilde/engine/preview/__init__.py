"""What would be done, worked out beside a running controller: which applications a commit touches, and what it does to each."""
