//go:build tools

// Package tools pins the command that tools/build_real.py builds.
package tools

import _ "helm.sh/helm/v4/cmd/helm"
