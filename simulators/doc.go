// Package simulators holds the Monte Carlo models, one a file: how a vote ends, what a treasury is worth and how long
// it lasts, how a token is diluted, what bad debt a lending market makes.
//
// Everything in it is a function of its arguments. It answers for what a path of a model means; package mc for chance,
// workers and errors of sampling; package fit for where a model's numbers come from (voters' habits, prices).
//
//	t := simulators.Treasury{Cash: 1_005_000, Flow: -10_000, Horizon: 365, Step: 1, Market: market}
//	out, err := t.Run(ctx, mc.Engine{Seed: 7, Paths: 200_000})
//
// An interval is of sampling alone. That a model is wrong, or its input, is in none of them.
package simulators
