package main

import (
	"context"
	"strings"

	"github.com/legate-dao/legate/agent/journal"
)

// aside says what the daemon could not deal with and goes on without.
func (d *doctor) aside(ctx context.Context, db *journal.DB) {
	list, err := db.AllAside(ctx)
	if err != nil {
		d.say("set aside", isWrong, "`legate journal fsck` looks closer", "%v", err)
		return
	}
	if len(list) == 0 {
		d.say("set aside", isFine, "", "nothing: the daemon deals with all that it has")
		return
	}
	is := isDoubtful
	var lines []string
	for _, a := range list {
		if a.Part != journal.AsideStep { // which is tried again, seldom
			is = isWrong
		}
		lines = append(lines, a.What+", since "+a.Since.Format("2006-01-02 15:04 UTC")+", tried "+count(int(a.Tries), "time")+": "+a.Why)
	}
	do := "look at these proposals and vote by hand where a vote is due; each is tried again when the daemon starts, so a newer version may mend it"
	d.say("set aside", is, do, "%s", strings.Join(lines, "\n"))
}
