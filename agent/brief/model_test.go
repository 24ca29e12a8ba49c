package brief_test

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/legate-dao/legate/agent/brief"
	"github.com/legate-dao/legate/agent/llm"
)

// served is a model behind a real client, as cmd wires it.
type served struct{ client *llm.Client }

func (s served) Ask(ctx context.Context, q brief.Question) (brief.Answer, error) {
	a, err := s.client.Ask(ctx, llm.Request(q))
	return brief.Answer(a), err
}

func (s served) Who() brief.Identity {
	i := s.client.Known()
	return brief.Identity{Server: string(i.Server), URL: i.URL, Name: i.Model}
}

// scripted is a model that says what a test wants it to say.
type scripted struct {
	say   func(q brief.Question, lines []string) (string, error)
	asked []brief.Question
}

func (s *scripted) Who() brief.Identity {
	return brief.Identity{Server: "test", URL: "http://127.0.0.1:1", Name: "script"}
}

func (s *scripted) Ask(_ context.Context, q brief.Question) (brief.Answer, error) {
	s.asked = append(s.asked, q)
	text, err := s.say(q, linesOf(q))
	return brief.Answer{JSON: []byte(text)}, err
}

var numbered = regexp.MustCompile(`(?m)^\[(\d+)\] (.*)$`)

// linesOf are the lines that a question shows, by number from 1.
func linesOf(q brief.Question) []string {
	out := []string{""}
	for _, m := range numbered.FindAllStringSubmatch(q.User, -1) {
		if m[1] != strconv.Itoa(len(out)) {
			return []string{fmt.Sprintf("line %s where %d belongs", m[1], len(out))}
		}
		out = append(out, m[2])
	}
	return out
}

// answer is the JSON of a headline and of sentences with their lines.
func answer(headline string, sentences ...said) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"headline":%q,"sentences":[`, headline)
	for i, s := range sentences {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"lines":%s,"text":%s}`, strings.ReplaceAll(fmt.Sprint(s.lines), " ", ","), strconv.Quote(s.text))
	}
	return b.String() + "]}"
}

type said struct {
	lines []int
	text  string
}

// failing is an error with an outcome, as those of agent/llm.
type failing string

func (f failing) Error() string   { return "it is " + string(f) }
func (f failing) Outcome() string { return string(f) }
