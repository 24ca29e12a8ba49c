package gov

// CheckName is the name by which policies call a check, such as outflow.
type CheckName string

// CheckID is the number of a detector, such as D5.
type CheckID string

// Finding is what one check says of the facts.
type Finding struct {
	ID       CheckID    `json:"id"`
	Name     CheckName  `json:"name"`
	Severity Severity   `json:"severity"`
	Class    Class      `json:"class"`
	Status   Status     `json:"status"`
	Title    string     `json:"title"` // composed by the check from facts and labels
	Evidence []Evidence `json:"evidence"`
	Remedy   string     `json:"remedy"`
}

// Evidence is one thing that a finding points at.
type Evidence struct {
	What    string  `json:"what"` // composed by the check
	Account Address `json:"account"`
	Call    []int   `json:"call"` // path of the call in the tree, empty if none
}
