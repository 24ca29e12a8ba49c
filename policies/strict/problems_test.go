package strict_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/legate-dao/legate/policies/strict"
)

func checkProblems(t *testing.T, cases []problemCase) {
	t.Helper()
	for _, c := range cases {
		_, _, problems := read(t, c.text)
		if diff := cmp.Diff(c.want, shown(problems)); diff != "" {
			t.Errorf("%s (-want +got):\n%s\n%s", c.name, diff, problems.Detail())
		}
	}
}

type problemCase struct {
	name, text string
	want       []string
}

func TestFiles(t *testing.T) {
	t.Parallel()
	checkProblems(t, []problemCase{
		{"empty", "", []string{
			`1:1: the file is empty`,
		}},
		{"only a comment", "# only\n", []string{
			`1:1: the file is empty`,
		}},
		{"byte order mark", "\ufeffversion: 1\nvote: 1\n", []string{
			`1:1: the file begins with a byte order mark (save it as UTF-8 without BOM)`,
			`2:1: unknown key "vote" (known: version, rules, wait, fee, to, chains, account, token, share, block, live, words, labels)`,
		}},
		{"not UTF-8", "version: 1\x0await: \xc3\xa9\xff\x0a", []string{
			`2:8: the file is not valid UTF-8`,
		}},
		{"tabs", "version:\t1\nlabels:\n\ta: 2d\n# a\tcomment\nwait: x\n", []string{
			`1:9: there is a tab here (use blanks; inside double quotes write \t)`,
			`3:1: there is a tab here (use blanks; inside double quotes write \t)`,
			`4:4: there is a tab here (use blanks; inside double quotes write \t)`,
			`5:7: "x" is not a duration (whole numbers with d, h, m, s in this order: 2d, 6h30m, 0s)`,
		}},
		{"characters", "version: 1\nlabels: {a: \"x\u2028y\x00\"}\nwait: \u202e\n", []string{
			`2:15: the character U+2028 is not allowed`,
			"3:7: \"\\u202e\" is not a duration (whole numbers with d, h, m, s in this order: 2d, 6h30m, 0s)",
		}},
		{"carriage returns", "version: 1\r\nlabels:\r\n  a: |\r\n    x\r\nwait: x\r\n", []string{
			`5:7: "x" is not a duration (whole numbers with d, h, m, s in this order: 2d, 6h30m, 0s)`,
		}},
		{"a list", "- 1\n", []string{
			`1:1: expected a mapping, found a list`,
		}},
		{"a word", "hello\n", []string{
			`1:1: expected a mapping, found a single value`,
		}},
		{"second document", "---\nversion: 1\n---\nfoo: 2\n", []string{
			`3:1: a second document begins here (one file holds one document)`,
		}},
		{"after the end", "version: 1\nwait: x\n...\nfoo: 1\n", []string{
			`2:7: "x" is not a duration (whole numbers with d, h, m, s in this order: 2d, 6h30m, 0s)`,
			`4:1: something follows the end of the document (one file holds one document)`,
		}},
		{"directive", "%YAML 1.2\n---\nversion: 1\nwait: x\n", []string{
			`1:1: YAML directives are not used here (remove the line)`,
			`4:7: "x" is not a duration (whole numbers with d, h, m, s in this order: 2d, 6h30m, 0s)`,
		}},
		{"indentation", "version: 1\nvorsion: 1\nrules:\n  - name: a\n vote: for\n", []string{
			`2:1: unknown key "vorsion" (did you mean "version"?)`,
			`5:2: this is not YAML: value is not allowed in this context (look at the indentation, and quote the value if it is an expression)`,
		}},
		{"bracket not closed", "version: 1\nwait: x\nlabels: {a: b\n", []string{
			`2:7: "x" is not a duration (whole numbers with d, h, m, s in this order: 2d, 6h30m, 0s)`,
			`3:9: this is not YAML: could not find flow mapping end token '}'`,
		}},
		{"a question mark key", "version: 1\nwait: x\n? a\n: b\n", []string{
			`2:7: "x" is not a duration (whole numbers with d, h, m, s in this order: 2d, 6h30m, 0s)`,
			`3:1: a key beginning with ? is not used here (quote it)`,
		}},
		{"an escape", "version: 1\nwait: x\nlabels: {a: \"\\q\"}\n", []string{
			`2:7: "x" is not a duration (whole numbers with d, h, m, s in this order: 2d, 6h30m, 0s)`,
			`3:15: this is not YAML: found unknown escape character 'q'`,
		}},
	})
}

func TestG44StrictConfigKeys(t *testing.T) {
	t.Parallel()
	checkProblems(t, []problemCase{
		{"unknown key", "version: 1\nverion: 2\nrules:\n  - name: a\n    votte: for\n    zzz: 1\n", []string{
			`2:1: unknown key "verion" (did you mean "version"?)`,
			`5:5: unknown key "votte" (did you mean "vote"?)`,
			`6:5: unknown key "zzz" (known: name, vote, when, for, because)`,
		}},
		{"duplicate key", "version: 1\nwait: 2d\nversion: 1\nrules:\n  - name: a\n    vote: for\n    name: b\n  - {name: x, \"name\": y}\nlabels:\n  a: x\n  a: y\n", []string{
			`3:1: the key "version" is there twice, first in line 1`,
			`7:5: the key "name" is there twice, first in line 5`,
			`8:15: the key "name" is there twice, first in line 8`,
			`11:3: the key "a" is there twice, first in line 10`,
		}},
		{"missing key", "rules:\n  - vote: for\n  - {}\nchains: {\"eip155:1\": {ws: x}}\n", []string{
			`1:1: the key "version" is missing`,
			`2:5: the key "name" is missing in rules[0]`,
			`3:5: the key "name" is missing in rules[1]`,
			`4:22: the key "http" is missing in chains["eip155:1"]`,
		}},
		{"later", "version: 1\nstream: x\nstreem: y\n", []string{
			`2:1: "stream" is not in this release (remove it)`,
			`3:1: unknown key "streem" (known: version, rules, wait, fee, to, chains, account, token, share, block, live, words, labels)`,
		}},
		{"key without value", "version: 1\nlabels: {a: b, c}\n", []string{
			`2:16: this key has no value (if it is the end of an expression, quote the whole expression)`,
		}},
		{"all at once", "version: 2\nwait: 1.5h\nrules: {}\nto: 0x1\nlive: yes\nshare: a\n", []string{
			`1:10: 2 is more than 1`,
			`2:7: "1.5h" is not a duration (whole numbers with d, h, m, s in this order: 2d, 6h30m, 0s)`,
			`3:8: expected a list, found a mapping`,
			`4:5: "0x1" is not an address (0x and 40 hexadecimal digits)`,
			`5:7: expected true or false, found "yes"`,
			`6:8: expected a number, found "a" (decimal digits, without quotes, _ or leading zeros)`,
		}},
	})
}

func TestG44StrictConfigAnchors(t *testing.T) {
	t.Parallel()
	checkProblems(t, []problemCase{
		{"anchor, alias, merge key", "version: &v 1\nlabels:\n  <<: *v\n  a: *v\n  b: &x\n  c: &y z\nwait: x\n", []string{
			`1:10: anchors are not used here (write the value where it is needed)`,
			`3:3: merge keys are not used here (write the keys themselves)`,
			`3:7: a value beginning with * is a YAML alias (write the value itself, or quote it)`,
			`4:6: a value beginning with * is a YAML alias (write the value itself, or quote it)`,
			`5:6: anchors are not used here (write the value where it is needed)`,
			`6:6: anchors are not used here (write the value where it is needed)`,
			`7:7: "x" is not a duration (whole numbers with d, h, m, s in this order: 2d, 6h30m, 0s)`,
		}},
		{"anchor of a mapping", "version: 1\nlabels: &x\n  a: 1\n  b: [x]\n", []string{
			`2:9: anchors are not used here (write the value where it is needed)`,
			`4:6: expected a text, found a list`,
		}},
		{"alias in a list", "version: 1\nwords: [*a, red, *b, blue]\n", []string{
			`2:9: a value beginning with * is a YAML alias (write the value itself, or quote it)`,
			`2:18: a value beginning with * is a YAML alias (write the value itself, or quote it)`,
			`2:22: unknown word "blue" (known: red, green)`,
		}},
	})
}

func TestNulls(t *testing.T) {
	t.Parallel()
	checkProblems(t, []problemCase{
		{"nulls", "version: 1\nlabels:\n  c: ~\n  d:\n  e: null\n  f: \"null\"\nwords: [red, ~]\nrules:\n  -\n  - name: Null\nwait:\n", []string{
			`3:3: there is no value here (leave the key out, or write "" for an empty text)`,
			`4:3: there is no value here (leave the key out, or write "" for an empty text)`,
			`5:3: there is no value here (leave the key out, or write "" for an empty text)`,
			`7:14: there is no value here (leave the key out, or write "" for an empty text)`,
			`9:4: there is no value here (leave the key out, or write "" for an empty text)`,
			`10:5: there is no value here (leave the key out, or write "" for an empty text)`,
			`11:1: there is no value here (leave the key out, or write "" for an empty text)`,
		}},
		{"null key", "version: 1\nlabels: {~: a}\n", []string{
			`2:10: there is no value here (leave the key out, or write "" for an empty text)`,
		}},
	})
}

func TestTags(t *testing.T) {
	t.Parallel()
	checkProblems(t, []problemCase{
		{"an expression", "version: 1\nrules:\n  - name: a\n    when: !found(\"x\")\n    votte: for\n  - name: b\n    vote: fro\n", []string{
			`4:11: a value beginning with ! is a YAML tag (quote it)`,
			`5:5: unknown key "votte" (did you mean "vote"?)`,
			`7:11: unknown word "fro" (did you mean "for"?)`,
		}},
		{"a longer one", "version: 1\nrules:\n  - name: a\n    when: !found(\"x\") && y # z\n    vote: x\n  - {name: b, when: !paused, vote: z}\n  - name: c\n    when: !paused\n    because: x\n    vote: z\n", []string{
			`4:11: a value beginning with ! is a YAML tag (quote it)`,
			`5:11: unknown word "x" (known: for, against, abstain, hold)`,
			`6:21: a value beginning with ! is a YAML tag (quote it)`,
			`6:36: unknown word "z" (known: for, against, abstain, hold)`,
			`8:11: a value beginning with ! is a YAML tag (quote it)`,
			`10:11: unknown word "z" (known: for, against, abstain, hold)`,
		}},
		{"types", "version: !!int 1\nlabels: !map\n  a: b\nrules:\n  - !r {name: !!str x, vote: y}\n", []string{
			`1:10: a value beginning with ! is a YAML tag (tags are not used: remove it, or quote the value)`,
			`2:9: a value beginning with ! is a YAML tag (tags are not used: remove it, or quote the value)`,
			`5:5: a value beginning with ! is a YAML tag (tags are not used: remove it, or quote the value)`,
			`5:15: a value beginning with ! is a YAML tag (tags are not used: remove it, or quote the value)`,
			`5:30: unknown word "y" (known: for, against, abstain, hold)`,
		}},
	})
}

func TestExpressions(t *testing.T) {
	t.Parallel()
	checkProblems(t, []problemCase{
		{"in flow", "version: 1\nrules:\n  - {name: a, when: f(a, b), for: 10m}\n  - {when: p[\"x\"] > 1, name: q, vot: for}\n  - {name: z, when: a ? b : c, vote: foo}\n  - {name: z, when: {a}.b, vote: foo}\n  - {name: z, when: \"x\" == y, vote: foo}\n", []string{
			`3:21: YAML takes this value apart at its brackets and commas (quote it)`,
			`4:12: YAML takes this value apart at its brackets and commas (quote it)`,
			`4:33: unknown key "vot" (did you mean "vote"?)`,
			`5:21: the value contains ": " (quote it)`,
			`5:38: unknown word "foo" (did you mean "for"?)`,
			`6:21: text follows this list or mapping (quote the whole value if it is an expression)`,
			`6:34: unknown word "foo" (did you mean "for"?)`,
			`7:21: text follows the closing quote (quote the whole value, with the other kind of quotes)`,
			`7:37: unknown word "foo" (did you mean "for"?)`,
		}},
		{"in blocks", "version: 1\nrules:\n  - name: a\n    when: a ? b : c\n  - name: b\n    when: \"x\" == y\n  - name: c\n    when: [1, 2].exists(x, x == 1)\n  - name: d\n    when: {a}.b\n  - name: e\n    when: @x\n  - name: f\n    when: %a\n  - name: g\n    when: *a * 2\n  - name: h\n    when: && x\n    vote: f\n  - name: i\n    when: ''\n  - name: j\n    when: [a]\n", []string{
			`4:11: the value contains ": " (quote it)`,
			`6:11: text follows the closing quote (quote the whole value, with the other kind of quotes)`,
			`8:11: text follows this list or mapping (quote the whole value if it is an expression)`,
			`10:11: text follows this list or mapping (quote the whole value if it is an expression)`,
			`12:11: a value cannot begin with @ (quote it)`,
			`14:11: a value cannot begin with % (quote it)`,
			`16:11: a value beginning with * is a YAML alias (write the value itself, or quote it)`,
			`18:11: a value beginning with & is a YAML anchor (quote it)`,
			`19:11: unknown word "f" (known: for, against, abstain, hold)`,
			`21:11: the expression is empty`,
			`23:11: expected an expression, found a list`,
		}},
		{"over several lines", "version: 1\nrules:\n  - name: a\n    when: >\n      a ||\n      b\n  - name: b\n    when: a ||\n      b\n  - name: c\n    when: \"a ||\n      b\"\n  - name: d\n    when: 'a ||\n\n      b'\n  - name: >-\n      x\n    because: a\n      b\n", []string{
			`4:11: text folded with > is not used here (use |)`,
			`8:11: the value goes over several lines (write it in one line, or as a | block)`,
			`11:16: the quoted text goes over several lines (close the quotes in the same line, or use a | block)`,
			`14:16: the quoted text goes over several lines (close the quotes in the same line, or use a | block)`,
			`17:11: text folded with > is not used here (use |)`,
			`19:14: the value goes over several lines (write it in one line, or as a | block)`,
		}},
	})
}

// A file that is one value may be a key or a passphrase, given for a configuration by mistake.
func TestG07FileOfOneValueIsNotShown(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"202deedea546d62a2884", "0x202deedea546d62a2884\n", "'202deedea546d62a2884'", "\n\n202deedea546d62a2884\n", "|\n  202deedea546d62a2884\n", "correct horse 202deedea546d62a2884\n", "202deedea546d62a2884\tx\n"} {
		var into struct {
			Version int `yaml:"version"`
		}
		problems := strict.Read("passphrase", []byte(text), &into)
		if !problems.HasErrors() {
			t.Errorf("%q is read", text)
		}
		if got := problems.Detail(); strings.Contains(got, "202deed") {
			t.Errorf("%q is shown: %s", text, got)
		}
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	checkProblems(t, []problemCase{
		{"kinds", "version: 1\nrules: {}\nwait: [2d]\nlive: {a: b}\nlabels: []\nto: {}\ntoken: [x]\nwords: red\nchains: x\n", []string{
			`2:8: expected a list, found a mapping`,
			`3:7: expected a duration, found a list`,
			`4:7: expected true or false, found a mapping`,
			`5:9: expected a mapping, found a list`,
			`6:5: expected an address, found a mapping`,
			`7:8: expected a reference to a secret, found a list`,
			`8:8: expected a list, found a single value`,
			`9:9: expected a mapping, found a single value`,
		}},
		{"words", "version: \"1\"\nlive: yes\nwords: [red, gren, purple]\n", []string{
			`1:10: expected a whole number, found a text (write it without quotes)`,
			`2:7: expected true or false, found "yes"`,
			`3:14: unknown word "gren" (did you mean "green"?)`,
			`3:20: unknown word "purple" (known: red, green)`,
		}},
		{"numbers", "version: 0\nshare: .inf\nblock: -1\n", []string{
			`1:10: 0 is less than 1`,
			`2:8: expected a number, found ".inf" (decimal digits, without quotes, _ or leading zeros)`,
			`3:8: the number "-1" is too large or too small`,
		}},
		{"numbers too", "version: 1_0\nshare: 1e999\nblock: 010\n", []string{
			`1:10: expected a whole number, found "1_0" (decimal digits, without quotes, _ or leading zeros)`,
			`2:8: the number "1e999" is too large or too small`,
			`3:8: expected a whole number, found "010" (decimal digits, without quotes, _ or leading zeros)`,
		}},
		{"numbers again", "version: 99999999999999999999\nshare: 1.01\nblock: 0x10\n", []string{
			`1:10: the number "99999999999999999999" is too large or too small`,
			`2:8: 1.01 is more than 1`,
			`3:8: expected a whole number, found "0x10" (decimal digits, without quotes, _ or leading zeros)`,
		}},
		{"duration and amount", "version: 1\nwait: 90\nfee: 1.5 eth\n", []string{
			`2:7: "90" is not a duration (whole numbers with d, h, m, s in this order: 2d, 6h30m, 0s)`,
			`3:6: "1.5 eth" is not an amount (a decimal, a blank and ETH, gwei or wei: 0.05 ETH)`,
		}},
		{"duration and amount too", "version: 1\nwait: 30m1h\nfee: 0.5 wei\n", []string{
			`2:7: "30m1h" is not a duration (whole numbers with d, h, m, s in this order: 2d, 6h30m, 0s)`,
			`3:6: "0.5 wei" is not a whole number of wei`,
		}},
		{"addresses", "version: 1\nto: 0xc0da02939e1441f497fd74f78ce7decb17b66529\naccount: eip155:1:0xc0da02939E1441F497fd74F78cE7Decb17B66529\n", []string{
			`2:5: the address 0xc0da02939e1441f497fd74f78ce7decb17b66529 has no checksum (write 0xc0Da02939E1441F497fd74F78cE7Decb17B66529)`,
			`3:10: the checksum of the address 0xc0da02939E1441F497fd74F78cE7Decb17B66529 is wrong (if the digits are right, write 0xc0Da02939E1441F497fd74F78cE7Decb17B66529)`,
		}},
		{"chains", "version: 1\naccount: solana:1:0x\nchains: {\"eip155:01\": x, eip155:10: y, \"eip155:1\": [x], a:b: c, a:b, \"eip155:99999999999999999999\": y}\n", []string{
			`2:10: "solana:1:0x" is not an account (chain and address: eip155:1:0x…)`,
			`3:10: "eip155:01" is not a chain (eip155 and the chain's number: eip155:1)`,
			`3:26: there is no blank after the colon (write one, or quote the text if the colon is part of it)`,
			`3:52: expected an address or {http, ws}`,
			`3:57: there is no blank after the colon (write one, or quote the text if the colon is part of it)`,
			`3:65: there is no blank after the colon (write one, or quote the text if the colon is part of it)`,
			`3:70: the number of the chain "eip155:99999999999999999999" is too large (eip155 and the chain's number: eip155:1)`,
		}},
		{"secrets", "version: 1\ntoken: hunter2\nchains: {\"eip155:1\": \"env:\", \"eip155:2\": env:A B}\n", []string{
			`2:8: a secret is not written here, but where it is (env:NAME, file:PATH or credential:NAME)`,
			`3:22: the reference to a secret has no usable name (env:NAME, file:PATH or credential:NAME)`,
			`3:42: the reference to a secret has no usable name (env:NAME, file:PATH or credential:NAME)`,
		}},
		{"a secret's block", "version: 1\ntoken: |\n  env:X\n", []string{
			`2:8: a secret is not written as a block`,
		}},
	})
}
