package signer

import (
	"fmt"
	"io"
	"log/slog"
	"strconv"
)

// Whatever a person or a log asks of these types, they say who they are and nothing that they hold.

const redacted = "[redacted]"

// String is [redacted].
func (Passphrase) String() string { return redacted }

// GoString is [redacted] in quotes.
func (Passphrase) GoString() string { return strconv.Quote(redacted) }

// Format prints [redacted] whatever the verb.
func (Passphrase) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalText is [redacted], also for JSON.
func (Passphrase) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue is [redacted].
func (Passphrase) LogValue() slog.Value { return slog.StringValue(redacted) }

func (k *keystoreKey) String() string               { return "key of " + k.addr.Hex() }
func (k *keystoreKey) Format(f fmt.State, _ rune)   { io.WriteString(f, k.String()) }
func (k *keystoreKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
func (k *keystoreKey) LogValue() slog.Value         { return slog.StringValue(k.String()) }

// String names the key by its address.
func (v *voter) String() string { return "signer of " + v.Address().Hex() }

// Format prints String whatever the verb.
func (v *voter) Format(f fmt.State, _ rune) { io.WriteString(f, v.String()) }

// MarshalText is String.
func (v *voter) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// LogValue is String.
func (v *voter) LogValue() slog.Value { return slog.StringValue(v.String()) }

// String names the key by its address.
func (a *Approver) String() string { return "approver " + a.Address().Hex() }

// Format prints String whatever the verb.
func (a *Approver) Format(f fmt.State, _ rune) { io.WriteString(f, a.String()) }

// LogValue is String.
func (a *Approver) LogValue() slog.Value { return slog.StringValue(a.String()) }
