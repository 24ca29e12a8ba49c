// Package llm asks local model servers for JSON under a schema: Ollama, llama-server, vLLM, LM Studio and
// whatever else speaks the chat endpoint of OpenAI. One dialect a file.
//
// It answers for the wire: what langchaingo cannot express is merged into the request below it, what it
// flattens or hides (status, cause, stop reason, size) is kept there, and each failure has a class. It
// knows nothing of proposals; what an answer is worth is for the caller to check.
//
// Text leaves this machine only for a host that the operator named: loopback is allowed, anything else is
// refused unless it stands in [Config].Hosts; no environment variable, proxy or redirect changes that.
//
//	c, err := llm.Open("http://127.0.0.1:8080")
//	answer, err := c.Ask(ctx, llm.Request{System: "…", User: "…", Name: "brief", Schema: schema, MaxTokens: 600, Seed: 1})
package llm
