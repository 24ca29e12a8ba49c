package llm

import (
	"encoding/json"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/ollama"
)

// ollamaDialect is Ollama's own /api/chat: its /v1 cannot set the context, and cuts long questions silently.
type ollamaDialect struct{}

func (ollamaDialect) open(c *Client, i Info, r Request) (llms.Model, map[string]json.RawMessage, error) {
	m, err := ollama.New(
		ollama.WithServerURL(c.place.base), ollama.WithModel(i.Model), ollama.WithRunnerNumCtx(c.config.Context),
		ollama.WithKeepAlive("30m"), ollama.WithHTTPClient(c.keyed()),
	)
	if err != nil {
		return nil, nil, failure(Failed, "build the model client: %s", head([]byte(err.Error())))
	}
	return m, map[string]json.RawMessage{
		"format": r.Schema, // langchaingo can only send a word here
		"think":  raw(false), "truncate": raw(false), "shift": raw(false), "stream": raw(false),
	}, nil
}

func (ollamaDialect) options(r Request) []llms.CallOption {
	return []llms.CallOption{llms.WithTemperature(r.Temperature), llms.WithSeed(r.Seed), llms.WithMaxTokens(r.MaxTokens)}
}

// read looks for the end of the answer in the answer itself: langchaingo's stop reason is always empty here.
func (ollamaDialect) read(body []byte, _ string, context int) (Answer, error) {
	var doc struct {
		Done   bool   `json:"done"`
		Reason string `json:"done_reason"`
		Prompt int    `json:"prompt_eval_count"`
		Answer int    `json:"eval_count"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return Answer{}, failure(Garbage, "Ollama's answer is not one JSON object: %s", head(body))
	}
	switch {
	case doc.Reason == "length":
		return Answer{}, failure(Truncated, "the model's answer was cut after %d tokens", doc.Answer)
	case doc.Prompt >= context:
		return Answer{}, failure(Truncated, "the question filled the whole context of %d tokens and was cut", context)
	case doc.Reason == "load" || doc.Reason == "unload":
		return Answer{}, failure(Absent, "Ollama only loaded the model")
	case !doc.Done || doc.Reason != "stop":
		return Answer{}, failure(Garbage, "the model's answer ended with %q and not by itself", doc.Reason)
	}
	return Answer{PromptTokens: doc.Prompt, AnswerTokens: doc.Answer}, nil
}
