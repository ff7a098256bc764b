"""The view: what the cluster holds, kept by watches, and how it compares with what is wanted."""
