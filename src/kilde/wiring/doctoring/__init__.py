"""What `kilde doctor` looks at, put together: one file for each place that it looks at."""
