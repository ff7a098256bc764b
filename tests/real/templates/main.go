// The oracle of ApplicationSet templates: each line of standard input is a case in JSON, each line of standard output what Go makes of it.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"text/template"

	"dario.cat/mergo"
	"github.com/Masterminds/sprig/v3"
	"github.com/gosimple/slug"
	"github.com/jeremywohl/flatten"
	"github.com/valyala/fasttemplate"
	"sigs.k8s.io/yaml"
)

type question struct {
	Ask        string         `json:"ask"`
	Text       string         `json:"text"`
	Parameters map[string]any `json:"parameters"`
	Other      map[string]any `json:"other"`
	Options    []string       `json:"options"`
}

type answer struct {
	Value any    `json:"value"`
	Error string `json:"error"`
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var asked question
		if err := json.Unmarshal(in.Bytes(), &asked); err != nil {
			panic(err)
		}
		value, err := reply(asked)
		given := answer{Value: value}
		if err != nil {
			given = answer{Error: err.Error()}
		}
		if err := out.Encode(given); err != nil {
			panic(err)
		}
	}
}

func reply(asked question) (any, error) {
	switch asked.Ask {
	case "go":
		return goTemplate(asked)
	case "fast":
		return fast(asked)
	case "slug":
		slug.MaxLength, slug.CustomSub = 50, map[string]string{"_": "-"}
		return slug.Make(asked.Text), nil
	case "flatten":
		return flat(asked.Parameters)
	case "override":
		made := map[string]any{}
		if err := mergo.Merge(&made, asked.Parameters, mergo.WithOverride); err != nil {
			return nil, err
		}
		err := mergo.Merge(&made, asked.Other, mergo.WithOverride)
		return made, err
	}
	return nil, fmt.Errorf("unknown: %s", asked.Ask)
}

func goTemplate(asked question) (any, error) {
	functions := sprig.GenericFuncMap()
	for _, name := range []string{"env", "expandenv", "getHostByName"} {
		delete(functions, name)
	}
	functions["toYaml"] = func(value any) (string, error) {
		data, err := yaml.Marshal(value)
		return strings.TrimSuffix(string(data), "\n"), err
	}
	functions["fromYaml"] = func(text string) (map[string]any, error) {
		made := map[string]any{}
		err := yaml.Unmarshal([]byte(text), &made)
		return made, err
	}
	functions["fromYamlArray"] = func(text string) ([]any, error) {
		made := []any{}
		err := yaml.Unmarshal([]byte(text), &made)
		return made, err
	}
	read, err := template.New("base").Funcs(functions).Option(asked.Options...).Parse(asked.Text)
	if err != nil {
		return nil, err
	}
	var made bytes.Buffer
	err = read.Execute(&made, asked.Parameters)
	return made.String(), err
}

var tag = regexp.MustCompile(".*{{.*}}.*")

func fast(asked question) (any, error) {
	if !tag.MatchString(asked.Text) {
		return asked.Text, nil
	}
	read, err := fasttemplate.NewTemplate(asked.Text, "{{", "}}")
	if err != nil {
		return nil, err
	}
	return read.ExecuteFuncString(func(out io.Writer, name string) (int, error) {
		value, known := asked.Parameters[strings.TrimSpace(name)].(string)
		if strings.TrimSpace(name) == "" || !known {
			return fmt.Fprintf(out, "{{%s}}", name)
		}
		return out.Write([]byte(value))
	}), nil
}

func flat(parameters map[string]any) (any, error) {
	made, err := flatten.Flatten(parameters, "", flatten.DotStyle)
	texts := map[string]string{}
	for key, value := range made {
		texts[key] = fmt.Sprintf("%v", value)
	}
	return texts, err
}
