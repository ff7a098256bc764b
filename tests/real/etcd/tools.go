//go:build tools

// Package tools pins the command that tools/build_real.py builds.
package tools

import _ "go.etcd.io/etcd/server/v3"
