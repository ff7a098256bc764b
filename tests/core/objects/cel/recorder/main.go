// Recorder evaluates the expressions on its input, one a line, as Kubernetes does, and prints what they give and cost: recorded.jsonl
// was made by it (go mod tidy; go run . < expressions).
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/cel/environment"
)

func main() {
	set := environment.MustBaseEnvSet(version.MajorMinor(1, 35))
	ext, err := set.Extend(environment.VersionedOptions{IntroducedVersion: version.MajorMinor(1, 0), EnvOptions: []cel.EnvOption{
		cel.Variable("self", cel.DynType), cel.Variable("s", cel.StringType), cel.Variable("n", cel.IntType),
		cel.Variable("d", cel.DoubleType), cel.Variable("b", cel.BoolType),
		cel.Variable("l", cel.ListType(cel.StringType)), cel.Variable("ln", cel.ListType(cel.IntType)),
		cel.Variable("m", cel.MapType(cel.StringType, cel.IntType)), cel.Variable("t", cel.TimestampType),
		cel.Variable("big", cel.ListType(cel.IntType)),
	}})
	if err != nil {
		panic(err)
	}
	env := ext.StoredExpressionsEnv()
	big := make([]int64, 200)
	for i := range big {
		big[i] = int64(i)
	}
	data := map[string]any{
		"self": map[string]any{"a": map[string]any{"b": int64(1), "s": "text"}, "l": []any{int64(1), int64(2), int64(3)}, "s": "hello world", "e": []any{}, "f": 1.5, "t": true, "n": nil,
			"o": []any{map[string]any{"name": "x", "n": int64(1)}, map[string]any{"name": "y", "n": int64(2)}}},
		"s": "some text", "n": int64(7), "d": 2.5, "b": true, "l": []string{"a", "bb", "ccc"}, "ln": []int64{3, 1, 2},
		"m": map[string]int64{"x": 1, "y": 2}, "t": time.Date(2024, 2, 29, 13, 14, 15, 678000000, time.UTC), "big": big,
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<20)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for in.Scan() {
		text := in.Text()
		row := map[string]any{"text": text}
		ast, iss := env.Compile(text)
		if iss.Err() != nil {
			row["bad"] = iss.Err().Error()
			out.Encode(row)
			continue
		}
		prg, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize, cel.OptTrackCost))
		if err != nil {
			row["bad"] = err.Error()
			out.Encode(row)
			continue
		}
		val, det, err := prg.Eval(data)
		if det != nil && det.ActualCost() != nil {
			row["cost"] = *det.ActualCost()
		}
		if err != nil {
			row["err"] = err.Error()
		} else {
			row["val"] = show(val)
		}
		out.Encode(row)
	}
}

func show(v any) string {
	if o, ok := v.(*types.Optional); ok {
		if o.HasValue() {
			return "optional(" + show(o.GetValue()) + ")"
		}
		return "none"
	}
	if s, ok := v.(types.String); ok {
		return "s:" + string(s)
	}
	if r, ok := v.(interface{ Value() any }); ok {
		return fmt.Sprintf("%T", v) + ":" + fmt.Sprint(r.Value())
	}
	return fmt.Sprint(v)
}
