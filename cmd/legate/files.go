package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/notify/web"
)

// file is a table of the operator's as it was read at the start: book or prices. It is not read again while the daemon
// runs, since a change of it changes decisions; that it changed, and that prices are old, is told.
type file struct {
	governor gov.Label
	kind     string // book, prices
	path     string
	modified time.Time
	size     int64
	digest   string // hex of its SHA-256
	read     time.Time
}

// filesOf notes a governor's tables as they are now.
func (c Config) filesOf(g GovernorConfig) (out []file) {
	for _, f := range []file{{kind: "book", path: g.Book}, {kind: "prices", path: g.Prices}} {
		if f.path == "" {
			continue
		}
		f.governor, f.path, f.read = gov.Label(g.Name), c.file(f.path), time.Now()
		if info, err := os.Stat(f.path); err == nil {
			f.size = info.Size()
		}
		f.modified, f.digest, _ = stamp(f.path) // a file that cannot be read stops the start right after this
		out = append(out, f)
	}
	return out
}

// stamp is when a file was written last and what is in it.
func stamp(path string) (modified time.Time, digest string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return modified, "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return modified, "", err
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return modified, "", err
	}
	return info.ModTime(), hex.EncodeToString(h.Sum(nil)), nil
}

// changed gives the digest of what stands on the disk now where that is another; "gone" where there is nothing.
func (f file) changed() (digest string, changed bool) {
	if info, err := os.Stat(f.path); err == nil && info.ModTime().Equal(f.modified) && info.Size() == f.size {
		return f.digest, false // written neither later nor longer: not read whole at every look
	}
	_, now, err := stamp(f.path)
	if err != nil {
		return "gone", true
	}
	return now, now != f.digest
}

// old says whether prices are older than what counts as up to date.
func (f file) old(now time.Time) bool { return f.kind == "prices" && now.Sub(f.modified) > oldPrices }

// age is how long ago it was written, in words.
func (f file) age(now time.Time) string { return ageText(now.Sub(f.modified)) }

func ageText(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return "just now"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes old", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours old", int(d.Hours()))
	}
	return fmt.Sprintf("%d days old", int(d.Hours()/24))
}

// stampText says how old a table is and what is in it.
func stampText(path string) string {
	modified, digest, err := stamp(path)
	if err != nil {
		return "it cannot be read"
	}
	return fmt.Sprintf("written %s UTC (%s), sha256 %.16s…; a daemon reads it at its start only", modified.UTC().Format(time.DateTime), ageText(time.Since(modified)), digest)
}

// shown is the file as the status has it.
func (f file) shown(now time.Time) web.File {
	_, changed := f.changed()
	return web.File{
		Governor: f.governor, Kind: f.kind, File: filepath.Base(f.path), Modified: f.modified.UTC().Truncate(time.Second), Age: max(now.Sub(f.modified).Seconds(), 0),
		Digest: f.digest, Read: f.read.UTC().Truncate(time.Second), Old: f.old(now), Changed: changed,
	}
}

// files are the tables of all governors, in the order of the configuration.
func (w *world) files() (out []file) {
	for _, c := range w.conf.Governors {
		id := gov.ProposalID{Chain: gov.ChainID(c.Address.Chain.ID()), Governor: gov.Address(c.Address.Address.Address)}
		if g := w.watched[id]; g != nil {
			out = append(out, g.files...)
		}
	}
	return out
}

// filesEvery is how often the tables are looked at.
const filesEvery = time.Minute

// watchFiles tells of tables that changed on the disk, and of prices that are old, each once.
func (a *alerting) watchFiles(ctx context.Context) {
	for ctx.Err() == nil {
		a.lookAtFiles(ctx, time.Now())
		t := time.NewTimer(filesEvery)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
	}
}

func (a *alerting) lookAtFiles(ctx context.Context, now time.Time) {
	for _, f := range a.world.files() {
		name := fmt.Sprintf("%s of %s (%s)", f.kind, f.governor, filepath.Base(f.path))
		read := "Read at the start, " + f.read.UTC().Format(time.DateTime) + " UTC."
		if digest, changed := f.changed(); changed {
			a.raiseOnce(ctx, dossier.OnceAlert(gov.Warning, "changed/"+f.path+"/"+f.digest+"/"+digest, "the "+name+" changed on the disk since the start",
				[]string{"The daemon goes on with what it read. Restart it to use the file.", read}, now))
		}
		if f.old(now) {
			a.raiseOnce(ctx, dossier.OnceAlert(gov.Warning, "old/"+f.path+"/"+f.digest, "the "+name+" are "+f.age(now),
				[]string{"Facts in USD are computed with them. Bring the file up to date, and restart.", read}, now))
		}
	}
}

// raiseOnce stores an alert that is told once.
func (a *alerting) raiseOnce(ctx context.Context, alert dossier.Alert) {
	fresh, err := a.outbox.Raise(ctx, alert)
	if err != nil && ctx.Err() == nil {
		a.log.Error("could not store an alert", "error", err)
	}
	if fresh {
		a.log.Warn(alert.Title)
		a.router.Wake()
	}
}
