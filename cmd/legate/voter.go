package main

import (
	"context"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies"
)

func (e *engine) openVoter(ctx context.Context, parts *agent.Parts, set *policies.Set, ec engineConfig) error {
	return nil
}

func (e *engine) onBroken(ctx context.Context, chain gov.ChainID) {}

func (d *demo) answer(ctx context.Context) error { return nil }
