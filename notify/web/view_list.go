package web

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// frame is what every page has around its content.
type frame struct {
	Title    string
	Revision string // of what is shown; the script asks for a newer one
	Banners  []banner
	Foot     *foot
	Said     string // what a change of this page is told as
	Bare     bool   // without navigation: before a login
}

// banner is something about the whole program that a person should know before reading on.
type banner struct {
	Look string // bad, warn, info
	Text string
	More string
}

type foot struct {
	Program string
	Key     string
	Model   string
	Chains  []footChain
	Files   []footFile
}

type footFile struct {
	Name string
	When *moment
}

type footChain struct {
	Name string
	Head string
	When *moment
}

// listView is the page of all proposals.
type listView struct {
	frame
	Filters []filter
	Groups  []groupView
	Empty   string // why there is nothing, where there is nothing
	Hint    string
}

type filter struct {
	Name    string
	Link    string
	Count   int
	Current bool
}

type groupView struct {
	Name  string
	Title string
	Rows  []row
	More  int // that are not listed
	Link  string
	Older string
	Newer string
}

// row is one proposal of a list.
type row struct {
	Key      string
	Link     string
	Handle   string
	Title    string
	State    string
	Decision badge
	Standing string
	Waiting  bool
	Found    []badge
	Clean    bool
	Ends     *moment
	Over     bool
}

// Said is what is told aloud when the row changes.
func (r row) Said() string { return r.Handle + ": " + r.Standing + ", " + r.State }

// The filters of the list, by the value of `show`.
const (
	showAll     = ""
	showWaiting = "waiting"
	showOpen    = "open"
	showOver    = "over"
)

// Rows of one page of what is over, and how many of them the first page shows.
const (
	pageRows  = 100
	firstRows = 25
)

func pageFrame(title, revision string, s Status, now time.Time) frame {
	s.sort()
	f := frame{Title: title, Revision: revision, Banners: banners(s), Foot: &foot{Program: s.Program, Model: "none"}}
	if s.Key != nil {
		f.Foot.Key = s.Key.Hex()
	}
	if s.Model != nil {
		f.Foot.Model = dossier.Untrusted(*s.Model).Line(80)
	}
	for _, c := range s.Chains {
		f.Foot.Chains = append(f.Foot.Chains, footChain{c.Chain.String(), fmt.Sprint(c.Head.Number), at(c.Head.Time, now)})
	}
	for _, t := range s.Files {
		f.Foot.Files = append(f.Foot.Files, footFile{t.Kind + " of " + string(t.Governor), at(gov.UnixTime(t.Modified.Unix()), now)})
	}
	return f
}

func banners(s Status) []banner {
	var out []banner
	if s.Disk != "" {
		out = append(out, banner{"bad", "Nothing can be written.", dossier.Untrusted(s.Disk).Line(600)})
	}
	if s.Frozen.Or(false) {
		out = append(out, banner{"bad", "All signing is frozen.", "Proposals are followed and decided; no vote is signed until it is thawed."})
	}
	out = append(out, alarmBanners(s)...)
	if len(s.Chains) == 0 {
		out = append(out, banner{"warn", "No chain is followed yet.", ""})
	}
	for _, c := range s.Chains {
		if c.Followed {
			continue
		}
		b := banner{"warn", fmt.Sprintf("%s is not followed to its head.", c.Chain), fmt.Sprintf("Block %d was read last; what is shown may be old.", c.Head.Number)}
		if c.Error != "" {
			b.More += " The endpoint says: “" + c.Error.Line(300) + "”"
		}
		out = append(out, b)
	}
	if !s.Live {
		out = append(out, banner{"info", "Not live.", "Votes are decided and shown here; none is sent."})
	}
	return out
}

// clockOf is now as a chain has it: wall time, or the head's where the chain is ahead, as one whose time was moved on.
func clockOf(s Status, chain gov.ChainID, wall time.Time) time.Time {
	for _, c := range s.Chains {
		if c.Chain == chain && c.Head.Time.Time().After(wall) {
			return c.Head.Time.Time()
		}
	}
	return wall
}

func rowOf(p dossier.Summary, now time.Time) row {
	over := p.State.Over() || p.Stage == dossier.AtClosed
	r := row{
		Key: p.ID.String(), Link: pathOf(p.Handle), Handle: p.Handle, Title: titleOf(p.Title), State: stateWord(p.State),
		Decision: directionBadge(shownDirection(p.Final, p.Vote)), Ends: at(p.EndsAt, now), Over: over,
	}
	r.Standing, r.Waiting = standing(p.Final, p.Vote, over)
	if n := p.Findings; n != nil {
		for _, c := range []struct {
			n    int
			look string
			word string
		}{{n.Critical, "bad", "critical"}, {n.Warning, "warn", "warning"}, {n.Info, "info", "note"}} {
			switch {
			case c.n == 0, c.word == "note" && len(r.Found) > 0: // beside something grave a note is noise
			case c.word == "critical":
				r.Found = append(r.Found, badge{c.look, fmt.Sprintf("%d critical", c.n)})
			default:
				r.Found = append(r.Found, badge{c.look, plural(c.n, c.word)})
			}
		}
		r.Clean = len(r.Found) == 0
	}
	return r
}

// titleOf is a title in one inert line. An empty one has words of ours.
func titleOf(u dossier.Untrusted) string {
	if t := u.Line(shownTitle); t != "" {
		return t
	}
	return "(no title)"
}

// pathOf is the page of a proposal.
func pathOf(handle string) string {
	parts := strings.Split(handle, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return "/p/" + strings.Join(parts, "/")
}

// fill sorts proposals into the groups of the page that show names.
func (v *listView) fill(list []dossier.Summary, s Status, show string, page int, wall time.Time) {
	list = slices.Clone(list)
	var waiting, open, over []row
	byEnd := func(a, b dossier.Summary) int {
		ends := func(p dossier.Summary) gov.UnixTime {
			if p.EndsAt == 0 {
				return 1 << 62
			}
			return p.EndsAt
		}
		return cmp.Or(cmp.Compare(ends(a), ends(b)), cmp.Compare(a.Handle, b.Handle))
	}
	slices.SortStableFunc(list, byEnd)
	for _, p := range list {
		r := rowOf(p, clockOf(s, p.ID.Chain, wall))
		switch {
		case r.Waiting:
			waiting = append(waiting, r)
		case r.Over:
			over = append(over, r)
		default:
			open = append(open, r)
		}
	}
	slices.Reverse(over) // the newest end first
	v.Filters = []filter{
		{"All", "/", len(list), show == showAll},
		{"Waiting for you", "/?show=waiting", len(waiting), show == showWaiting},
		{"Open", "/?show=open", len(waiting) + len(open), show == showOpen},
		{"Over", "/?show=over", len(over), show == showOver},
	}
	add := func(name, title string, rows []row) {
		if len(rows) > 0 {
			v.Groups = append(v.Groups, groupView{Name: name, Title: title, Rows: rows})
		}
	}
	if show != showOver {
		add("waiting", "Waiting for you", waiting)
	}
	if show == showAll || show == showOpen {
		add("open", "Open", open)
	}
	switch show {
	case showAll:
		n := min(len(over), firstRows)
		add("over", "Over", over[:n])
		if more := len(over) - n; more > 0 {
			v.Groups[len(v.Groups)-1].More, v.Groups[len(v.Groups)-1].Link = more, "/?show=over"
		}
	case showOver:
		v.addOver(over, page)
	}
	v.say(show, len(list))
}

func (v *listView) addOver(over []row, page int) {
	pages := max(1, (len(over)+pageRows-1)/pageRows)
	page = min(max(page, 1), pages)
	rows := over[(page-1)*pageRows : min(len(over), page*pageRows)]
	if len(rows) == 0 {
		return
	}
	g := groupView{Name: "over", Title: "Over", Rows: rows}
	if page > 1 {
		g.Newer = fmt.Sprintf("/?show=over&page=%d", page-1)
	}
	if page < pages {
		g.Older = fmt.Sprintf("/?show=over&page=%d", page+1)
	}
	v.Groups = append(v.Groups, g)
}

// say fills in what stands where there is nothing to list.
func (v *listView) say(show string, all int) {
	if len(v.Groups) > 0 {
		return
	}
	switch {
	case all == 0:
		v.Empty, v.Hint = "No proposal has been seen yet.", "They appear here by themselves, minutes after they are on chain."
	case show == showWaiting:
		v.Empty, v.Hint = "Nothing waits for you.", "A proposal comes here when the policy holds it for a person."
	case show == showOpen:
		v.Empty, v.Hint = "No vote is open.", ""
	default:
		v.Empty, v.Hint = "Nothing is over yet.", ""
	}
}
