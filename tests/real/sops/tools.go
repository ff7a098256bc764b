//go:build tools

// Package tools pins the commands that tools/build_real.py builds.
package tools

import (
	_ "github.com/getsops/sops/v3/cmd/sops"
)
