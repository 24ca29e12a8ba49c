package policies

import (
	"reflect"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/operators"
)

// Bounds of one expression. They are constants of the language: a limit that depended on time would make
// the direction depend on the machine.
const (
	maxDepth = 50
	maxSize  = 10_000
	// maxCost is what one evaluation may spend, about one for each operation: ten times what a rule over
	// a thousand calls needs, and well under 50 ms.
	maxCost = 100_000
)

// environment is what one sort of expression may say.
type environment struct {
	name string
	cel  *cel.Env
	root *objectType
	all  *vocabulary
	// checks and metrics say what is in scope beside the facts.
	checks, metrics bool
}

// The three environments.
var (
	ruleEnv      = mustEnvironment("rules", reflect.TypeFor[ruleView](), true, false)
	holdEnv      = mustEnvironment("hold_if", reflect.TypeFor[holdView](), true, false)
	emergencyEnv = mustEnvironment("emergency", reflect.TypeFor[factsView](), false, true)
)

// functionsOfCEL are what the language keeps of CEL's standard library; has, dyn, conversions, regular
// expressions and times are not among them.
var functionsOfCEL = []string{
	operators.LogicalNot, operators.LogicalAnd, operators.LogicalOr, operators.Conditional, operators.Equals, operators.NotEquals,
	operators.In, operators.Index, operators.NotStrictlyFalse, "size", "contains", "startsWith", "endsWith",
}

func mustEnvironment(name string, view reflect.Type, withChecks, withMetrics bool) *environment {
	e := &environment{name: name, all: &vocabulary{types: map[string]*objectType{}, shapes: newShapes()}, checks: withChecks, metrics: withMetrics}
	e.root = e.all.objectOf(view)
	subset := env.NewLibrarySubset().AddIncludedMacros(operators.All, operators.Exists, operators.ExistsOne, operators.Map, operators.Filter)
	for _, f := range functionsOfCEL {
		subset.AddIncludedFunctions(env.NewFunction(f))
	}
	opts := []cel.EnvOption{
		cel.CustomTypeProvider(e.all), cel.CustomTypeAdapter(adapter{}), cel.StdLib(cel.StdLibSubset(subset)),
		cel.ParserRecursionLimit(maxDepth), cel.ParserExpressionSizeLimit(maxSize), cel.EnableMacroCallTracking(), cel.EnableHiddenAccumulatorName(true),
	}
	opts = append(append(opts, arithmetic()...), factFunctions()...)
	if withChecks {
		opts = append(opts, checkFunctions()...)
	}
	if withMetrics {
		opts = append(opts, cel.Variable(metricsName, cel.MapType(cel.StringType, cel.DoubleType)))
	}
	for _, f := range e.root.fields {
		opts = append(opts, cel.Variable(f.name, f.typ))
	}
	made, err := cel.NewCustomEnv(opts...)
	if err != nil {
		panic("policies: environment " + name + ": " + err.Error()) // made of constants only
	}
	e.cel = made
	return e
}

// names lists the variables in scope, sorted.
func (e *environment) names() []string {
	out := make([]string, 0, len(e.root.fields)+1)
	for _, f := range e.root.fields {
		out = append(out, f.name)
	}
	if e.metrics {
		out = append(out, metricsName)
	}
	slices.Sort(out)
	return out
}

// functions lists what can be called, sorted.
func (e *environment) functions() []string {
	out := []string{"amount", "only", "size"}
	if e.checks {
		out = append(out, "clean", "clean_but", "found")
	}
	slices.Sort(out)
	return out
}
