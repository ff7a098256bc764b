//go:build tools

// Package tools pins the command that tools/build_real.py builds.
package tools

import _ "sigs.k8s.io/kustomize/kustomize/v5"
