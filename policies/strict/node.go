package strict

import (
	"reflect"

	"github.com/goccy/go-yaml/ast"
)

// Node is a value that a NodeParser looks at.
type Node struct {
	w    *walker
	node ast.Node
	path string
}

// Kind of a node.
type Kind int

// The kinds. A node that has no value never reaches a NodeParser.
const (
	Scalar Kind = iota
	List
	Mapping
)

// Kind says what the node is.
func (n Node) Kind() Kind {
	switch n.node.(type) {
	case *ast.MappingNode:
		return Mapping
	case *ast.SequenceNode:
		return List
	}
	return Scalar
}

// Path is the node's path, as Doc takes it.
func (n Node) Path() string { return n.path }

// Text is the text of a scalar; for others it reports a problem and ok is false.
func (n Node) Text() (text string, ok bool) {
	s, ok := n.w.text(n.node, singleValue)
	return s.text, ok
}

// Keys are the keys of a mapping in the order of the file, without checking them: for telling shapes apart.
func (n Node) Keys() []string {
	m, ok := n.node.(*ast.MappingNode)
	if !ok {
		return nil
	}
	var keys []string
	for _, entry := range m.Values {
		keys = append(keys, entry.Key.GetToken().Value)
	}
	return keys
}

// Decode reads the node into the value that into points to, as strictly as Read does. A NodeParser that decodes into
// itself does so through a type without the method: type plain T; n.Decode((*plain)(t)).
func (n Node) Decode(into any) {
	n.w.decode(reflect.ValueOf(into).Elem(), n.node, n.path, tagOptions{})
}

// Report adds an error at the node.
func (n Node) Report(message, hint string) {
	line, column := place0(n.node)
	n.w.source.report(line, column, message, hint)
}

// Mistake adds an error at the node, with its hint where it has one.
func (n Node) Mistake(err error) {
	line, column := place0(n.node)
	n.w.mistake(line, column, err)
}
