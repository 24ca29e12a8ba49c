package main

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/chains/ledger"
	"github.com/legate-dao/legate/chains/signer"
	"github.com/legate-dao/legate/notify/web"
	"github.com/legate-dao/legate/policies/strict"
)

// minDisk is the free space below which the doctor warns: a full disk stops signing, since every vote is on
// disk before it is signed.
const minDisk = 1 << 30

// store opens the store as a command does.
func (d *doctor) store(ctx context.Context) {
	var err error
	if d.running, err = journal.Running(d.conf.Store, d.conf.dir()); err != nil {
		d.say("store", isWrong, "name a file on a local disk that this user may write, as sqlite:PATH", "%v", err)
		return
	}
	path := d.conf.file(strings.TrimPrefix(d.conf.Store, "sqlite:"))
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := writable(filepath.Dir(path)); err != nil {
			d.say("store", isWrong, "make the folder, and let this user write there", "%s is not there yet, and cannot be made: %v", path, err)
			return
		}
		d.say("store", isFine, "", "%s is not there yet; the first `legate run` makes it", path)
		return
	}
	db, err := journal.Open(ctx, d.conf.Store, d.conf.dir(), journal.Command)
	if err != nil {
		d.say("store", isWrong, "`legate journal fsck` looks closer; bring back a backup if the file is damaged", "%v", err)
		return
	}
	defer db.Close()
	list, err := db.Proposals(ctx)
	if err != nil {
		d.say("store", isWrong, "`legate journal fsck` looks closer; bring back a backup if the file is damaged", "%v", err)
		return
	}
	daemon := "no daemon runs on it"
	if d.running {
		daemon = "a daemon runs on it"
	}
	d.say("store", isFine, "", "%s: %s, %s", path, count(len(list), "proposal"), daemon)
	d.aside(ctx, db)
}

// writable says whether files can be made in a folder, without making one.
func writable(folder string) error {
	const write, search = 2, 1 // access(2)
	if err := syscall.Access(folder, write|search); err != nil {
		return &fs.PathError{Op: "write", Path: folder, Err: err}
	}
	return nil
}

// disk looks at the free space where store and ledger are.
func (d *doctor) disk() {
	folders := []string{d.conf.dir(), filepath.Dir(d.conf.file(strings.TrimPrefix(d.conf.Store, "sqlite:")))}
	if d.conf.Voter != nil {
		folders = append(folders, filepath.Dir(filepath.Clean(d.conf.file(d.conf.Voter.Ledger))))
	}
	least, where := uint64(1<<63), ""
	for _, folder := range folders {
		var s syscall.Statfs_t
		if err := syscall.Statfs(folder, &s); err != nil {
			d.say("disk", isWrong, "make the folder, and let this user read it", "look at the disk of %s: %v", folder, err)
			return
		}
		if free := uint64(s.Bavail) * uint64(s.Bsize); free < least { //nolint:unconvert // other systems have other types
			least, where = free, folder
		}
	}
	c, do := diskCondition(least)
	d.say("disk", c, do, "%.1f GiB free at %s", float64(least)/(1<<30), where)
}

func diskCondition(free uint64) (condition, string) {
	if free < minDisk {
		return isDoubtful, "make room: nothing is signed that cannot be written down first"
	}
	return isFine, ""
}

// key opens the voting key.
func (d *doctor) key(ctx context.Context) {
	v := d.conf.Voter
	if v == nil {
		d.say("key", isFine, "", "there is no voter: proposals are watched and decided, never voted on")
		return
	}
	self, err := addressOf(v.Key, d.conf)
	if err != nil {
		d.say("key", isWrong, "`legate keys new FILE` makes a key file, `legate keys import FILE` takes one over", "voter.key: %v", err)
		return
	}
	d.voter = self
	d.approvers(v.Approvers)
	pass, err := v.Passphrase.Resolve(d.conf.dir())
	switch {
	case errors.Is(err, strict.ErrNoSecret):
		d.say("key", isWrong, "give voter.passphrase as env:NAME, file:PATH or credential:NAME", "there is no voter.passphrase, so the key of %s cannot be opened", self)
		return
	case err != nil:
		d.say("key", isWrong, "put the passphrase where voter.passphrase says", "voter.passphrase: %v", err)
		return
	}
	hand, err := signer.OpenApprover(ctx, v.Key, signer.PassphraseOf(strings.TrimRight(pass, "\r\n")), d.conf.dir())
	switch {
	case err != nil:
		d.say("key", isWrong, "give the passphrase with which the file was made", "open the key of %s: %v", self, err)
	case hand.Address() != self:
		d.say("key", isWrong, "make the file again with `legate keys import`", "the key file says %s, but its key is %s", self, hand.Address())
	default:
		d.keyMode(v.Key, hand.Address().String())
	}
}

// keyMode warns of a key file that others may read.

// approvers looks who may answer a hold.
func (d *doctor) approvers(list []strict.Address) {
	var names []string
	for _, a := range list {
		if gov.Address(a.Address) == d.voter {
			d.say("approvers", isDoubtful, "list another key than the one that votes", "voter.approvers has the voting key itself: whoever has it can answer holds too")
			return
		}
		names = append(names, a.Hex())
	}
	if len(names) == 0 {
		d.say("approvers", isDoubtful, "put your own address there, with a key that you keep elsewhere", "voter.approvers is empty: nobody can answer a hold with `legate vote`")
		return
	}
	d.say("approvers", isFine, "", "a hold may be answered by %s", joined(names))
}

func (d *doctor) keyMode(ref, self string) {
	path := d.conf.file(strings.TrimPrefix(ref, "keystore:"))
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
		d.say("key", isDoubtful, "chmod 600 "+path, "the key of %s opens, but others than its owner may read its file (mode %o)", self, info.Mode().Perm())
		return
	}
	d.say("key", isFine, "", "votes as %s; its file and passphrase fit", self)
}

// ledger says what the first live run will do about it.
func (d *doctor) ledger(ctx context.Context) {
	v := d.conf.Voter
	if v == nil {
		return
	}
	folder := d.conf.file(v.Ledger)
	doc, err := fsckLedger(folder)
	if errors.Is(err, ledger.ErrMissing) {
		d.ledgerMissing(ctx, folder)
		return
	}
	const lost = "bring the ledger back, or `legate ledger import` an export; nothing is signed until then"
	if err != nil {
		d.say("ledger", isWrong, "let this user read "+folder, "%v", err)
		return
	}
	if doc.OK {
		if _, err := os.Stat(d.conf.file(strings.TrimPrefix(d.conf.Store, "sqlite:"))); err == nil {
			if err := doc.compare(ctx, d.conf.path); err != nil {
				d.say("ledger", isUnknown, "look at the store first", "%v", err)
				return
			}
		}
	}
	switch {
	case !doc.OK:
		d.say("ledger", isWrong, lost, "%s: %s", folder, strings.Join(doc.Problems, "; "))
	case doc.Voter != nil && !d.voter.IsZero() && *doc.Voter != d.voter:
		d.say("ledger", isWrong, "give each key a ledger of its own under voter.ledger", "%s belongs to %s, but the voting key is %s", folder, doc.Voter, d.voter)
	case doc.Frozen:
		d.say("ledger", isDoubtful, "`legate unfreeze` lets signing go on", "%s is frozen, nothing is signed: %s", folder, doc.Why)
	default:
		d.say("ledger", isFine, "", "%s is whole: %s on %s", folder, count(doc.Votes, "vote"), chainList(doc.Chains))
	}
}

// ledgerMissing: the first live run makes a ledger only for a key that the store has no vote of.
func (d *doctor) ledgerMissing(ctx context.Context, folder string) {
	if why, frozen := ledger.Frozen(folder); frozen {
		d.say("ledger", isDoubtful, "`legate unfreeze` lets signing go on", "%s is frozen, nothing is signed: %s", folder, why)
	}
	bound := 0
	if db, err := journal.Open(ctx, d.conf.Store, d.conf.dir(), journal.Command); err == nil {
		defer db.Close()
		v := voter{engine: &engine{db: db}, self: d.voter}
		list, err := v.bound(ctx)
		if err != nil {
			d.say("ledger", isUnknown, "look at the store first", "%v", err)
			return
		}
		bound = len(list)
	}
	if bound > 0 {
		d.say("ledger", isWrong, "bring it back, or `legate ledger import` an export; it is never made again over votes",
			"there is none at %s, but the store has %s of %s: it was lost, and nothing will be signed", folder, count(bound, "vote"), d.voter)
		return
	}
	d.say("ledger", isFine, "", "there is none at %s; the first live run makes it, unless an open proposal has a vote of the key on the chain", folder)
}

// web looks whether the API can listen.
func (d *doctor) web(ctx context.Context) {
	listen := d.conf.Web.Listen
	token := ""
	if !d.conf.Web.Token.IsZero() {
		var err error
		if token, err = d.conf.Web.Token.Resolve(d.conf.dir()); err != nil {
			d.say("web", isWrong, "put the token where web.token says", "web.token: %v", err)
			return
		}
	}
	if err := web.Guard(listen, token); err != nil {
		d.say("web", isWrong, "listen on 127.0.0.1, or give a web.token", "web.listen: %v", err)
		return
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	switch {
	case err == nil:
		l.Close()
		d.say("web", isFine, "", "%s is free", listen)
	case d.running && errors.Is(err, syscall.EADDRINUSE):
		d.say("web", isFine, "", "%s is in use, as it is while the daemon runs", listen)
	default:
		d.say("web", isWrong, "choose another port under web.listen", "web.listen: %v", err)
	}
}
