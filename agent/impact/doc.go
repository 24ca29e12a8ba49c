// Package impact says what calls mean. [Meanings] is the one table of signatures that the program understands: which
// arguments are payer, recipient, asset, amount, right, and where further calls lie. Everything that interprets a
// signature reads it; a function that it does not have is opaque, and nothing opaque is voted for.
//
// The package is pure and sees content facts only.
package impact
