// Command oracle answers what Kubernetes' own field manager makes of applies and updates.
//
// The first line of standard input is {"definitions": OpenAPI v3 schemas, "group", "version", "kind"}; every further line is a story: a list
// of {"do": "apply"|"update", "manager", "force", "object"}. For each story it prints one line: a list of {"error"} or {"object"}.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/util/managedfields/managedfieldstest"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

type setup struct {
	Definitions          map[string]*spec.Schema `json:"definitions"`
	Group, Version, Kind string
}

type step struct {
	Do      string                 `json:"do"`
	Manager string                 `json:"manager"`
	Force   bool                   `json:"force"`
	Object  map[string]interface{} `json:"object"`
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 1<<28)
	lines.Scan()
	var given setup
	fail(json.Unmarshal(lines.Bytes(), &given))
	converter, err := managedfields.NewTypeConverter(given.Definitions, false)
	fail(err)
	kind := schema.GroupVersionKind{Group: given.Group, Version: given.Version, Kind: given.Kind}
	for lines.Scan() {
		var steps []step
		fail(json.Unmarshal(lines.Bytes(), &steps))
		manager := managedfieldstest.NewTestFieldManager(converter, kind)
		answers := []map[string]interface{}{}
		for _, each := range steps {
			object := &unstructured.Unstructured{}
			raw, err := json.Marshal(each.Object)
			fail(err)
			fail(object.UnmarshalJSON(raw))
			if each.Do == "apply" {
				err = manager.Apply(object, each.Manager, each.Force)
			} else {
				err = manager.Update(object, each.Manager)
			}
			if err != nil {
				answers = append(answers, map[string]interface{}{"error": err.Error()})
				continue
			}
			live, err := runtime.DefaultUnstructuredConverter.ToUnstructured(manager.Live())
			fail(err)
			answers = append(answers, map[string]interface{}{"object": live})
		}
		out, err := json.Marshal(answers)
		fail(err)
		fmt.Println(string(out))
	}
}
