"""What an application waits for before it is synced, and who waits for it when it is deleted: read, ordered, judged and drawn."""
