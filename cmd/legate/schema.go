package main

import (
	"encoding"
	"encoding/json"
	"fmt"
	"path"
	"reflect"
	"strings"
	"time"

	"github.com/invopop/jsonschema"
	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies"
	"github.com/legate-dao/legate/policies/strict"
)

// schemas are the documents with a JSON Schema, by name.
var schemas = []struct {
	name, about string
	write       func() ([]byte, error)
}{
	{"legate", "legate.yaml, the operator's configuration", func() ([]byte, error) { return strict.Schema(Config{}, "legate.schema.json") }},
	{"policies", "policies.yaml, the holder's policy", func() ([]byte, error) { return strict.Schema(policies.File{}, "policies.schema.json") }},
	{"dossier", "the dossier as `show --json`, `dry-run --json` and the API give it", dossierSchema},
}

// newSchema prints JSON Schemas for editors and programs.
func newSchema() *cobra.Command {
	names := []string{}
	about := "Prints a JSON Schema (draft 2020-12). For the two files it is a help for editors; reading them is stricter.\n"
	for _, s := range schemas {
		names = append(names, s.name)
		about += fmt.Sprintf("\n  %-9s %s", s.name, s.about)
	}
	c := &cobra.Command{
		Use: "schema " + strings.Join(names, "|"), Short: "JSON Schemas of the files and of the dossier",
		Long: about, Args: cobra.ExactArgs(1), ValidArgs: names,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, s := range schemas {
				if s.name == args[0] {
					text, err := s.write()
					if err != nil {
						return err
					}
					_, err = cmd.OutOrStdout().Write(text)
					return err
				}
			}
			return usageError{fmt.Errorf("there is no schema %q; there are %s", args[0], strings.Join(names, ", "))}
		},
	}
	c.Flags().Bool("json", true, "it is always one JSON document")
	return c
}

// JSONSchema takes both shapes of an endpoint.
func (EndpointConfig) JSONSchema() *jsonschema.Schema {
	private := &jsonschema.Schema{Type: "string", Description: "a URL, or a reference to one: env:NAME, file:PATH, credential:NAME"}
	both := jsonschema.NewProperties()
	both.Set("http", private)
	both.Set("ws", private)
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		private, {Type: "object", Properties: both, Required: []string{"http"}, AdditionalProperties: jsonschema.FalseSchema},
	}}
}

// JSONSchema is a word or a number of blocks.
func (FinalityConfig) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		{Type: "string", Pattern: "^(finalized|safe|latest|[0-9]+)$"}, {Type: "integer", Minimum: "0"},
	}, Description: "finalized, safe, latest, or a number of blocks behind the head"}
}

// The dossier's parts that have another shape in JSON than in Go.
type (
	factsDocument struct {
		gov.Facts
		Digest  gov.Digest                   `json:"digest"`
		Basis   gov.Digest                   `json:"basis"`
		Context gov.Context                  `json:"context"`
		Calls   gov.Maybe[[]dossier.CallDoc] `json:"calls"`
		Effects gov.Maybe[effectsDocument]   `json:"effects"`
	}
	effectsDocument struct {
		gov.Effects
		Reason dossier.Untrusted `json:"reason"`
	}
	dossierDocument struct {
		dossier.Document
		Facts *factsDocument `json:"facts"`
	}
)

func dossierSchema() ([]byte, error) {
	d := describer{defs: jsonschema.Definitions{}}
	root := d.of(reflect.TypeFor[dossierDocument]())
	name := strings.TrimPrefix(root.Ref, "#/$defs/")
	body := d.defs[name]
	delete(d.defs, name)
	body.Version, body.ID, body.Definitions = jsonschema.Version, "dossier.schema.json", d.defs
	body.Title = "Legate dossier"
	text, err := json.MarshalIndent(body, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the schema of the dossier: %w", err)
	}
	return append(text, '\n'), nil
}

// describer turns Go types into schemas, as encoding/json writes them. Fields may be added to documents, so
// objects are open.
type describer struct{ defs jsonschema.Definitions }

// texts are the types that are written as a string of one form.
var texts = map[reflect.Type]*jsonschema.Schema{
	reflect.TypeFor[gov.Address]():    {Type: "string", Pattern: "^0x[0-9a-fA-F]{40}$"},
	reflect.TypeFor[gov.Hash]():       {Type: "string", Pattern: "^0x[0-9a-f]{64}$"},
	reflect.TypeFor[gov.CodeHash]():   {Type: "string", Pattern: "^0x([0-9a-f]{64})?$"},
	reflect.TypeFor[gov.Calldata]():   {Type: "string", Pattern: "^0x([0-9a-f]{2})*$"},
	reflect.TypeFor[gov.Selector]():   {Type: "string", Pattern: "^0x[0-9a-f]{8}$"},
	reflect.TypeFor[gov.Asset]():      {Type: "string", Pattern: "^(native|0x[0-9a-fA-F]{40})$"},
	reflect.TypeFor[gov.Amount]():     {Type: "string", Pattern: "^[0-9]+$"},
	reflect.TypeFor[gov.Clocks]():     {Type: "string", Pattern: "^[0-9]+$"},
	reflect.TypeFor[gov.Delta]():      {Type: "string", Pattern: "^-?[0-9]+$"},
	reflect.TypeFor[gov.Digest]():     {Type: "string", Pattern: "^(sha256:[0-9a-f]{64})?$"},
	reflect.TypeFor[gov.ChainID]():    {Type: "string", Pattern: "^eip155:[0-9]+$"},
	reflect.TypeFor[gov.ProposalID](): {Type: "string", Pattern: "^eip155:[0-9]+:0x[0-9a-fA-F]{40}/[0-9]+$"},
	reflect.TypeFor[time.Time]():      {Type: "string", Format: "date-time"},
	reflect.TypeFor[gov.Direction]():  {Type: "string", Enum: []any{"for", "against", "abstain", "hold"}},
	reflect.TypeFor[gov.Status]():     {Type: "string", Enum: []any{"found", "clean", "not_applicable", "not_checked"}},
	reflect.TypeFor[gov.Severity]():   {Type: "string", Enum: []any{"info", "warning", "critical"}},
	reflect.TypeFor[gov.Class]():      {Type: "string", Enum: []any{"content", "context", "text", "watch"}},
	reflect.TypeFor[gov.Tri]():        {Type: "string", Enum: []any{"true", "false", "unknown"}},
	reflect.TypeFor[gov.Decoded]():    {Type: "string", Enum: []any{"full", "partial", "none"}},
}

var (
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
	anyType       = reflect.TypeFor[any]()
)

func (d describer) of(t reflect.Type) *jsonschema.Schema {
	if s, ok := texts[t]; ok {
		copied := *s
		return &copied
	}
	switch {
	case t.Kind() == reflect.Pointer:
		return orNull(d.of(t.Elem()))
	case strings.HasPrefix(t.Name(), "Maybe["):
		get, _ := t.MethodByName("Get")
		return orNull(d.of(get.Type.Out(0)))
	case t == reflect.TypeFor[gov.UnixTime]():
		return orNull(&jsonschema.Schema{Type: "string", Format: "date-time"})
	case t == reflect.TypeFor[gov.State]():
		return orNull(&jsonschema.Schema{Type: "string"})
	case t == reflect.TypeFor[gov.Values]():
		return &jsonschema.Schema{Type: "object"}
	case t == anyType || t == reflect.TypeFor[json.RawMessage]():
		return &jsonschema.Schema{}
	case t.Implements(textMarshaler):
		return &jsonschema.Schema{Type: "string"}
	}
	return d.ofKind(t)
}

func (d describer) ofKind(t reflect.Type) *jsonschema.Schema {
	switch t.Kind() {
	case reflect.Struct:
		return d.ofStruct(t)
	case reflect.Slice:
		return orNull(&jsonschema.Schema{Type: "array", Items: d.of(t.Elem())})
	case reflect.Array:
		return &jsonschema.Schema{Type: "array", Items: d.of(t.Elem())}
	case reflect.Map:
		return orNull(&jsonschema.Schema{Type: "object", AdditionalProperties: d.of(t.Elem())})
	case reflect.String:
		return &jsonschema.Schema{Type: "string"}
	case reflect.Bool:
		return &jsonschema.Schema{Type: "boolean"}
	case reflect.Float64:
		return &jsonschema.Schema{Type: "number"}
	}
	return &jsonschema.Schema{Type: "integer"}
}

// ofStruct defines an object once and refers to it.
func (d describer) ofStruct(t reflect.Type) *jsonschema.Schema {
	if t.Name() == "" { // a part that this release does not have: always null
		return &jsonschema.Schema{Type: "object"}
	}
	name := path.Base(t.PkgPath()) + "." + strings.NewReplacer("[", "-", "]", "").Replace(t.Name())
	ref := &jsonschema.Schema{Ref: "#/$defs/" + name}
	if d.defs[name] != nil {
		return ref
	}
	s := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties()}
	d.defs[name] = s
	d.fields(s, t)
	return ref
}

// fields adds the fields of a struct; those of the outer struct hide those of an embedded one, as in Go.
func (d describer) fields(s *jsonschema.Schema, t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if _, hidden := s.Properties.Get(name); hidden || f.Anonymous || name == "-" {
			continue
		}
		s.Properties.Set(name, d.of(f.Type))
		if !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
			s.Required = append(s.Required, name)
		}
	}
	for i := range t.NumField() {
		if f := t.Field(i); f.Anonymous {
			d.fields(s, f.Type)
		}
	}
}

func orNull(s *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{s, {Type: "null"}}}
}
