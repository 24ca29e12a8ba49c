package strict_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/legate-dao/legate/policies/strict"
)

func TestDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"0s": 0, "4s": 4 * time.Second, "6h30m": 390 * time.Minute, "2d": 48 * time.Hour, "1d12h": 36 * time.Hour,
		"120s": 2 * time.Minute, "365d": 365 * 24 * time.Hour, "36500d": 36500 * 24 * time.Hour,
	} {
		got, err := strict.ParseDuration(text)
		if err != nil || got.Std() != want {
			t.Errorf("%s: %v %v", text, got, err)
		}
		if again, err := strict.ParseDuration(got.String()); err != nil || again != got {
			t.Errorf("%s is written %s", text, got)
		}
	}
	if got := strict.Duration(120 * time.Second).String(); got != "2m" {
		t.Errorf("got %s", got)
	}
	for _, text := range []string{"", "0", "1", "1.5h", "-1h", "1h 2m", "2m1h", "1w", "1H", "1ms", "36501d", "36500d1s", "99999999999999999999s", "h"} {
		if d, err := strict.ParseDuration(text); err == nil {
			t.Errorf("%q is %v", text, d)
		}
	}
}

func TestAmount(t *testing.T) {
	t.Parallel()
	const most = "115792089237316195423570985008687907853269984665640564039457584007913129639935"
	for text, want := range map[string]string{
		"0.01 ETH": "10000000000000000", "1 wei": "1", "200 gwei": "200000000000", "0.000000000000000001 ETH": "1", "0 ETH": "0",
		"1.000000000 gwei": "1000000000", "007 wei": "7", "1.50000000000000000000000 ETH": "1500000000000000000", most + " wei": most,
	} {
		got, err := strict.ParseAmount(text)
		if err != nil || got.Wei.Dec() != want {
			t.Errorf("%s: %v %v", text, got.Wei.Dec(), err)
		}
		if again, err := strict.ParseAmount(got.String()); err != nil || again != got {
			t.Errorf("%s is written %s", text, got)
		}
	}
	for _, text := range []string{"", "1", "1ETH", "1 eth", "1  ETH", "-1 ETH", ".5 ETH", "1e3 wei", "1. ETH", "0.1 wei", "0.0000000000000000001 ETH", most[:77] + "6 wei", most + " ETH"} {
		if a, err := strict.ParseAmount(text); err == nil {
			t.Errorf("%q is %v", text, a)
		}
	}
}

func TestChainAndAccount(t *testing.T) {
	t.Parallel()
	a, err := strict.ParseAccount("eip155:42161:0xc0Da02939E1441F497fd74F78cE7Decb17B66529")
	if err != nil || a.Chain.ID() != 42161 || a.String() != "eip155:42161:0xc0Da02939E1441F497fd74F78cE7Decb17B66529" {
		t.Errorf("got %v %v", a, err)
	}
	for _, text := range []string{"", "eip155", "eip155:0:0xc0Da02939E1441F497fd74F78cE7Decb17B66529", "eip155:1:", "eip155:1:0x12", "0xc0Da02939E1441F497fd74F78cE7Decb17B66529"} {
		if a, err := strict.ParseAccount(text); err == nil {
			t.Errorf("%q is %v", text, a)
		}
	}
}

func TestSecretNeverPrints(t *testing.T) {
	t.Parallel()
	p, err := strict.ParsePrivate("https://hunter2.example")
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		Open   strict.Private
		hidden strict.Private
		secret *strict.Secret
	}
	h := holder{p, p, &p.Secret}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "p", p, "h", h, "s", p.Secret)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "p", p, "h", h, "s", &p.Secret)
	text, err := json.Marshal([]any{h, p, map[string]any{"a": p.Secret}})
	if err != nil {
		t.Fatal(err)
	}
	all := log.String() + string(text)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		all += fmt.Sprintf(verb, p) + fmt.Sprintf(verb, h) + fmt.Sprintf(verb, &h) + fmt.Sprintf(verb, []strict.Secret{p.Secret})
	}
	if strings.Contains(all, "hunter2") || strings.Contains(all, "68756e746572") || !strings.Contains(all, "[redacted]") {
		t.Errorf("a secret shows: %s", all)
	}
	if s, err := strict.ParseSecret("hunter2"); err == nil || strings.Contains(err.Error(), "hunter2") || !s.IsZero() {
		t.Errorf("got %v %v", s, err)
	}
}

func TestSecretResolve(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a": "one\n", "empty": "\n", "big": strings.Repeat("x", 70000)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("LEGATE_TEST_SECRET", "two")
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	for ref, want := range map[string]string{
		"file:a": "one", "file:" + filepath.Join(dir, "a"): "one", "env:LEGATE_TEST_SECRET": "two", "credential:a": "one",
		"file:empty": "", "file:big": "", "file:none": "", "env:LEGATE_TEST_NONE": "", "credential:none": "",
	} {
		s, err := strict.ParseSecret(ref)
		if err != nil {
			t.Errorf("%s: %v", ref, err)
			continue
		}
		got, err := s.Resolve(dir)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q %v", ref, got, err)
		}
		if err != nil && !strings.Contains(err.Error(), ref) {
			t.Errorf("%s: the error does not name it: %v", ref, err)
		}
	}
	if _, err := (strict.Secret{}).Resolve(dir); !errors.Is(err, strict.ErrNoSecret) {
		t.Errorf("got %v", err)
	}
	for _, ref := range []string{"credential:../a", "env:", "file:", "env:A=B", "vault:x"} {
		if s, err := strict.ParseSecret(ref); err == nil {
			t.Errorf("%s is %v", ref, s)
		}
	}
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	known := []string{"vote", "when", "because", "against", "for"}
	for word, want := range map[string]string{
		"votte": "vote", "voet": "vote", "becuase": "because", "aginst": "against", "fro": "for", "When": "when", "x": "", "": "",
		"holdings": "", "vote": "", strings.Repeat("vote", 1000): "",
	} {
		if got := strict.Suggest(word, known); got != want {
			t.Errorf("%.20s: %q, want %q", word, got, want)
		}
	}
}

// The schema and Read agree on these files; on others the schema may be more lenient, never stricter.
func TestSchema(t *testing.T) {
	t.Parallel()
	text, err := strict.Schema(file{}, "https://legate.example/f.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("f.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("f.json")
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	const address = "0xc0Da02939E1441F497fd74F78cE7Decb17B66529"
	for document, good := range map[string]bool{
		`{"version":1}`: true,
		`{"version":1,"rules":[{"name":"a","vote":"for","when":"true"}],"wait":"1d12h","fee":"0.01 ETH","to":"` + address + `","token":"env:X",
		  "account":"eip155:1:` + address + `","chains":{"eip155:1":"https://x","eip155:2":{"http":"x","ws":"y"}},"words":["red"],"labels":{"a":"b"}}`: true,
		`{}`:                         false,
		`{"version":1,"verion":1}`:   false,
		`{"version":2}`:              false,
		`{"version":1,"stream":"x"}`: false,
		`{"version":1,"rules":[{"name":"a","votte":"for"}]}`: false,
		`{"version":1,"rules":[{"name":"a","vote":"fro"}]}`:  false,
		`{"version":1,"rules":[{"vote":"for"}]}`:             false,
		`{"version":1,"wait":"1.5h"}`:                        false,
		`{"version":1,"wait":""}`:                            false,
		`{"version":1,"fee":"1 eth"}`:                        false,
		`{"version":1,"to":"0x1"}`:                           false,
		`{"version":1,"token":"hunter2"}`:                    false,
		`{"version":1,"chains":{"solana:1":"x"}}`:            false,
		`{"version":1,"chains":{"eip155:1":[]}}`:             false,
		`{"version":1,"words":["blue"]}`:                     false,
		`{"version":1,"share":2}`:                            false,
		`{"version":1,"labels":{"a":1}}`:                     false,
	} {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(document))
		if err != nil {
			t.Fatal(err)
		}
		err = schema.Validate(value)
		var f file
		problems := strict.Read("f.json", []byte(strings.ReplaceAll(strings.ReplaceAll(document, "\n", " "), "\t", " ")), &f)
		if (err == nil) != good || good && len(problems) > 0 {
			t.Errorf("%s: the schema says %v, Read says %v", document, err, problems)
		}
	}
}
