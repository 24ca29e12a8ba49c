package strict

// Expr is an expression in a file: its text, and where each part of it stands.
type Expr struct {
	Text         string
	Line, Column int // where the value begins in the file
	at           *scalar
}

// ParseNode reads the text and keeps its place.
func (e *Expr) ParseNode(n Node) {
	s, ok := n.w.text(n.node, "an expression")
	if !ok {
		return
	}
	if s.text == "" {
		n.Report("the expression is empty", "")
		return
	}
	*e = Expr{Text: s.text, Line: s.line, Column: s.column, at: &s}
}

// Position maps a line and a column of the text (both from 1, columns in characters) to the file. It knows quotes and
// escapes, and the indent of | blocks. Places before the text are taken to its beginning.
func (e Expr) Position(line, column int) (fileLine, fileColumn int) {
	if e.at == nil {
		return max(e.Line, 1), max(e.Column, 1)
	}
	return e.at.position(line, column)
}

// String is the text.
func (e Expr) String() string { return e.Text }
