package chains

import (
	"errors"
	"fmt"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// ErrGap says that two batches do not join: blocks between them may not have been read.
var ErrGap = errors.New("batches do not join")

// Coverage folds batches into the range of blocks that they prove to have been read. The zero value has
// read nothing.
type Coverage struct {
	begun bool
	at    gov.Cursor
}

// Add joins the next batch. The error is [ErrGap] where it does not begin at the block where the last one
// ended, moves the start, or goes back without saying so.
func (c Coverage) Add(b dossier.Batch) (Coverage, error) {
	gap := func(what string) (Coverage, error) {
		return c, fmt.Errorf("%w: %s: from block %d to %d, after block %d", ErrGap, what, b.From.Block.Number, b.To.Block.Number, c.at.Block.Number)
	}
	if c.begun && (b.From.Block != c.at.Block || b.From.From != c.at.From || b.From.Chain != c.at.Chain) {
		return gap("it begins elsewhere")
	}
	if c.begun && b.To.From != c.at.From {
		return gap("it moves the first block")
	}
	base := b.From.Block
	if b.Rewound != nil {
		if b.Rewound.Number > base.Number {
			return gap("it goes back to a later block")
		}
		base = *b.Rewound
	}
	if b.To.Block.Number < base.Number || b.To.Block.Number == base.Number && b.To.Block != base && base.Hash != (gov.Hash{}) {
		return gap("it ends before it begins")
	}
	if b.To.Final.Number > b.To.Block.Number {
		return gap("its final block is above its last")
	}
	if err := linked(b); err != nil {
		return c, err
	}
	return Coverage{true, b.To}, nil
}

// linked checks that the recent blocks ascend to the cursor, and that none between the final block and it is
// missing.
func linked(b dossier.Batch) error {
	if b.To.Block.Hash == (gov.Hash{}) {
		return nil
	}
	if len(b.Recent) == 0 || b.Recent[len(b.Recent)-1] != b.To.Block {
		return fmt.Errorf("%w: the recent blocks do not end at block %d", ErrGap, b.To.Block.Number)
	}
	for i := len(b.Recent) - 1; i > 0; i-- {
		above, under := b.Recent[i], b.Recent[i-1]
		if under.Number >= above.Number || above.Number > b.To.Final.Number && under.Number+1 != above.Number {
			return fmt.Errorf("%w: recent block %d stands before %d", ErrGap, under.Number, above.Number)
		}
	}
	return nil
}

// Range is the first and the last block that were read; ok is false when none was.
func (c Coverage) Range() (from, to uint64, ok bool) {
	return c.at.From, c.at.Block.Number, c.begun && read(c.at)
}
