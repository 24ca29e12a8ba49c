package discordtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// What the stand-in knows: one webhook and one bot's channel.
const (
	WebhookID = "1100000000000000001"
	Token     = "stand-in-token_0123456789abcdef"
	BotToken  = "stand-in-bot-token" //nolint:gosec // of the stand-in
	Room      = "1200000000000000002"
)

// Message is one message as the channel has it now.
type Message struct {
	ID     string  `json:"id"`
	Embeds []Embed `json:"embeds"`
	// Files are the attachments by name.
	Files map[string][]byte `json:"-"`
	// Edits is how often it was edited.
	Edits int       `json:"-"`
	Time  time.Time `json:"timestamp"`
}

// Embed is the part of an embed that the program uses.
type Embed struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	Color       int    `json:"color"`
	URL         string `json:"url"`
	Fields      []struct {
		Name   string `json:"name"`
		Value  string `json:"value"`
		Inline bool   `json:"inline"`
	} `json:"fields"`
	Footer *struct {
		Text string `json:"text"`
	} `json:"footer"`
	Image *struct {
		URL string `json:"url"`
	} `json:"image"`
}

// Failure is an answer in place of the real one. Body is JSON; empty for Discord's own form.
type Failure struct {
	Status int
	Header http.Header
	Body   string
	// Taken says that the message was posted all the same: the answer got lost.
	Taken bool
}

// Server is a running stand-in.
type Server struct {
	listener net.Listener
	http     *http.Server

	mu       sync.Mutex
	messages []*Message
	failures []Failure
	requests int
	problems []string
	next     int64
}

// Start listens on a loopback address.
func Start(address string) (*Server, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("start the stand-in for Discord: %w", err)
	}
	if a, ok := l.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		return nil, errors.Join(errors.New("the stand-in for Discord listens on loopback only"), l.Close())
	}
	s := &Server{listener: l, next: 1300000000000000000}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/{version}/webhooks/{webhook}/{token}", s.post)
	mux.HandleFunc("PATCH /api/{version}/webhooks/{webhook}/{token}/messages/{message}", s.edit)
	mux.HandleFunc("POST /api/{version}/channels/{room}/messages", s.post)
	mux.HandleFunc("PATCH /api/{version}/channels/{room}/messages/{message}", s.edit)
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /files/{message}/{name}", s.file)
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go s.http.Serve(l) //nolint:errcheck // it ends with Close
	return s, nil
}

// Close stops it.
func (s *Server) Close() error { return s.http.Close() }

// URL is where it listens; a browser sees the channel there.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Webhook is the address of its webhook.
func (s *Server) Webhook() string { return s.URL() + "/api/webhooks/" + WebhookID + "/" + Token }

// Messages are all messages, oldest first.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Message, len(s.messages))
	for i, m := range s.messages {
		out[i] = *m
	}
	return out
}

// Problems are what was wrong with requests: each was answered as Discord would, with an error.
func (s *Server) Problems() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.problems)
}

// Requests counts all requests that reached it.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// Fail answers the next requests with failures, one each.
func (s *Server) Fail(list ...Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, list...)
}

// Delete takes a message away, as a moderator would.
func (s *Server) Delete(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = slices.DeleteFunc(s.messages, func(m *Message) bool { return m.ID == id })
}

// Discord's codes of errors.
const (
	codeUnknownMessage = 10008
	codeUnknownWebhook = 10015
	codeInvalidForm    = 50035
)

type apiError struct {
	status  int
	code    int
	message string
}

func (e *apiError) Error() string { return e.message }

func (s *Server) post(w http.ResponseWriter, r *http.Request) {
	s.serve(w, r, func(p payload, files map[string][]byte) (*Message, error) {
		s.next++
		m := &Message{ID: fmt.Sprint(s.next), Embeds: p.embeds(), Files: files, Time: time.Now().UTC()}
		s.messages = append(s.messages, m)
		return m, nil
	})
}

func (s *Server) edit(w http.ResponseWriter, r *http.Request) {
	s.serve(w, r, func(p payload, files map[string][]byte) (*Message, error) {
		for _, m := range s.messages {
			if m.ID != r.PathValue("message") {
				continue
			}
			if p.Attachments != nil && len(*p.Attachments) == 0 {
				m.Files = map[string][]byte{}
			}
			for name, b := range files {
				m.Files[name] = b
			}
			m.Embeds = p.embeds()
			m.Edits++
			return m, nil
		}
		return nil, &apiError{http.StatusNotFound, codeUnknownMessage, "Unknown Message"}
	})
}

// serve checks a request and answers it.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, do func(payload, map[string][]byte) (*Message, error)) {
	p, files, err := read(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	var failure *Failure
	if len(s.failures) > 0 {
		failure, s.failures = &s.failures[0], s.failures[1:]
	}
	if failure != nil && !failure.Taken {
		failure.write(w)
		return
	}
	var m *Message
	if err == nil {
		err = authorized(r)
	}
	if err == nil {
		err = p.check(files)
	}
	if err == nil {
		m, err = do(p, files)
	}
	if failure != nil {
		failure.write(w)
		return
	}
	var api *apiError
	switch {
	case errors.As(err, &api):
		if api.status == http.StatusBadRequest {
			s.problems = append(s.problems, api.message)
		}
		reply(w, api.status, map[string]any{"code": api.code, "message": api.message})
	case err != nil:
		s.problems = append(s.problems, err.Error())
		reply(w, http.StatusBadRequest, map[string]any{"code": codeInvalidForm, "message": err.Error()})
	default:
		reply(w, http.StatusOK, m)
	}
}

func (f Failure) write(w http.ResponseWriter) {
	for k, v := range f.Header {
		w.Header()[k] = v
	}
	body := f.Body
	if body == "" {
		body = fmt.Sprintf(`{"code":0,"message":"%d: %s"}`, f.Status, http.StatusText(f.Status))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.Status)
	_, _ = io.WriteString(w, body)
}

// Limited is Discord's answer to one who sends too much, with the seconds to wait.
func Limited(seconds float64) Failure {
	return Failure{Status: http.StatusTooManyRequests, Body: fmt.Sprintf(`{"message":"You are being rate limited.","retry_after":%g,"global":false}`, seconds),
		Header: http.Header{"Retry-After": {fmt.Sprint(seconds)}, "X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset-After": {fmt.Sprint(seconds)}}}
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func authorized(r *http.Request) error {
	if id := r.PathValue("webhook"); id != "" {
		if id != WebhookID || r.PathValue("token") != Token {
			return &apiError{http.StatusNotFound, codeUnknownWebhook, "Unknown Webhook"}
		}
		return nil
	}
	if r.Header.Get("Authorization") != "Bot "+BotToken {
		return &apiError{http.StatusUnauthorized, 0, "401: Unauthorized"}
	}
	if r.PathValue("room") != Room {
		return &apiError{http.StatusForbidden, 50001, "Missing Access"}
	}
	return nil
}

// read reads JSON, or JSON with files.
func read(r *http.Request) (p payload, files map[string][]byte, err error) {
	files = map[string][]byte{}
	body := http.MaxBytesReader(nil, r.Body, 10<<20)
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return p, nil, errors.New("no content type")
	}
	if kind == "application/json" {
		return p, files, strictJSON(body, &p)
	}
	parts := multipart.NewReader(body, params["boundary"])
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return p, files, nil
		}
		if err != nil {
			return p, nil, fmt.Errorf("multipart: %w", err)
		}
		if part.FormName() == "payload_json" {
			if err := strictJSON(part, &p); err != nil {
				return p, nil, err
			}
			continue
		}
		if !strings.HasPrefix(part.FormName(), "files[") {
			return p, nil, fmt.Errorf("unknown part %q", part.FormName())
		}
		b, err := io.ReadAll(part)
		if err != nil {
			return p, nil, err
		}
		files[part.FileName()] = b
	}
}

func strictJSON(r io.Reader, v any) error {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("JSON: %w", err)
	}
	return nil
}
