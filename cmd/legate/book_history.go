package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
	"github.com/legate-dao/legate/chains/governor"
)

// historyDocument is that of `book add --from-history --json`.
type historyDocument struct {
	Version int           `json:"version"`
	Entries []addDocument `json:"entries"`
	Skipped []skippedDoc  `json:"skipped"`
}

// skippedDoc is a contract that executed proposals called and for which no entry is proposed.
type skippedDoc struct {
	Address gov.Address `json:"address"`
	Why     string      `json:"why"`
}

// addFromHistory proposes entries for what executed proposals called and no book has.
func addFromHistory(cmd *cobra.Command, from chainFlags, write string, asJSON bool) error {
	ctx := cmd.Context()
	c, err := readConfig(from.config)
	if err != nil {
		return err
	}
	client, err := from.dial(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	at, err := finalBlock(ctx, client)
	if err != nil {
		return err
	}
	doc := historyDocument{Version: 1, Entries: []addDocument{}, Skipped: []skippedDoc{}}
	for _, conf := range c.Governors {
		if conf.Address.Chain.ID() != client.ChainID() {
			continue
		}
		known, err := readBook(c.file(conf.Book))
		if err != nil {
			return err
		}
		g, err := governor.Detect(ctx, client, gov.Address(conf.Address.Address.Address), at.Hash)
		if err != nil {
			return fmt.Errorf("governor %s: %w", conf.Name, err)
		}
		g.Chain, g.Name = gov.ChainID(client.ChainID()), gov.Label(conf.Name)
		targets, err := executedTargets(ctx, client, g, conf.FromBlock)
		if err != nil {
			return fmt.Errorf("governor %s: read its executed proposals: %w", conf.Name, err)
		}
		for _, a := range targets {
			if _, ok := known.Entry(a); ok {
				continue
			}
			p, err := book.Propose(ctx, client, a, at)
			if err != nil {
				doc.Skipped = append(doc.Skipped, skippedDoc{a, err.Error()})
				continue
			}
			label := gov.Label(fmt.Sprintf("%s-%s", conf.Name, a.Hex()[2:8]))
			item, err := p.YAML(label)
			if err != nil {
				return err
			}
			if write != "" {
				if err := addToBook(write, a, item); err != nil {
					return err
				}
			}
			doc.Entries = append(doc.Entries, addDocumentOf(p, label, at, item))
		}
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), doc)
	}
	return printText(cmd.OutOrStdout(), doc.text())
}

func (d historyDocument) text() string {
	var r renderer
	r.line("# called by executed proposals and in no book: %d; accept one by putting it into book.yaml", len(d.Entries))
	for _, e := range d.Entries {
		if e.Entry.ABI == "" {
			r.line("# no shipped ABI fits: without `abi:` it is a label only")
		}
		r.WriteString(e.YAML)
	}
	for _, s := range d.Skipped {
		r.line("# %s: %s", s.Address, s.Why)
	}
	return r.String()
}
