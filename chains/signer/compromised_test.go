package signer_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/legate-dao/legate/agent/approval"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/signer"
)

// grounds demands that a vote that was signed follows from the facts shown, or from the holder's own hand.
func grounds(t testing.TB, w *world, i gov.Intent) {
	t.Helper()
	c, d := i.Case, i.Ballot.Support.Direction()
	if gov.ContentHash(c.Proposal.Actions, c.Proposal.DescriptionHash) != c.Proposal.ContentHash || c.Proposal.ID != i.Ballot.Proposal {
		t.Fatalf("signed on other content")
	}
	if c.Holder.Name != "alice" || i.Ballot.Proposal.Governor != governor || i.Ballot.Proposal.Chain != 1 {
		t.Fatalf("signed for %+v at %s", c.Holder, i.Ballot.Proposal)
	}
	v := w.set.Decide(c)
	age := w.at.Sub(c.Facts.At.Time.Time())
	stands := i.Standing && d == gov.Against && v.Direction == gov.Against
	if age < -2*time.Minute || age > 30*time.Minute && !stands {
		t.Fatalf("signed on facts %s old", age)
	}
	if a := i.Approval; a != nil {
		if err := approval.Verify(*a, []gov.Address{addressOf(w.holder)}, c.Proposal, basisOf(t, c), gov.UnixTime(w.at.Unix())); err != nil || a.Support != i.Ballot.Support {
			t.Fatalf("signed on an answer %s for a ballot %s: %v", a.Support, i.Ballot.Support, err)
		}
		return
	}
	timeOut := v.Timely() && d == gov.Against && !w.at.Before(c.Proposal.EndsAt.Time().Add(-12*time.Hour)) && c.Proposal.EndsAt != 0
	if v.Direction != d && !timeOut {
		t.Fatalf("signed %s where the policy says %s", d, v.Direction)
	}
	if d == gov.For && i.Gate.Result != gov.GatePass {
		t.Fatalf("signed a for that the gate held")
	}
}

// maybes are the places of all facts that may be missing.
func maybes(v reflect.Value, out []reflect.Value) []reflect.Value {
	if strings.HasPrefix(v.Type().Name(), "Maybe[") {
		return append(out, v)
	}
	if v.Kind() == reflect.Struct {
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				out = maybes(v.Field(i), out)
			}
		}
	}
	return out
}

// tricks are what an evaluator that was taken over may try, alone and together.
var tricks = map[string]func(t *rapid.T, tt *testing.T, w *world, i *gov.Intent){
	"support": func(t *rapid.T, _ *testing.T, _ *world, i *gov.Intent) {
		i.Ballot.Support = gov.Support(rapid.Uint8Range(0, 3).Draw(t, "support"))
	},
	"leave facts out": func(t *rapid.T, _ *testing.T, _ *world, i *gov.Intent) {
		all := maybes(reflect.ValueOf(&i.Case.Facts).Elem(), nil)
		for range rapid.IntRange(1, 5).Draw(t, "missing") {
			all[rapid.IntRange(0, len(all)-1).Draw(t, "fact")].SetZero()
		}
	},
	"move the facts in time": func(t *rapid.T, _ *testing.T, _ *world, i *gov.Intent) {
		i.Case.Facts.At.Time = gov.UnixTime(now.Unix() + rapid.Int64Range(-7200, 3600).Draw(t, "time"))
	},
	"standing":   func(_ *rapid.T, _ *testing.T, _ *world, i *gov.Intent) { i.Standing = true },
	"gate":       func(_ *rapid.T, _ *testing.T, _ *world, i *gov.Intent) { i.Gate.Result = gov.GateHold },
	"other rule": func(_ *rapid.T, _ *testing.T, _ *world, i *gov.Intent) { i.Ballot.Reason.Rule = "small-grant" },
	"the rule said": func(_ *rapid.T, _ *testing.T, w *world, i *gov.Intent) {
		i.Ballot.Reason.Rule = w.set.Decide(i.Case).Rule
	},
	"end soon": func(_ *rapid.T, _ *testing.T, _ *world, i *gov.Intent) {
		i.Case.Proposal.EndsAt = gov.UnixTime(now.Unix() + 3600)
	},
	"other governor": func(_ *rapid.T, _ *testing.T, _ *world, i *gov.Intent) {
		i.Ballot.Proposal.Governor, i.Case.Proposal.ID.Governor, i.Case.Facts.DAO.Governor = stranger, stranger, stranger
	},
	"other holder": func(_ *rapid.T, _ *testing.T, _ *world, i *gov.Intent) {
		i.Case.Holder = gov.Holder{Name: "bob", Account: gov.Address{19: 0xb0}}
	},
	"other action": func(_ *rapid.T, _ *testing.T, _ *world, i *gov.Intent) {
		i.Case.Proposal.Actions[0].Value = gov.NewAmount(7)
	},
	"consistent hash": func(_ *rapid.T, _ *testing.T, _ *world, i *gov.Intent) {
		i.Case.Proposal.ContentHash = gov.ContentHash(i.Case.Proposal.Actions, i.Case.Proposal.DescriptionHash)
	},
	"forged answer": func(_ *rapid.T, tt *testing.T, w *world, i *gov.Intent) {
		answered(tt, i, testKey(tt, "stranger"), i.Ballot.Support%3)
		i.Approval.Approver = addressOf(w.holder)
	},
	"stolen answer": func(_ *rapid.T, tt *testing.T, w *world, i *gov.Intent) {
		other := w.intent(tt, burns)
		answered(tt, &other, w.holder, gov.SupportFor)
		i.Approval, i.Ballot.Reason.By = other.Approval, gov.ByHolder
	},
	"true answer": func(t *rapid.T, tt *testing.T, w *world, i *gov.Intent) {
		answered(tt, i, w.holder, gov.Support(rapid.Uint8Range(0, 2).Draw(t, "answer")))
	},
	"fee": func(t *rapid.T, _ *testing.T, _ *world, i *gov.Intent) {
		i.Tx.FeeCap = gov.NewAmount(rapid.Uint64().Draw(t, "fee"))
	},
	"gas": func(t *rapid.T, _ *testing.T, _ *world, i *gov.Intent) { i.Tx.Gas = rapid.Uint64().Draw(t, "gas") },
	"stand on the facts shown": func(_ *rapid.T, tt *testing.T, _ *world, i *gov.Intent) {
		record(tt, i)
	},
}

// names of the tricks in the order in which they work best together: the last three make the rest consistent.
var names = []string{
	"support", "leave facts out", "move the facts in time", "standing", "gate", "end soon", "other governor", "other holder", "other action", "consistent hash",
	"forged answer", "stolen answer", "true answer", "other rule", "the rule said", "fee", "gas", "stand on the facts shown",
}

// TestG05CompromisedEvaluator plays an evaluator that was taken over: whatever it combines, each signature
// that it gets is a vote that the policy gives on fresh facts that it showed, or that the holder signed.
func TestG05CompromisedEvaluator(t *testing.T) {
	const n = 1500
	if err := flag.Set("rapid.checks", fmt.Sprint(n)); err != nil {
		t.Fatal(err)
	}
	w := build(t)
	tried, got := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		w.at = now
		base := rapid.SampledFrom([]func(*gov.Facts){nil, mints, burns, toEOA, blind}).Draw(rt, "facts")
		i := w.intent(t, base)
		used := rapid.SliceOfNDistinct(rapid.IntRange(0, len(names)-1), 0, 4, rapid.ID).Draw(rt, "tricks")
		for k, name := range names {
			for _, u := range used {
				if u == k {
					tricks[name](rt, t, w, &i)
				}
			}
		}
		if len(used) > 0 && rapid.Bool().Draw(rt, "consistent") {
			record(t, &i)
			if i.Approval == nil {
				i.Ballot.Reason.Rule = w.set.Decide(i.Case).Rule
			}
		}
		tried++
		v, err := w.Sign(t.Context(), i)
		if err != nil {
			if v.Raw.Len() != 0 {
				rt.Fatalf("an error and a signature: %v", err)
			}
			return
		}
		got++
		check(t, w, i, v)
		grounds(t, w, i)
	})
	if got == 0 {
		t.Error("nothing was ever signed: the test shows nothing")
	}
	t.Logf("n=%d intents, %d rightly signed, 0 wrongly", tried, got)
}

// FuzzIntent feeds the decoder what a stranger on the socket might: each signature is one that the policy
// gives on the facts decoded.
func FuzzIntent(f *testing.F) {
	w := build(f)
	for _, c := range []func(*gov.Facts){nil, mints, burns, toEOA} {
		raw, err := json.Marshal(w.intent(f, c))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	held := w.intent(f, burns)
	answered(f, &held, w.holder, gov.SupportFor)
	raw, err := json.Marshal(held)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		i, err := signer.DecodeIntent(raw)
		if err != nil {
			return
		}
		v, err := w.Sign(t.Context(), i)
		if err != nil {
			return
		}
		check(t, w, i, v)
		grounds(t, w, i)
	})
}
