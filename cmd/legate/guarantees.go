package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// newGuarantees is for developers: it turns the output of `go test -json` into docs/guarantees.md.
func newGuarantees() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use: "guarantees", Short: "Collect the results of the promises' tests from `go test -json` on stdin",
		Args: cobra.NoArgs, Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			promises, err := collectPromises(cmd.InOrStdin())
			if err != nil {
				return err
			}
			return os.WriteFile(out, []byte(promisesTable(promises, commit(cmd.Context()))), 0o644)
		},
	}
	c.Flags().StringVar(&out, "out", "docs/guarantees.md", "file to write")
	return c
}

// promise is the results of all tests that carry one promise's name.
type promise struct {
	id     string
	passed []string // package and test
	failed []string
	notes  []string // lines that a test logged about its n and seed
}

var promiseName = regexp.MustCompile(`^TestG(\d\d)`)

// collectPromises reads test2json lines.
func collectPromises(r io.Reader) ([]*promise, error) {
	all := map[string]*promise{}
	in := bufio.NewScanner(r)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var e struct{ Action, Package, Test, Output string }
		if json.Unmarshal(in.Bytes(), &e) != nil {
			continue
		}
		m := promiseName.FindStringSubmatch(e.Test)
		if m == nil {
			continue
		}
		id := "G" + m[1]
		p := all[id]
		if p == nil {
			p = &promise{id: id}
			all[id] = p
		}
		name := strings.TrimPrefix(e.Package, "github.com/legate-dao/legate/") + " " + e.Test
		switch e.Action {
		case "pass":
			if !strings.Contains(e.Test, "/") {
				p.passed = append(p.passed, name)
			}
		case "fail":
			p.failed = append(p.failed, name)
		case "output":
			if i := strings.Index(e.Output, "n="); i >= 0 && strings.Contains(e.Output, ".go:") {
				_, note, _ := strings.Cut(strings.TrimSpace(e.Output), ": ")
				p.notes = append(p.notes, note)
			}
		}
	}
	out := []*promise{}
	for _, p := range all {
		slices.Sort(p.passed)
		slices.Sort(p.failed)
		slices.Sort(p.notes)
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *promise) int { return strings.Compare(a.id, b.id) })
	return out, in.Err()
}

func promisesTable(promises []*promise, commit string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# What was shown, by which test\n\nWritten by `make guarantees` from the tests that carry a promise's name; commit %s. "+
		"A promise that is not here is not shown yet. No failure in n runs bounds the rate below 3/n.\n\n"+
		"| promise | tests | failed | n and seed, as the tests print them |\n|---|---|---|---|\n", commit)
	for _, p := range promises {
		failed := strings.Join(p.failed, "<br>")
		if failed == "" {
			failed = "0"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", p.id, cell(p.passed), failed, cell(slices.Compact(p.notes)))
	}
	return b.String()
}

func cell(lines []string) string {
	return strings.ReplaceAll(strings.Join(lines, "<br>"), "|", "\\|")
}

func commit(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
