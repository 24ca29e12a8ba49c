package strict

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/invopop/jsonschema"
)

// Schema is the JSON Schema (draft 2020-12) of the struct that v is or points to, for editors. A NodeParser has a schema
// of its own through jsonschema's JSONSchema method; keys of later releases are not in it. It is a help: Read is what
// decides, and knows more.
func Schema(v any, id string) ([]byte, error) {
	t := reflect.TypeOf(v)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	r := jsonschema.Reflector{FieldNameTag: "yaml", RequiredFromJSONSchemaTags: true, DoNotReference: true, Anonymous: true, Mapper: schemaOf}
	s := r.ReflectFromType(t)
	complete(s, t)
	s.ID = jsonschema.ID(id)
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the schema of %s: %w", t, err)
	}
	return append(text, '\n'), nil
}

// schemaOf are the schemas of our own types.
func schemaOf(t reflect.Type) *jsonschema.Schema {
	text := func(pattern, title string) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "string", Pattern: pattern, Description: title}
	}
	one := uint64(1)
	switch t {
	case reflect.TypeFor[Expr]():
		return &jsonschema.Schema{Type: "string", MinLength: &one, Description: "a CEL expression"}
	case reflect.TypeFor[Duration]():
		s := text(durationPattern, "a duration: 2d, 6h30m, 0s")
		s.MinLength = &one // the pattern alone allows an empty text
		return s
	case reflect.TypeFor[Amount]():
		return text(amountPattern, "an amount: 0.05 ETH, 3 gwei, 1 wei")
	case reflect.TypeFor[Address]():
		return text(addressPattern, "an address with its EIP-55 checksum")
	case reflect.TypeFor[Chain]():
		return text(chainPattern, "a chain (CAIP-2): eip155:1")
	case reflect.TypeFor[Account]():
		return text(accountPattern, "an account (CAIP-10): eip155:1:0x…")
	case reflect.TypeFor[Secret]():
		return text(secretPattern, "a reference to a secret: "+secretForms)
	case reflect.TypeFor[Private]():
		return &jsonschema.Schema{Type: "string", Description: secretForms + ", or the value itself"}
	}
	return nil
}

// complete adds to a schema what the strict and yaml tags say.
func complete(s *jsonschema.Schema, t reflect.Type) {
	if own := schemaOf(t); own != nil && s != nil && s.Description == "" {
		s.Description = own.Description
	}
	if s == nil || schemaOf(t) != nil || t.Implements(customSchema) || reflect.PointerTo(t).Implements(customSchema) {
		return
	}
	switch t.Kind() {
	case reflect.Pointer:
		complete(s, t.Elem())
	case reflect.Slice:
		complete(s.Items, t.Elem())
	case reflect.Map:
		complete(s.AdditionalProperties, t.Elem())
		if pattern := schemaOf(t.Key()); pattern != nil {
			s.PropertyNames = pattern
		}
	case reflect.Struct:
		completeStruct(s, t)
	}
}

var customSchema = reflect.TypeFor[interface{ JSONSchema() *jsonschema.Schema }]()

func completeStruct(s *jsonschema.Schema, t reflect.Type) {
	s.Required = nil
	known := fields(t)
	for _, f := range known {
		if f.later {
			s.Properties.Delete(f.name)
			continue
		}
		property, ok := s.Properties.Get(f.name)
		if !ok {
			continue
		}
		complete(property, t.FieldByIndex(f.index).Type)
		f.limit(property)
		if f.required {
			s.Required = append(s.Required, f.name)
		}
	}
	var extra []string // fields without a yaml name are no keys
	for pair := s.Properties.Oldest(); pair != nil; pair = pair.Next() {
		if !slices.ContainsFunc(known, func(f field) bool { return f.name == pair.Key }) {
			extra = append(extra, pair.Key)
		}
	}
	for _, name := range extra {
		s.Properties.Delete(name)
	}
}

// limit writes the words and bounds of a field; those of a list are its elements'.
func (o tagOptions) limit(s *jsonschema.Schema) {
	for s.Items != nil {
		s = s.Items
	}
	for _, word := range o.enum {
		s.Enum = append(s.Enum, word)
	}
	if o.min != nil {
		s.Minimum = json.Number(fmt.Sprint(*o.min))
	}
	if o.max != nil {
		s.Maximum = json.Number(fmt.Sprint(*o.max))
	}
}
