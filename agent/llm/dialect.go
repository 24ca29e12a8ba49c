package llm

import (
	"encoding/json"

	"github.com/tmc/langchaingo/llms"
)

// dialect is how one kind of server is spoken to.
type dialect interface {
	// open gives the langchaingo model, and the fields to merge into its request.
	open(c *Client, i Info, r Request) (llms.Model, map[string]json.RawMessage, error)
	// options are those of the call.
	options(r Request) []llms.CallOption
	// read says whether a 200 is a whole answer. stop is what langchaingo says of its end.
	read(body []byte, stop string, context int) (Answer, error)
}

func dialectOf(s Server) dialect {
	if s == Ollama {
		return ollamaDialect{}
	}
	return openaiDialect{}
}

// raw is v as JSON; v is of our own making.
func raw(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
