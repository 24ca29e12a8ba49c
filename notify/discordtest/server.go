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
	// WebhookRoom is the channel of the webhook.
	WebhookRoom = "1200000000000000001"
)

// Message is one message as the channel has it now.
type Message struct {
	ID string `json:"id"`
	// Channel is the channel or the thread that it stands in.
	Channel string  `json:"channel_id"`
	Content string  `json:"content"`
	Embeds  []Embed `json:"embeds"`
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

// Server is a stand-in.
type Server struct {
	listener net.Listener
	http     *http.Server
	handler  http.Handler

	mu       sync.Mutex
	messages []*Message
	threads  []*Thread
	forum    bool
	failures []Failure
	rules    []*Rule
	limits   limits
	requests map[string]int // by method
	problems []string
	next     int64
}

// New makes a stand-in that does not listen: its handler answers.
func New() *Server {
	s := &Server{next: 1300000000000000000, requests: map[string]int{}, limits: limits{open: map[string]time.Time{}, sent: map[string][]time.Time{}}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/{version}/webhooks/{webhook}/{token}", s.post)
	mux.HandleFunc("PATCH /api/{version}/webhooks/{webhook}/{token}/messages/{message}", s.edit)
	mux.HandleFunc("POST /api/{version}/channels/{room}/messages", s.post)
	mux.HandleFunc("PATCH /api/{version}/channels/{room}/messages/{message}", s.edit)
	mux.HandleFunc("POST /api/{version}/channels/{room}/threads", s.startThread)
	mux.HandleFunc("GET /api/{version}/channels/{room}", s.channel)
	mux.HandleFunc("GET /api/{kind}/{webhook}/{token}", s.webhook) // as a configuration has it, without a version
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /files/{message}/{name}", s.file)
	s.handler = mux
	return s
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
	s := New()
	s.listener = l
	s.http = &http.Server{Handler: s.handler, ReadHeaderTimeout: 5 * time.Second}
	go s.http.Serve(l) //nolint:errcheck // it ends with Close
	return s, nil
}

// Handler answers as the server does.
func (s *Server) Handler() http.Handler { return s.handler }

// Close stops it.
func (s *Server) Close() error {
	if s.http == nil {
		return nil
	}
	return s.http.Close()
}

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
	n := 0
	for _, k := range s.requests {
		n += k
	}
	return n
}

// RequestsBy counts the requests of a method.
func (s *Server) RequestsBy(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[method]
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
	codeUnknownChannel = 10003
	codeUnknownMessage = 10008
	codeUnknownWebhook = 10015
	codeNoText         = 50008
	codeWrongKind      = 50024
	codeInvalidForm    = 50035
	codeArchived       = 50083
	codeLocked         = 160005
	codeNeedsThread    = 220001
	codeBothThreads    = 220002
	codeNoForum        = 220003
)

type apiError struct {
	status  int
	code    int
	message string
}

func (e *apiError) Error() string { return e.message }

// request is one request as it was read.
type request struct {
	payload

	method string
	thread string // that it goes to, by its address
	files  map[string][]byte
}

func (s *Server) post(w http.ResponseWriter, r *http.Request) {
	s.serve(w, r, func(q request) (any, error) {
		channel, err := s.destination(r, q)
		if err != nil {
			return nil, err
		}
		return s.add(channel, q), nil
	})
}

// add appends a message. In a thread that was just named it is the first, and has the thread's id.
func (s *Server) add(channel string, q request) *Message {
	s.next++
	m := &Message{ID: fmt.Sprint(s.next), Channel: channel, Embeds: q.embeds(), Content: q.text(), Files: q.files, Time: time.Now().UTC()}
	if channel == "" {
		m.Channel = m.ID
		s.threads = append(s.threads, &Thread{ID: m.ID, Name: q.ThreadName})
	}
	s.messages = append(s.messages, m)
	return m
}

func (s *Server) edit(w http.ResponseWriter, r *http.Request) {
	s.serve(w, r, func(q request) (any, error) {
		channel := WebhookRoom
		if room := r.PathValue("room"); room != "" {
			channel = room
		}
		if q.thread != "" {
			channel = q.thread
		}
		if t := s.threadBy(channel); t != nil && t.Archived {
			return nil, &apiError{http.StatusBadRequest, codeArchived, "Thread is archived"}
		}
		for _, m := range s.messages {
			if m.ID != r.PathValue("message") || m.Channel != channel {
				continue
			}
			if q.Attachments != nil && len(*q.Attachments) == 0 {
				m.Files = map[string][]byte{}
			}
			for name, b := range q.files {
				m.Files[name] = b
			}
			m.Embeds, m.Content = q.embeds(), q.text()
			m.Edits++
			return m, nil
		}
		return nil, &apiError{http.StatusNotFound, codeUnknownMessage, "Unknown Message"}
	})
}

// serve checks a request and answers it.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, do func(request) (any, error)) {
	q, err := read(r)
	q.unwrap()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[r.Method]++
	if failure := s.limited(r); failure != nil {
		failure.write(w)
		return
	}
	failure := s.failure(q)
	if failure != nil && !failure.Taken {
		s.heed(r, *failure)
		failure.write(w)
		return
	}
	var m any
	if err == nil {
		err = authorized(r)
	}
	if err == nil && r.Method != http.MethodGet {
		err = q.check(q.files)
	}
	if err == nil {
		m, err = do(q)
	}
	if failure != nil {
		failure.write(w)
		return
	}
	var api *apiError
	switch {
	case errors.As(err, &api):
		if api.code == codeInvalidForm {
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
	return nil
}

// read reads JSON, or JSON with files.
func read(r *http.Request) (q request, err error) {
	q = request{method: r.Method, thread: r.URL.Query().Get("thread_id"), files: map[string][]byte{}}
	if r.Method == http.MethodGet {
		return q, nil
	}
	body := http.MaxBytesReader(nil, r.Body, 10<<20)
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return q, errors.New("no content type")
	}
	if kind == "application/json" {
		return q, strictJSON(body, &q.payload)
	}
	parts := multipart.NewReader(body, params["boundary"])
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return q, nil
		}
		if err != nil {
			return q, fmt.Errorf("multipart: %w", err)
		}
		if part.FormName() == "payload_json" {
			if err := strictJSON(part, &q.payload); err != nil {
				return q, err
			}
			continue
		}
		if !strings.HasPrefix(part.FormName(), "files[") {
			return q, fmt.Errorf("unknown part %q", part.FormName())
		}
		b, err := io.ReadAll(part)
		if err != nil {
			return q, err
		}
		q.files[part.FileName()] = b
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
