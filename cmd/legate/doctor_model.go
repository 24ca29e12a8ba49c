package main

import (
	"context"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
)

// doctorModelTime bounds how long the model server may take to say what it is.
const doctorModelTime = 5 * time.Second

// model asks the model server what it is. Without one briefs are extracts, which is fine; a gate that requires one
// holds every For.
func (d *doctor) model(ctx context.Context) {
	m := d.conf.Model
	const extracts = "briefs are sentences of the proposals"
	if m.Endpoint == noModel {
		d.say("model", isFine, "", "none is asked: %s", extracts)
		return
	}
	missing := isFine
	if m.Gate == gateRequired {
		missing = isWrong
	}
	models, err := newModels(m.Endpoint, m.llm(), nil)
	if err != nil {
		d.say("model", isWrong, "give model.endpoint as auto, none or a URL", "model.endpoint: %v", err)
		return
	}
	client := models.find(ctx)
	if client == nil {
		d.say("model", missing, "start a model server here, such as `ollama serve` with `ollama pull qwen3:8b`, or name one under model.endpoint",
			"no model server listens on this machine: %s%s", extracts, heldBy(m))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, doctorModelTime)
	defer cancel()
	info, err := client.Identify(ctx)
	if err != nil {
		if missing == isFine {
			missing = isDoubtful // it was named
		}
		d.say("model", missing, "start the server, or correct model.endpoint; auto looks for one on this machine", "%s: %v: %s%s", client.Known().URL, err, extracts, heldBy(m))
		return
	}
	d.say("model", isFine, "", "%s, %s at %s%s", dossier.Untrusted(shortName(info.Model)).Line(80), info.Server, info.URL, gateWords(m))
}

func heldBy(m ModelConfig) string {
	if m.Gate == gateRequired {
		return ", and gate: required holds every For"
	}
	return ""
}

func gateWords(m ModelConfig) string {
	if m.Gate == gateRequired {
		return "; it must pass the text before a For"
	}
	return ""
}
