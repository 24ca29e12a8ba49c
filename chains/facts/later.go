package facts

import (
	"context"

	"github.com/legate-dao/legate/agent/gov"
)

// bridge is not in this release: calls to other chains are found (kind bridge), their payloads are not decoded.
func bridge(_ context.Context, g *gathering) {
	g.missing("bridge.chains", gov.NotInRelease, gov.Address{})
	g.missing("bridge.undecoded", gov.NotInRelease, gov.Address{})
}

// lookalikes are not in this release.
func lookalikes(_ context.Context, g *gathering) {
	g.missing("lookalikes", gov.NotInRelease, gov.Address{})
}
