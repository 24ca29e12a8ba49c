// Package agent does the steps that a proposal is owed, one method a stage, over the interfaces that it
// needs. It has no loop: package jobs asks [dossier.Next] and calls [Agent.Do] for one step of one
// proposal, then stores the events that come back. What to do next is never decided here.
package agent
