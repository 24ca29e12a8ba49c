package gov

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Place is where a part of a statement about a call is found: an argument by its number from 0, a component of the tuple
// that an argument is (see [PlaceField]), or one of the places below.
type Place int

// The places that are no arguments.
const (
	PlaceNone      Place = -1 - iota // nowhere
	PlaceTarget                      // the contract that is called
	PlaceCaller                      // who calls: the DAO's executor, or the wrapper around the call
	PlaceCoin                        // the chain's own coin
	PlaceSent                        // the coins that are sent along
	PlaceUnlimited                   // all there is
	PlaceEverybody                   // any account
	PlaceFirstWord                   // the first 32 bytes of the call's arguments
)

// placeWords are the places as people write them.
var placeWords = map[Place]string{
	PlaceNone: "none", PlaceTarget: "target", PlaceCaller: "caller", PlaceCoin: "native", PlaceSent: "value", PlaceUnlimited: "unlimited",
	PlaceEverybody: "everybody", PlaceFirstWord: "first_word",
}

// PlaceField is a component of the tuple that an argument is, or of each tuple of an array.
func PlaceField(arg, component int) Place { return Place(1000*(arg+1) + component) }

// Argument is the number of the argument, and of the component in it, -1 where it is the argument itself; ok is false for a
// place that is no argument.
func (p Place) Argument() (arg, component int, ok bool) {
	switch {
	case p < 0:
		return 0, -1, false
	case p >= 1000:
		return int(p)/1000 - 1, int(p) % 1000, true
	}
	return int(p), -1, true
}

// String is how people write the place: 1, 0.2, native.
func (p Place) String() string {
	arg, component, ok := p.Argument()
	switch {
	case !ok:
		return placeWords[p]
	case component < 0:
		return strconv.Itoa(arg)
	}
	return fmt.Sprintf("%d.%d", arg, component)
}

// MarshalText writes String.
func (p Place) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

var argumentForm = regexp.MustCompile(`^(0|[1-9][0-9]?)(?:\.(0|[1-9][0-9]?))?$`)

// UnmarshalText reads what MarshalText writes.
func (p *Place) UnmarshalText(b []byte) error {
	for place, word := range placeWords {
		if string(b) == word {
			*p = place
			return nil
		}
	}
	m := argumentForm.FindStringSubmatch(string(b))
	if m == nil {
		return fmt.Errorf("%.40q is no argument, such as 0 or 0.1, and none of native, value, unlimited, target, caller, everybody", b)
	}
	arg, _ := strconv.Atoi(m[1])
	*p = Place(arg)
	if strings.Contains(string(b), ".") {
		component, _ := strconv.Atoi(m[2])
		*p = PlaceField(arg, component)
	}
	return nil
}

// Meaning is what the operator's book adds to what the program knows of a function. Without statements and calls it says
// that somebody looked, and the function changes nothing that matters.
type Meaning struct {
	Says []Statement `json:"says,omitempty"`
	// Carries says that further calls lie in an argument; nil where none do.
	Carries *Carries `json:"carries,omitempty"`
}

// Statement is one thing that a function declares.
type Statement struct {
	Kind ImpactKind `json:"kind"`
	When When       `json:"when"`
	// The parts, [PlaceNone] where one is not said.
	From   Place `json:"from"`
	To     Place `json:"to"`
	Asset  Place `json:"asset"`
	ID     Place `json:"id"`
	Amount Place `json:"amount"`
	Role   Place `json:"role"`
	Target Place `json:"target"`
	// Each: the places are arrays, and each element is a statement of its own.
	Each bool `json:"each,omitempty"`
}

// Carries is where the calls lie that a function makes.
type Carries struct {
	At       Place `json:"at"`
	Deferred bool  `json:"deferred,omitempty"` // they run later, or never
}
