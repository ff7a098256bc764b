"""Who may deploy what, where and when: AppProjects and their sync windows."""
