package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

type api struct{ reader Reader }

// healthy: the process is up.
func (a api) healthy(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{"version": dossier.Version, "ok": true})
}

// ready: every chain is followed to its head, and the disk can be written. What does not work all the same is in the
// detail: a daemon that is restarted for it sees no more.
func (a api) ready(w http.ResponseWriter, r *http.Request) {
	s, err := a.reader.Status(r.Context())
	switch {
	case err != nil:
		refuse(w, http.StatusServiceUnavailable, "the status could not be read")
	case !s.Ready():
		refuse(w, http.StatusServiceUnavailable, notFollowed(s))
	default:
		s.sort()
		answer(w, http.StatusOK, map[string]any{"version": dossier.Version, "ok": true, "degraded": s.Degraded()})
	}
}

func notFollowed(s Status) string {
	if s.Disk != "" {
		return s.Disk
	}
	s.sort()
	if len(s.Chains) == 0 {
		return "no chain is followed yet"
	}
	for _, c := range s.Chains {
		if !c.Followed {
			return fmt.Sprintf("%s is not followed to its head; block %d was read last", c.Chain, c.Head.Number)
		}
	}
	return ""
}

func (a api) proposals(w http.ResponseWriter, r *http.Request) {
	list, err := a.reader.Proposals(r.Context())
	if err != nil {
		refuse(w, http.StatusInternalServerError, "the proposals could not be read")
		return
	}
	if list == nil {
		list = []dossier.Summary{}
	}
	answer(w, http.StatusOK, dossier.List{Version: dossier.Version, Proposals: list})
}

func (a api) proposal(w http.ResponseWriter, r *http.Request) {
	id, err := proposalOf(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	doc, err := a.reader.Document(r.Context(), id)
	switch {
	case errors.Is(err, ErrUnknown):
		refuse(w, http.StatusNotFound, "there is no such proposal")
	case err != nil:
		refuse(w, http.StatusInternalServerError, "the dossier could not be read")
	default:
		answer(w, http.StatusOK, doc)
	}
}

func proposalOf(r *http.Request) (id gov.ProposalID, err error) {
	if id.Chain, err = gov.ParseChainID(r.PathValue("chain")); err != nil {
		return id, err
	}
	if id.Governor, err = gov.ParseAddress(r.PathValue("governor")); err != nil {
		return id, err
	}
	id.Number, err = gov.ParseAmount(r.PathValue("number"))
	return id, err
}

func (a api) status(w http.ResponseWriter, r *http.Request) {
	s, err := a.reader.Status(r.Context())
	if err != nil {
		refuse(w, http.StatusInternalServerError, "the status could not be read")
		return
	}
	s.sort()
	answer(w, http.StatusOK, s)
}

// problem is an error as RFC 9457 has it.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// refuse answers with an error. detail is ours: no text of a node, a store or a stranger.
func refuse(w http.ResponseWriter, status int, detail string) {
	write(w, status, "application/problem+json", problem{"about:blank", http.StatusText(status), status, detail})
}

func answer(w http.ResponseWriter, status int, v any) { write(w, status, "application/json", v) }

// write encodes first and then answers, so that what cannot be encoded is an error and not half a document.
// Angle brackets and ampersands in strings are escaped: even read as HTML it would be text.
func write(w http.ResponseWriter, status int, contentType string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(append(dossier.InertJSON(body), '\n')) // an error says that the reader is gone
}
