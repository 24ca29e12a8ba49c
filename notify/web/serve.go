package web

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Serve answers at a listener until ctx ends, then lets what is being answered finish, for at most 3 s.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: answerTime + 5*time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	err := s.Shutdown(last)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.Close()
	}
	if served := <-done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// whole answers with the whole body at once, so that its length is known: HEAD is answered with the status and headers
// of GET, the length too, and no body.
func whole(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		held := &heldAnswer{header: w.Header(), status: http.StatusOK}
		next.ServeHTTP(held, r)
		if held.status != http.StatusNoContent {
			w.Header().Set("Content-Length", strconv.Itoa(held.body.Len()))
		}
		w.WriteHeader(held.status)
		if r.Method != http.MethodHead {
			_, _ = w.Write(held.body.Bytes()) // an error says that the reader is gone
		}
	})
}

// heldAnswer is an answer until it is complete.
type heldAnswer struct {
	header http.Header
	body   bytes.Buffer
	status int
	began  bool
}

// Header is the answer's own.
func (h *heldAnswer) Header() http.Header { return h.header }

// WriteHeader keeps the first status, as a connection does.
func (h *heldAnswer) WriteHeader(status int) {
	if !h.began {
		h.status, h.began = status, true
	}
}

// Write appends to the body.
func (h *heldAnswer) Write(b []byte) (int, error) {
	h.began = true
	return h.body.Write(b)
}
