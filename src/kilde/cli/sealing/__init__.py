"""`kilde seal` as kubeseal is: its flags, its inputs and outputs, its exit codes."""
