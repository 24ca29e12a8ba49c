package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"strings"

	"golang.org/x/time/rate"
)

// cookieName is that of the login cookie. Its value is derived from the token and does not tell it.
const cookieName = "legate_login"

// Guard says whether it is safe to listen at an address: without a token on loopback only.
func Guard(listen, token string) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("listen address %q: %w", listen, err)
	}
	if token == "" && !loopback(host) {
		return fmt.Errorf("listen address %q is not on loopback, so a token is needed", listen)
	}
	return nil
}

// loopback says whether a host is this machine by a name that nobody else can point elsewhere.
func loopback(host string) bool {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// authorize lets requests with the token through. Wrong tokens are answered slowly, so that guessing is hopeless.
func authorize(token string, wrong *rate.Limiter, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case token == "" && loopback(hostOf(r.Host)):
		case token == "":
			refuse(w, http.StatusForbidden, "without a token only requests to localhost are answered")
			return
		case bears(r, token) || remembers(r, token):
		case !shows(r):
			askForToken(w, r)
			return
		case !wrong.Allow():
			w.Header().Set("Retry-After", "1")
			refuse(w, http.StatusTooManyRequests, "too many requests without the right token")
			return
		default:
			askForToken(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// shows says whether a request tries a token at all. One that does not is no guess, and is not slowed: who guesses
// cannot keep others from the page that asks for the token.
func shows(r *http.Request) bool {
	_, err := r.Cookie(cookieName)
	return err == nil || r.Header.Get("Authorization") != ""
}

// askForToken refuses: a browser gets the page to log in on, under whatever address it asked for.
func askForToken(w http.ResponseWriter, r *http.Request) {
	if wantsPage(r) && r.Header.Get("Authorization") == "" {
		page(w, http.StatusUnauthorized, "login", &problemView{frame: frame{Title: "Log in", Bare: true}})
		return
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="legate"`)
	refuse(w, http.StatusUnauthorized, "send the token of web.token as `Authorization: Bearer …`")
}

func hostOf(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return hostport
}

func bears(r *http.Request, token string) bool {
	scheme, given, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return ok && strings.EqualFold(scheme, "Bearer") && same(given, token)
}

func remembers(r *http.Request, token string) bool {
	c, err := r.Cookie(cookieName)
	return err == nil && same(c.Value, cookieValue(token))
}

// same compares in a time that tells neither content nor length.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

func cookieValue(token string) string {
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte("legate login cookie 1"))
	return hex.EncodeToString(mac.Sum(nil))
}

// login gives a browser that showed the token a cookie in its place. It stores nothing here. The token comes in a
// header, which the login page's script sets: so it is in no address, log or history, there is nothing to POST, and no
// other site can have a browser send it.
func login(token string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if token == "" {
			refuse(w, http.StatusNotFound, "no token is configured, so there is nothing to log in to")
			return
		}
		if wantsPage(r) {
			page(w, http.StatusOK, "login", &problemView{frame: frame{Title: "Log in", Bare: true}})
			return
		}
		http.SetCookie(w, &http.Cookie{
			Name: cookieName, Value: cookieValue(token), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
			Secure: r.TLS != nil, MaxAge: 12 * 3600,
		})
		w.WriteHeader(http.StatusNoContent)
	}
}
