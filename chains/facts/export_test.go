package facts

import "github.com/legate-dao/legate/agent/gov"

// DecodeKnown says whether an action's call or one inside it is known, without looking up names to show.
func DecodeKnown(a gov.Action, o Options) (bool, error) {
	d := &decoder{Options: o, quiet: true}
	c, err := d.call(inner{to: a.To, value: a.Value, data: a.Calldata.Bytes()}, "0", 0, true)
	if err != nil {
		return false, err
	}
	for _, l := range gov.Leaves([]gov.Call{c}) {
		if l.Call.Known {
			return true, nil
		}
	}
	return c.Known, nil
}
