// Command oracle answers what Kubernetes' own patch libraries make of patches. One question a line: {"type": "strategic"|"json"|"merge",
// "kind": "Pod"|…, "document", "patch"}; one answer a line: {"document"} or {"error"}.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

type question struct {
	Type, Kind      string
	Document, Patch json.RawMessage
}

var kinds = map[string]interface{}{
	"Deployment":          &appsv1.Deployment{},
	"Pod":                 &corev1.Pod{},
	"PodDisruptionBudget": &policyv1.PodDisruptionBudget{},
	"Service":             &corev1.Service{},
}

func patched(asked question) (out []byte, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("panic: %v", problem)
		}
	}()
	switch asked.Type {
	case "strategic":
		return strategicpatch.StrategicMergePatch(asked.Document, asked.Patch, kinds[asked.Kind])
	case "merge":
		return jsonpatch.MergePatch(asked.Document, asked.Patch)
	}
	operations, err := jsonpatch.DecodePatch(asked.Patch)
	if err != nil {
		return nil, err
	}
	return operations.Apply(asked.Document)
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 1<<28)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		answer := map[string]interface{}{}
		out, err := patched(asked)
		if err != nil {
			answer["error"] = err.Error()
		} else {
			answer["document"] = json.RawMessage(out)
		}
		line, err := json.Marshal(answer)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(string(line))
	}
}
