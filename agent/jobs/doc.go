// Package jobs is the only driver of the pipeline: one step of one proposal is one durable River job. It
// loads the records, folds them, asks [dossier.Next] whether the step is still owed, lets the agent do it,
// and in one transaction appends the events, enqueues what follows and completes the job.
//
// A writer that loses on the sequence number folds the new records and appends the result that it has, if
// it still belongs; it does not do the step again. Heads wake it; so does a record that another process
// wrote. A cron schedule of robfig/cron sweeps when heads stop, and a scheduled job for each open proposal
// watches its deadline.
package jobs
