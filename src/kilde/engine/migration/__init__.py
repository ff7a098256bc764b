"""Moving from another controller: what is read of it, what it says beside what we say, and who may write."""
