package llm

import (
	"encoding/json"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/openai"
)

// openaiDialect is /v1/chat/completions: llama-server, vLLM, LM Studio and others.
type openaiDialect struct{}

// open sets every option that langchaingo would take from OPENAI_… variables otherwise.
func (openaiDialect) open(c *Client, i Info, r Request) (llms.Model, map[string]json.RawMessage, error) {
	key := c.config.Key
	if key == "" {
		key = "local" // langchaingo wants one
	}
	m, err := openai.New(
		openai.WithBaseURL(c.place.base+"/v1"), openai.WithToken(key), openai.WithModel(i.Model), openai.WithOrganization(""),
		openai.WithAPIType(openai.APITypeOpenAI), openai.WithHTTPClient(c.http),
	)
	if err != nil {
		return nil, nil, failure(Failed, "build the model client: %s", head([]byte(err.Error())))
	}
	add := map[string]json.RawMessage{
		"response_format": raw(map[string]any{
			"type": "json_schema", "json_schema": map[string]any{"name": r.Name, "strict": true, "schema": r.Schema},
		}),
		"stream": raw(false), // an error inside a stream would look like a short answer
	}
	if i.Server == LlamaServer || i.Server == VLLM {
		add["chat_template_kwargs"] = raw(map[string]any{"enable_thinking": false})
	}
	if i.Server == LlamaServer {
		add["cache_prompt"] = raw(false) // the same question gives the same bytes
	}
	return m, add, nil
}

// options: servers read max_tokens, not the field that langchaingo sends by itself.
func (openaiDialect) options(r Request) []llms.CallOption {
	return []llms.CallOption{
		llms.WithTemperature(r.Temperature), llms.WithSeed(r.Seed), llms.WithMaxTokens(r.MaxTokens), openai.WithLegacyMaxTokensField(),
	}
}

func (openaiDialect) read(body []byte, stop string, _ int) (Answer, error) {
	var doc struct {
		Usage struct {
			Prompt int `json:"prompt_tokens"`
			Answer int `json:"completion_tokens"`
		} `json:"usage"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return Answer{}, failure(Garbage, "the model server's answer is not JSON: %s", head(body))
	}
	switch stop {
	case "stop":
		return Answer{PromptTokens: doc.Usage.Prompt, AnswerTokens: doc.Usage.Answer}, nil
	case "length":
		return Answer{}, failure(Truncated, "the model's answer was cut after %d tokens", doc.Usage.Answer)
	}
	return Answer{}, failure(Garbage, "the model's answer ended with %q and not by itself", stop)
}
