package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// validator holds an answer against its schema. Servers have been seen to drop a schema without a word,
// so their word that it was obeyed counts nothing.
type validator struct{ schema *jsonschema.Schema }

func compile(schema json.RawMessage) (*validator, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return nil, fmt.Errorf("read the schema of the answer: %w", err)
	}
	if _, ok := doc.(map[string]any); !ok {
		return nil, errors.New("the schema of the answer is not an object") // servers take it and drop it
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("answer.json", doc); err != nil {
		return nil, fmt.Errorf("read the schema of the answer: %w", err)
	}
	s, err := c.Compile("answer.json")
	if err != nil {
		return nil, fmt.Errorf("read the schema of the answer: %w", err)
	}
	return &validator{s}, nil
}

// read is the one JSON value of an answer, out of its code fence if it has one.
func (v *validator) read(content string) (json.RawMessage, error) {
	text := strings.TrimSpace(content)
	if rest, ok := strings.CutPrefix(text, "```"); ok {
		rest = strings.TrimPrefix(rest, "json")
		if text, ok = strings.CutSuffix(rest, "```"); !ok {
			return nil, failure(Garbage, "the model's answer is cut inside its code fence: %s", head([]byte(content)))
		}
	}
	if !utf8.ValidString(text) {
		return nil, failure(Garbage, "the model's answer is not UTF-8")
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var doc any
	if err := dec.Decode(&doc); err != nil {
		return nil, failure(Garbage, "the model's answer is not JSON: %s", head([]byte(content)))
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, failure(Garbage, "the model's answer goes on after its JSON: %s", head([]byte(content)))
	}
	if err := v.schema.Validate(doc); err != nil {
		return nil, failure(Garbage, "the model's answer does not obey the schema: %s", head([]byte(err.Error())))
	}
	return json.RawMessage(strings.TrimSpace(text)), nil
}
