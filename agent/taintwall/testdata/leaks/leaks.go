// Package leaks has strangers' texts that become plain strings, each line in another way, and uses that are fine.
package leaks

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"unsafe"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

type alias = dossier.Untrusted

type note struct {
	Any  any
	Name fmt.Stringer
}

type titled interface{ title() dossier.Untrusted }

func (x wrapped) title() dossier.Untrusted { return x.Text.Title }

type wrapped struct {
	Text  dossier.Text
	Inner *wrapped
}

func conversions(u dossier.Untrusted, a alias) {
	_ = string(u)                          // leak
	_ = []byte(u)                          // leak
	_ = []rune(u)                          // leak
	_ = gov.Label(u)                       // leak
	_ = string(a)                          // leak
	_ = string(u[:4] + "…")                // leak
	_ = strings.ToLower(string(u))         // leak
	_ = *(*string)(unsafe.Pointer(&u))     // leak
	_ = func() string { return string(u) } // leak
}

func formatting(u dossier.Untrusted, d dossier.Text, log *slog.Logger, w io.Writer) error {
	_ = fmt.Sprint(u)                      // leak
	fmt.Fprintf(w, "%q", u)                // leak
	_ = fmt.Sprintf("%v", d)               // leak
	_ = fmt.Sprintf("%v", &d)              // leak
	log.Info("seen", "title", u)           // leak
	_ = slog.Any("text", d)                // leak
	b, _ := json.Marshal(u)                // leak
	_ = json.NewEncoder(w).Encode([]any{}) // nothing of a stranger's
	_, _ = b, errors.New("no")
	panic(u) // leak
}

func hiding(u dossier.Untrusted, list []dossier.Untrusted, byName map[string]dossier.Untrusted) any {
	var x any = u                   // leak
	x = list                        // leak
	_ = note{Any: u}                // leak
	_ = note{u, nil}                // leak
	_ = []any{1, u}                 // leak
	_ = map[string]any{"title": u}  // leak
	_ = reflect.ValueOf(u).String() // leak
	c := make(chan any, 1)
	c <- u                 // leak
	_ = append([]any{}, u) // leak
	_ = x
	return byName // leak
}

func letters(u dossier.Untrusted) (out []byte) {
	out = append(out, u...) // leak
	copy(out, u)            // leak
	for _, r := range u {   // leak
		out = append(out, byte(r))
	}
	return append(out, u[0]) // leak
}

func join[T ~string](list []T) string {
	var b strings.Builder
	for _, x := range list {
		b.WriteString(string(x))
	}
	return b.String()
}

func generic(list []dossier.Untrusted) {
	_ = join(list)               // leak
	f := join[dossier.Untrusted] // leak
	_ = f
}

func event(e dossier.Event, log *slog.Logger) {
	log.Info("happened", "event", e) // leak
}

// fine keeps the type, makes the text inert, or looks at it without taking it along.
func fine(u dossier.Untrusted, w wrapped, list []dossier.Untrusted) (dossier.Untrusted, error) {
	var e titled = w
	slices.Sort(list)
	m := gov.Known(u)
	got, _ := m.Get()
	if u == "spam" || len(u) > 100 || slices.Contains(list, u) {
		return u[:4] + "…", fmt.Errorf("too long: %s, %d", u.Line(80), len(u))
	}
	const ours dossier.Untrusted = "a constant of ours"
	fmt.Println(ours, u.Block(100), join([]string{"a"}))
	var read dossier.Text
	_ = json.Unmarshal([]byte("{}"), &read)
	d := dossier.Text{Title: got, Description: dossier.Untrusted("x")}
	for i := range u {
		_ = i
	}
	return d.Title + e.title(), nil
}
