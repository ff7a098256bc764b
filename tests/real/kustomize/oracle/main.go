// Command oracle renders many folders in one process, as the kustomize command would, each for a line of JSON on stdin.
//
// A line is {"folder": "/abs", "reorder": "legacy|none|", "fresh": true}; the answer, a line too, is {"text": base64} or
// {"error": "why"}. kustomize keeps its OpenAPI schema for the life of a process: `fresh` forgets it before and after.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/openapi"
)

type question struct {
	Folder  string `json:"folder"`
	Reorder string `json:"reorder"`
	Fresh   bool   `json:"fresh"`
}

type answer struct {
	Text  []byte `json:"text"`
	Error string `json:"error,omitempty"`
}

func render(asked question) (found answer) {
	if asked.Fresh {
		openapi.ResetOpenAPI()
		defer openapi.ResetOpenAPI()
	}
	// The command dies of a panic; here it is one refusal among others.
	defer func() {
		if reason := recover(); reason != nil {
			openapi.ResetOpenAPI()
			found = answer{Error: fmt.Sprintf("panic: %v", reason)}
		}
	}()
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOption(asked.Reorder)
	if asked.Reorder == "" {
		options.Reorder = krusty.ReorderOptionUnspecified
	}
	objects, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), asked.Folder)
	if err != nil {
		return answer{Error: err.Error()}
	}
	text, err := objects.AsYaml()
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Text: text}
}

func main() {
	log.SetOutput(io.Discard)
	questions := bufio.NewScanner(os.Stdin)
	questions.Buffer(nil, 1<<20)
	answers := json.NewEncoder(os.Stdout)
	for questions.Scan() {
		var asked question
		if err := json.Unmarshal(questions.Bytes(), &asked); err != nil {
			log.Fatal(err)
		}
		if err := answers.Encode(render(asked)); err != nil {
			log.Fatal(err)
		}
	}
}
