"""Programs that a render runs: helm for applications, shut off from all else; helm, KRM functions and plugins of whoever builds."""
