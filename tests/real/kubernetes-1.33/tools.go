//go:build tools

// Package tools pins the command that tools/build_real.py builds.
package tools

import _ "k8s.io/kubernetes/cmd/kube-apiserver"
