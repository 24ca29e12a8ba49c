package gov

// fill makes empty lists of those that are nil, all the way down. Nobody can tell the two apart, and JSON
// makes null of one and [] of the other: without this, facts would have another digest after a round trip.
func (f *Facts) fill() {
	e := &f.Effects
	list(&e.Calls)
	list(&e.Logs)
	for i := range e.Logs {
		list(&e.Logs[i].Topics)
	}
	list(&e.BalanceDeltas)
	list(&e.Allowances)
	list(&e.StorageDiffs)
	list(&e.CodeChanges)
	list(&f.Treasury.Holdings)
	list(&f.DAO.Treasury)
	list(&f.Unavailable)
	list(&f.NotApplicable)
	if calls, ok := f.Calls.Get(); ok {
		fillCalls(&calls)
		f.Calls = Known(calls)
	}
	if impacts, ok := f.Impacts.Get(); ok {
		list(&impacts)
		f.Impacts = Known(impacts)
	}
	if foreign, ok := f.Foreign.Get(); ok {
		list(&foreign.Changed)
		list(&foreign.Booked)
		f.Foreign = Known(foreign)
	}
}

func fillCalls(calls *[]Call) {
	list(calls)
	for i := range *calls {
		list(&(*calls)[i].Args)
		fillCalls(&(*calls)[i].Children)
	}
}

func list[T any](l *[]T) {
	if *l == nil {
		*l = []T{}
	}
}
