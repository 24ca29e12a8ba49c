package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// terminal writes each alert as a few lines.
type terminal struct {
	name string
	out  io.Writer
}

func openTerminal(c Config) (Channel, error) {
	if c.Out == nil {
		return nil, errors.New("there is no output to write to")
	}
	return &terminal{c.Name, c.Out}, nil
}

func (t *terminal) Name() string { return t.name }

// Send writes the alert in one piece, so that lines of two alerts do not mix.
func (t *terminal) Send(_ context.Context, a dossier.Alert) error {
	if _, err := io.WriteString(t.out, plainText(a, 0)); err != nil {
		return &Fault{What: "the terminal cannot be written to"}
	}
	return nil
}

// marks are how severities look where there are only letters.
var marks = map[gov.Severity]string{gov.Critical: "!!", gov.Warning: "! ", gov.Info: "  "}

// plainText is an alert as lines. Its strings are inert already; what moves a cursor is taken out once more,
// since here it would be worst. max bounds it in bytes, 0 for no bound.
func plainText(a dossier.Alert, max int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", marks[a.Severity], dossier.Untrusted(a.Title).Line(300))
	for i, line := range a.Lines {
		text := "     " + dossier.Untrusted(line).Line(600) + "\n"
		if max > 0 && b.Len()+len(text) > max {
			fmt.Fprintf(&b, "     … %d lines more\n", len(a.Lines)-i)
			break
		}
		b.WriteString(text)
	}
	return b.String()
}
