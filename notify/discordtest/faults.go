package discordtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Thread is one thread of a forum.
type Thread struct {
	ID, Name         string
	Archived, Locked bool
}

// Rule answers every request that it fits with a failure.
type Rule struct {
	// On is the method; empty or "any" for every one that writes.
	On string `json:"on"`
	// Has and Unless are what the request must have, and must not have: "thread", "picture", "embed" or "name" (of a
	// new thread); empty for anything.
	Has    string `json:"has"`
	Unless string `json:"unless"`
	// Times is how often it answers; 0 for ever.
	Times int `json:"times"`

	Failure Failure `json:"-"`
}

// Always adds rules. They come before everything else that the stand-in would answer.
func (s *Server) Always(rules ...Rule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range rules {
		s.rules = append(s.rules, &r)
	}
}

// Mend takes every rule and failure away, and the limits.
func (s *Server) Mend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules, s.failures, s.limits.posts = nil, nil, 0
	clear(s.limits.open)
}

// SetForum makes the channel a forum, or a text channel.
func (s *Server) SetForum(forum bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forum = forum
}

// Threads are all threads, oldest first.
func (s *Server) Threads() []Thread {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Thread, len(s.threads))
	for i, t := range s.threads {
		out[i] = *t
	}
	return out
}

// SetThread archives or locks a thread, or opens it again, as a moderator would.
func (s *Server) SetThread(id string, archived, locked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.threadBy(id); t != nil {
		t.Archived, t.Locked = archived, locked
	}
}

// DeleteThread takes a thread away, with its messages.
func (s *Server) DeleteThread(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.threads = slices.DeleteFunc(s.threads, func(t *Thread) bool { return t.ID == id })
	s.messages = slices.DeleteFunc(s.messages, func(m *Message) bool { return m.Channel == id })
}

// LimitPosts lets n requests of one kind pass in a time, as Discord's buckets do.
func (s *Server) LimitPosts(n int, per time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits.posts, s.limits.per = n, per
}

// limits are how much may be sent, by kind of request.
type limits struct {
	posts int
	per   time.Duration
	sent  map[string][]time.Time
	open  map[string]time.Time // when a kind that was told to wait may come again; "" for all kinds
}

// early is how much too soon a request may come after a 429: clocks are read twice.
const early = 20 * time.Millisecond

// limited counts a request, and refuses one too many. One that comes before it may is a problem.
func (s *Server) limited(r *http.Request) *Failure {
	kind, now := kindOf(r), time.Now()
	for _, k := range []string{kind, ""} {
		if until := s.limits.open[k]; now.Add(early).Before(until) {
			left := until.Sub(now)
			s.problems = append(s.problems, fmt.Sprintf("a %s came %s before it may", r.Method, left))
			f := Limited(left.Seconds())
			if k == "" {
				f.Header.Set("X-RateLimit-Global", "true")
			}
			return &f
		}
	}
	if s.limits.posts == 0 {
		return nil
	}
	sent := slices.DeleteFunc(s.limits.sent[kind], func(t time.Time) bool { return now.Sub(t) >= s.limits.per })
	if len(sent) >= s.limits.posts {
		f := Limited(max(s.limits.per-now.Sub(sent[0]), time.Millisecond).Seconds())
		s.heed(r, f)
		return &f
	}
	s.limits.sent[kind] = append(sent, now)
	return nil
}

// heed notes what a 429 asks for.
func (s *Server) heed(r *http.Request, f Failure) {
	seconds, err := strconv.ParseFloat(f.Header.Get("Retry-After"), 64)
	if f.Status != http.StatusTooManyRequests || err != nil || !(seconds > 0) || seconds > 3600 {
		return
	}
	kind := kindOf(r)
	if f.Header.Get("X-Ratelimit-Global") == "true" {
		kind = ""
	}
	s.limits.open[kind] = time.Now().Add(time.Duration(seconds * float64(time.Second)))
}

func kindOf(r *http.Request) string { return r.Method + " " + r.Pattern }

// failure is the answer of a rule or of [Server.Fail]; nil for none.
func (s *Server) failure(q request) *Failure {
	for i, rule := range s.rules {
		if !rule.fits(q) {
			continue
		}
		if rule.Times > 0 {
			if rule.Times--; rule.Times == 0 {
				s.rules = slices.Delete(s.rules, i, i+1)
			}
		}
		return &rule.Failure
	}
	if len(s.failures) == 0 {
		return nil
	}
	f := s.failures[0]
	s.failures = s.failures[1:]
	return &f
}

func (rule Rule) fits(q request) bool {
	if q.method == http.MethodGet && rule.On != q.method || rule.On != "" && rule.On != "any" && rule.On != q.method {
		return false
	}
	return (rule.Has == "" || q.has(rule.Has)) && (rule.Unless == "" || !q.has(rule.Unless))
}

func (q request) has(what string) bool {
	switch what {
	case "thread":
		return q.thread != "" || q.ThreadName != ""
	case "name":
		return q.ThreadName != ""
	case "picture":
		return len(q.files) > 0
	case "embed":
		return len(q.embeds()) > 0
	}
	return false
}

func (s *Server) threadBy(id string) *Thread {
	for _, t := range s.threads {
		if t.ID == id {
			return t
		}
	}
	return nil
}

// destination is the channel or thread that a post goes to; empty for a thread that it starts.
func (s *Server) destination(r *http.Request, q request) (string, error) {
	room, to := r.PathValue("room"), q.thread
	if room != "" && room != Room {
		to = room // a bot speaks in a thread as in a channel
	}
	switch {
	case q.thread != "" && q.ThreadName != "":
		return "", &apiError{http.StatusBadRequest, codeBothThreads, "Webhooks posted to forum channels cannot have both a thread_name and thread_id"}
	case to != "":
		return to, s.reopen(to)
	case q.ThreadName != "" && !s.forum:
		return "", &apiError{http.StatusBadRequest, codeNoForum, "Webhooks can only create threads in forum channels"}
	case q.ThreadName != "":
		return "", nil
	case s.forum && room != "":
		return "", &apiError{http.StatusBadRequest, codeNoText, "Cannot send messages in a non-text channel"}
	case s.forum:
		return "", &apiError{http.StatusBadRequest, codeNeedsThread, "Webhooks posted to forum channels must have a thread_name or thread_id"}
	case room != "":
		return room, nil
	}
	return WebhookRoom, nil
}

// reopen is what a message does to a thread: an archived one opens, a locked one does not.
func (s *Server) reopen(id string) error {
	t := s.threadBy(id)
	switch {
	case t == nil:
		return &apiError{http.StatusNotFound, codeUnknownChannel, "Unknown Channel"}
	case t.Locked:
		return &apiError{http.StatusBadRequest, codeLocked, "Thread is locked"}
	}
	t.Archived = false
	return nil
}

// startThread is how a bot posts in a forum.
func (s *Server) startThread(w http.ResponseWriter, r *http.Request) {
	s.serve(w, r, func(q request) (any, error) {
		if !s.forum || r.PathValue("room") != Room || q.ThreadName == "" {
			return nil, &apiError{http.StatusBadRequest, codeWrongKind, "Cannot execute action on this channel type"}
		}
		m := s.add("", q)
		return map[string]any{"id": m.Channel, "type": kindThread, "name": q.ThreadName, "message": m}, nil
	})
}

// Discord's kinds of channels.
const (
	kindText   = 0
	kindThread = 11
	kindForum  = 15
)

// channel says what a channel is.
func (s *Server) channel(w http.ResponseWriter, r *http.Request) {
	s.serve(w, r, func(request) (any, error) {
		if r.PathValue("room") != Room {
			return nil, &apiError{http.StatusNotFound, codeUnknownChannel, "Unknown Channel"}
		}
		kind := kindText
		if s.forum {
			kind = kindForum
		}
		return map[string]any{"id": Room, "type": kind}, nil
	})
}

// webhook says what the webhook is: whoever tries its address without a message reads that.
func (s *Server) webhook(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("kind") != "webhooks" {
		http.NotFound(w, r)
		return
	}
	if err := authorized(r); err != nil {
		var api *apiError
		if errors.As(err, &api) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(api.status)
			_ = json.NewEncoder(w).Encode(map[string]any{"message": api.message, "code": api.code})
		}
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"id": WebhookID, "name": "stand-in", "channel_id": Room})
}
