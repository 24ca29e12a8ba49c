package strict

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Secret is a reference to a secret: env:NAME, file:PATH or credential:NAME (a systemd credential). However it is
// printed, only the reference shows.
type Secret struct {
	ref     string
	literal *string // behind a pointer, so that a struct that holds a Secret does not print it
}

// Private is a Secret that may also be written out in the file, such as an endpoint's address. What was written out
// prints as [redacted].
type Private struct{ Secret }

const (
	secretPattern = `^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|credential:[^/]+)$`
	secretForms   = "env:NAME, file:PATH or credential:NAME"
	redacted      = "[redacted]"
	maxSecret     = 64 << 10 // bytes of a secret's file
)

// ErrNoSecret is returned by Resolve of a Secret that was not given.
var ErrNoSecret = errors.New("no secret is given")

// ParseSecret reads a reference.
func ParseSecret(text string) (Secret, error) {
	var s Secret
	err := s.ParseStrict(text)
	return s, err
}

// ParsePrivate reads a reference or a value.
func ParsePrivate(text string) (Private, error) {
	var p Private
	err := p.ParseStrict(text)
	return p, err
}

// ParseStrict reads a reference. Its errors do not repeat the text, which may be a secret by mistake.
func (s *Secret) ParseStrict(text string) error {
	scheme, rest, found := strings.Cut(text, ":")
	if !found || scheme != "env" && scheme != "file" && scheme != "credential" {
		return mistake(secretForms, "a secret is not written here, but where it is")
	}
	bad := rest == "" || strings.ContainsRune(rest, 0)
	switch scheme {
	case "env":
		bad = bad || strings.ContainsAny(rest, "= $/")
	case "credential":
		bad = bad || strings.ContainsAny(rest, `/\`) || rest == "." || rest == ".."
	}
	if bad {
		return mistake(secretForms, "the reference to a secret has no usable name")
	}
	*s = Secret{ref: text}
	return nil
}

// ParseStrict reads a reference or a value.
func (p *Private) ParseStrict(text string) error {
	if text == "" {
		return mistake(secretForms+", or the value itself", "there is no value here")
	}
	scheme, _, found := strings.Cut(text, ":")
	if found && (scheme == "env" || scheme == "file" || scheme == "credential") {
		return p.Secret.ParseStrict(text)
	}
	p.Secret = Secret{literal: &text}
	return nil
}

// IsZero says that none is given.
func (s Secret) IsZero() bool { return s.ref == "" && s.literal == nil }

// Resolve reads the secret, without the line break at its end. Relative paths are relative to dir. An unset or empty
// secret is an error.
func (s Secret) Resolve(dir string) (string, error) {
	if s.literal != nil {
		return *s.literal, nil
	}
	scheme, name, _ := strings.Cut(s.ref, ":")
	var value string
	var err error
	switch scheme {
	case "env":
		value = os.Getenv(name)
	case "file":
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		value, err = readSecret(name)
	case "credential":
		store := os.Getenv("CREDENTIALS_DIRECTORY")
		if store == "" {
			return "", fmt.Errorf("read %s: CREDENTIALS_DIRECTORY is not set: not started by systemd with LoadCredential", s.ref)
		}
		value, err = readSecret(filepath.Join(store, name))
	default:
		return "", ErrNoSecret
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", s.ref, err)
	}
	value = strings.TrimSuffix(strings.TrimSuffix(value, "\n"), "\r")
	if value == "" {
		return "", fmt.Errorf("read %s: it is empty or not set", s.ref)
	}
	return value, nil
}

func readSecret(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	if err == nil && len(text) > maxSecret {
		err = fmt.Errorf("it has more than %d bytes", maxSecret)
	}
	return string(text), err
}

// String is the reference, or [redacted].
func (s Secret) String() string {
	if s.literal != nil {
		return redacted
	}
	return s.ref
}

// GoString is String in quotes.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// Format prints String whatever the verb.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'q' || verb == 'v' && f.Flag('#') {
		io.WriteString(f, s.GoString())
		return
	}
	io.WriteString(f, s.String())
}

// MarshalText is String, also for JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue is String.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

func (s *Secret) hidden() bool { return s.literal != nil }

func (*Secret) describe() string { return "a reference to a secret" }
