// Command gofields prints how Go writes the fields of Kubernetes' API types: what OpenAPI does not say.
//
// One line a type, its OpenAPI name first, then field:code for every field that is not the usual case of its kind.
//
//	scalar      (usual) omitted when zero    0 always written     p pointer: written when set
//	list, map   (usual) omitted when empty   a always, null if nil
//	struct      (usual) pointer, omitted when nil   v value: always written   z value: omitted when zero   n pointer, null if nil
//
// With the argument "types" it prints what Go's decoder says of a value of a wrong type instead: field=STRUCTS:TYPE, the embedded
// structs on the way to the field and the name of its type, for fields where OpenAPI tells one of them not.
//
// With the argument "order" it prints the names of a type's fields in the order in which Go writes them.
//
// Command dump beside it prints the structs of a pod template.
// Run by hand when the Kubernetes version changes: cd tools/gofields && go run . > ../go_fields.txt
// and go run . types | python ../pack_go_types.py and go run . order | python ../pack_go_types.py order
package main

import (
	"fmt"
	"os"
	"reflect"
	"sort"
	"strings"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/client-go/kubernetes/scheme"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

func openAPIName(t reflect.Type) string {
	parts := strings.Split(t.PkgPath(), "/")
	domain := strings.Split(parts[0], ".")
	for i, j := 0, len(domain)-1; i < j; i, j = i+1, j-1 {
		domain[i], domain[j] = domain[j], domain[i]
	}
	return strings.Join(append(append(domain, parts[1:]...), t.Name()), ".")
}

func isScalar(k reflect.Kind) bool {
	return k != reflect.Struct && k != reflect.Slice && k != reflect.Map && k != reflect.Ptr && k != reflect.Interface
}

func code(t reflect.Type, options string) string {
	empty, zero := strings.Contains(options, "omitempty"), strings.Contains(options, "omitzero")
	switch {
	case t.Kind() == reflect.Ptr && isScalar(t.Elem().Kind()) && empty:
		return "p"
	case t.Kind() == reflect.Ptr && !empty:
		return "n"
	case t.Kind() == reflect.Struct && zero:
		return "z"
	case t.Kind() == reflect.Struct:
		return "v"
	case (t.Kind() == reflect.Slice || t.Kind() == reflect.Map) && !empty:
		return "a"
	case isScalar(t.Kind()) && !empty:
		return "0"
	}
	return ""
}

func fields(t reflect.Type, add func(reflect.Type)) []string {
	var out []string
	for i := 0; i < t.NumField(); i++ {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" || !field.IsExported() && !field.Anonymous {
			continue
		}
		if name == "" && field.Anonymous {
			inline := field.Type
			if inline.Kind() == reflect.Ptr {
				inline = inline.Elem()
			}
			if inline.Kind() == reflect.Struct {
				out = append(out, fields(inline, add)...)
			}
			continue
		}
		add(field.Type)
		if letter := code(field.Type, options); letter != "" && name != "apiVersion" && name != "kind" || letter == "0" {
			out = append(out, name+":"+letter)
		}
	}
	return out
}

// typeName is the type as a decoding error names it; "" if it is the one that OpenAPI's definition tells.
func typeName(t reflect.Type) string {
	for t.Kind() == reflect.Ptr {
		t = t.Elem()
	}
	inner := t
	for inner.Name() == "" && (inner.Kind() == reflect.Slice || inner.Kind() == reflect.Map || inner.Kind() == reflect.Ptr) {
		inner = inner.Elem()
	}
	if inner.Kind() == reflect.Struct || inner.PkgPath() == "" {
		return ""
	}
	return t.String()
}

func types(t reflect.Type, inside string) []string {
	var out []string
	for i := 0; i < t.NumField(); i++ {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" && field.Anonymous && field.Type.Kind() == reflect.Struct && field.Name != "TypeMeta" {
			out = append(out, types(field.Type, inside+field.Name+".")...)
			continue
		}
		if name == "-" || name == "" || !field.IsExported() {
			continue
		}
		if word := typeName(field.Type); word != "" || inside != "" {
			out = append(out, name+"="+strings.TrimSuffix(inside, ".")+":"+word)
		}
	}
	return out
}

func order(t reflect.Type) []string {
	var out []string
	for i := 0; i < t.NumField(); i++ {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" && field.Anonymous && field.Type.Kind() == reflect.Struct {
			out = append(out, order(field.Type)...)
		} else if name != "-" && name != "" && field.IsExported() {
			out = append(out, name)
		}
	}
	return out
}

func main() {
	describe := fields
	if len(os.Args) > 1 && os.Args[1] == "order" {
		describe = func(t reflect.Type, add func(reflect.Type)) []string {
			fields(t, add)
			return order(t)
		}
	}
	if len(os.Args) > 1 && os.Args[1] == "types" {
		describe = func(t reflect.Type, add func(reflect.Type)) []string {
			fields(t, add)
			return types(t, "")
		}
	}
	for _, register := range []func() error{
		func() error { return apiextensions.AddToScheme(scheme.Scheme) },
		func() error { return apiregistration.AddToScheme(scheme.Scheme) },
	} {
		if err := register(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	lines := map[string]string{}
	var add func(reflect.Type)
	add = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Ptr, reflect.Slice, reflect.Map:
			add(t.Elem())
		case reflect.Struct:
			name := openAPIName(t)
			if _, seen := lines[name]; seen || !strings.HasPrefix(t.PkgPath(), "k8s.io/") {
				return
			}
			lines[name] = ""
			lines[name] = strings.Join(append([]string{name}, describe(t, add)...), " ")
		}
	}
	for _, t := range scheme.Scheme.AllKnownTypes() {
		add(t)
	}
	var out []string
	for _, line := range lines {
		if strings.Contains(line, " ") {
			out = append(out, line)
		}
	}
	sort.Strings(out)
	fmt.Println(strings.Join(out, "\n"))
}
