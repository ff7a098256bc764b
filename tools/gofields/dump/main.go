// Command dump prints the Go structs that a pod template is made of, as a dump of one writes them: a line for each type.
//
//	TYPE field:json:TYPE …   a struct, its fields in Go's order; json is "" where they are on the same level of JSON
//	TYPE =TYPE               a named list or map
//
// Run by hand when the Kubernetes version changes: cd tools/gofields && go run ./dump | python ../pack_go_types.py templates
package main

import (
	"fmt"
	"os"
	"reflect"
	"sort"
	"strings"

	core "k8s.io/api/core/v1"
)

func main() {
	lines, paths := map[string]string{}, map[string]string{}
	var add func(reflect.Type)
	add = func(t reflect.Type) {
		named := t.Name() != "" && t.PkgPath() != ""
		if named {
			if path, seen := paths[t.String()]; seen && path != t.PkgPath() {
				fmt.Fprintln(os.Stderr, t.String(), "is two types")
				os.Exit(1)
			}
			if _, seen := lines[t.String()]; seen {
				return
			}
			paths[t.String()] = t.PkgPath()
		}
		switch t.Kind() {
		case reflect.Ptr, reflect.Slice, reflect.Map:
			if named {
				lines[t.String()] = fmt.Sprintf("=%s", underlying(t))
			}
			if t.Kind() == reflect.Map {
				add(t.Key())
			}
			add(t.Elem())
		case reflect.Struct:
			words := []string{}
			lines[t.String()] = ""
			for i := 0; i < t.NumField(); i++ {
				field := t.Field(i)
				name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
				if name == "" && !strings.Contains(options, "inline") && field.IsExported() {
					name = "-"
				}
				words = append(words, fmt.Sprintf("%s:%s:%s", field.Name, name, field.Type))
				if field.IsExported() && strings.HasPrefix(t.PkgPath(), "k8s.io/") {
					add(field.Type)
				}
			}
			lines[t.String()] = strings.Join(words, " ")
		}
	}
	add(reflect.TypeOf(core.PodTemplateSpec{}))
	out := []string{}
	for name, line := range lines {
		out = append(out, name+" "+line)
	}
	sort.Strings(out)
	fmt.Println(strings.Join(out, "\n"))
}

func underlying(t reflect.Type) string {
	if t.Kind() == reflect.Map {
		return fmt.Sprintf("map[%s]%s", t.Key(), t.Elem())
	}
	return fmt.Sprintf("[]%s", t.Elem())
}
