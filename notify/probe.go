package notify

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/legate-dao/legate/agent/dossier"
)

// probes are how each kind is tried without telling anybody anything.
var probes = map[string]func(context.Context, Config) (string, error){
	"terminal":     func(context.Context, Config) (string, error) { return "there is nothing to try", nil },
	"discord":      probeDiscord,
	"webhook":      probeWebhook,
	"alertmanager": probeAlertmanager,
	"url": func(context.Context, Config) (string, error) {
		return "its address has the right form; it cannot be tried without a message", nil
	},
}

// Probe tries a channel that [Open] takes, with its keys, and posts nothing: what it answers is what a person is told.
// Its errors hold no address and no key.
func Probe(ctx context.Context, c Config) (said string, err error) {
	probe := probes[c.Kind]
	if probe == nil {
		return "", errors.New("this kind of channel cannot be tried")
	}
	return probe(ctx, c)
}

// ask sends a request without a body, and gives the start of what is answered.
func ask(ctx context.Context, method, address string, header http.Header) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return 0, nil, &Fault{Advice: Broken, What: "the address cannot be used"}
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.Header.Set("User-Agent", "legate")
	resp, err := newClient(nil).Do(req)
	if err != nil {
		return 0, nil, wireFault(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return 0, nil, wireFault(err)
	}
	return resp.StatusCode, body, statusFault(resp.StatusCode, resp.Header)
}

// probeDiscord reads the webhook, or the bot's channel: both need the key, and neither is seen by anybody.
func probeDiscord(ctx context.Context, c Config) (string, error) {
	address, header := c.URL, http.Header{}
	if c.Token != "" {
		api := c.API
		if api == "" {
			api = "https://discord.com"
		}
		address = strings.TrimSuffix(api, "/") + "/api/v10/channels/" + c.Room
		header.Set("Authorization", "Bot "+c.Token)
	}
	_, body, err := ask(ctx, http.MethodGet, address, header)
	var answer struct {
		Name    string `json:"name"`
		Message string `json:"message"`
	}
	unread := json.Unmarshal(body, &answer)
	if err != nil {
		if unread == nil && answer.Message != "" {
			return "", errors.New(err.Error() + ": " + said(answer.Message, c.Token, c.URL))
		}
		return "", err
	}
	if unread != nil {
		return "", errors.New("what answers is not Discord")
	}
	return "Discord knows it as " + dossier.Untrusted(answer.Name).Quote(60), nil
}

// probeAlertmanager asks for its status.
func probeAlertmanager(ctx context.Context, c Config) (string, error) {
	u, err := parseAddress(c.URL)
	if err != nil {
		return "", err
	}
	_, body, err := ask(ctx, http.MethodGet, u.JoinPath("api/v2/status").String(), nil)
	if err != nil {
		return "", err
	}
	var status struct {
		Version struct {
			Version string `json:"version"`
		} `json:"versionInfo"`
	}
	if err := json.Unmarshal(body, &status); err != nil || status.Version.Version == "" {
		return "", errors.New("what answers is not Alertmanager's API, version 2")
	}
	return "Alertmanager " + dossier.Untrusted(status.Version.Version).Quote(30) + " answers", nil
}

// probeWebhook looks whether somebody answers there. OPTIONS changes nothing, and what a receiver of POST answers to it
// means little.
func probeWebhook(ctx context.Context, c Config) (string, error) {
	status, _, err := ask(ctx, http.MethodOptions, c.URL, nil)
	if status == 0 {
		return "", err
	}
	signed := "it is not signed, there is no secret"
	if c.Secret != "" {
		signed = "it is signed"
	}
	return "somebody answers there; " + signed, nil
}
