package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"

	"github.com/legate-dao/legate/agent/dossier"
)

// webhook posts the alert as JSON.
type webhook struct {
	name    string
	address string
	secret  []byte
	client  *http.Client
}

func openWebhook(c Config) (Channel, error) {
	u, err := parseAddress(c.URL)
	if err != nil {
		return nil, err
	}
	return &webhook{c.Name, u.String(), []byte(c.Secret), newClient(nil)}, nil
}

func (w *webhook) Name() string { return w.name }

// Send posts the alert; the signature is over the raw body.
func (w *webhook) Send(ctx context.Context, a dossier.Alert) error {
	body, err := jsonBody(a)
	if err != nil {
		return &Fault{Advice: Refuse, What: "the alert cannot be written as JSON"}
	}
	header := http.Header{"X-Legate-Event": {string(a.Event)}, "X-Legate-Id": {a.ID}}
	if len(w.secret) > 0 {
		header.Set("X-Legate-Signature", Signature(w.secret, body))
	}
	return post(ctx, w.client, w.address, body, header)
}

// jsonBody writes a value as JSON, with < > & as they are: a body is no page, and what an operator wrote shall be found
// in it as it was written.
func jsonBody(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Signature is what X-Legate-Signature says of a body: sha256= and the hex of its HMAC-SHA256.
func Signature(secret, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
