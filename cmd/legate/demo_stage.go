package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/legate-dao/legate/chains/devchain"
)

// stageName is the file that a shell reads before it walks on the stage.
const stageName = "stage.sh"

// stage makes the proposals and the files, says where everything is, and stays until the context ends. Time
// on the chain stands still unless somebody mines.
func (w *demoWorld) stage(ctx context.Context, discord string, say func(string, ...any)) error {
	w.staged = true
	if err := w.writeFiles(ctx, newConfig().Web.Listen); err != nil {
		return err
	}
	shell := filepath.Join(w.dir, stageName)
	if err := os.WriteFile(shell, []byte(w.stageText(discord)), 0o600); err != nil {
		return fmt.Errorf("write the demo's files: %w", err)
	}
	say("Making ten proposals …")
	if _, err := w.propose(ctx); err != nil {
		return err
	}
	head, err := w.chain.Head(ctx)
	if err != nil {
		return err
	}
	say("The stage is set: chain %s, block %s; Discord (a stand-in) %s; files in %s", w.chain.HTTP(), head.Number, discord, w.dir)
	say("No daemon runs, and no block is made until you ask for one. In another terminal:\n\n  . %s\n  legate run -c %s\n\nCtrl-C ends the chain.",
		shell, filepath.Join(w.dir, "legate.yaml"))
	<-ctx.Done()
	return nil
}

// stageText names what is on the chain, and has one function for the shell: a JSON-RPC call.
func (w *demoWorld) stageText(discord string) string {
	harbor := w.daos["harbor"]
	var b strings.Builder
	b.WriteString("# What stands on the demo's chain. A shell reads this file: . stage.sh\n")
	for _, v := range []struct {
		name  string
		value any
		what  string
	}{
		{"DIR", w.dir, "the demo's files"},
		{"RPC", w.chain.HTTP(), "JSON-RPC of the chain"},
		{"DISCORD", discord, "the stand-in; a browser shows its channel"},
		{"WEBHOOK", w.discord, "its webhook"},
		{"GOVERNOR", "eip155:" + w.chain.ChainID().String() + ":" + harbor.Governor.Hex(), "of harbor, which counts in blocks"},
		{"TOKEN", harbor.Token.Hex(), "HRB, the governance token"},
		{"STABLE", harbor.Stable.Hex(), "USDX"},
		{"TREASURY", harbor.Treasury.Hex(), "of harbor, beside its timelock"},
		{"MARKET", harbor.Market.Hex(), "the lending market"},
		{"ORACLE", harbor.Oracle.Hex(), "its prices, 18 decimals; setPrice(address,uint256) is 00e4768b"},
		{"HOLDER", devchain.Address(accountHolder).Hex(), "has 60,000 HRB; its votes are delegated to the demo's voting key"},
		{"OWNER", devchain.Address(accountDeployer).Hex(), "may set prices"},
	} {
		fmt.Fprintf(&b, "%s=%s # %s\n", v.name, quoted(fmt.Sprint(v.value)), v.what)
	}
	b.WriteString(`
# rpc METHOD PARAMS: one call, such as: rpc anvil_mine '[5]'. All accounts of eth_accounts can send.
rpc() { curl -s -H 'content-type: application/json' -d "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"$1\",\"params\":$2}" "$RPC"; echo; }
# word ADDRESS|NUMBER: an argument of a call, 32 bytes of hex.
word() { case "$1" in 0x*) printf %64s "${1#0x}" | tr ' ' 0;; *) printf %064x "$1";; esac; }
`)
	return b.String()
}

// quoted is a word that a shell takes as it is.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
