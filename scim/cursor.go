package scim

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	scimerrors "github.com/elimity-com/scim/errors"

	"usher/model"
	"usher/scim/fault"
)

// Sealer keeps cursors from being read or made by clients; *secret.Keyring satisfies it. What was sealed for one purpose
// does not open for another.
type Sealer interface {
	Seal(plain, purpose string) (keyID string, sealed []byte)
	Open(keyID string, sealed []byte, purpose string) (string, error)
}

// cursorTimeout is how long a cursor can be used after the page that it came with (RFC 9865 §4).
const cursorTimeout = time.Hour

// maxCursor is more characters than any cursor has.
const maxCursor = 512

// The words of RFC 9865 §2.1.
const (
	invalidCursor scimerrors.ScimType = "invalidCursor"
	expiredCursor scimerrors.ScimType = "expiredCursor"
	invalidCount  scimerrors.ScimType = "invalidCount"
)

// place is where a page ended.
type place struct {
	issued time.Time
	count  int    // of the query that the cursor belongs to
	kind   string // name of the resource type of the last resource
	id     string // of the last resource
}

func badPage(typ scimerrors.ScimType, format string, args ...any) error {
	return &fault.Error{Status: http.StatusBadRequest, Type: typ, Detail: fmt.Sprintf(format, args...)}
}

// purpose binds a cursor to everything that decides about what comes behind it. The count is not in it, because another
// count is to be told from another query.
func (c *call) purpose(s *search, of []collection) string {
	parts := []string{"scim cursor 1", c.ref.OrganizationID, c.ref.IntegrationID}
	for i := range of {
		parts = append(parts, of[i].res.Name)
	}
	order := "ascending"
	if s.descending {
		order = "descending"
	}
	return strings.Join(append(parts, s.filter, strings.ToLower(s.sortBy), order), "\x00")
}

// sealCursor writes a cursor in characters that need no escape in a URL.
func (h *Handler) sealCursor(p place, purpose string) string {
	id, sealed := h.opt.Cursors.Seal(fmt.Sprintf("%d %d %s %s", p.issued.Unix(), p.count, p.kind, p.id), purpose)
	return id + "." + base64.RawURLEncoding.EncodeToString(sealed)
}

// openCursor reads a cursor. One that was made up and one of another query are answered alike, so that neither tells
// anything of the other.
func (h *Handler) openCursor(text, purpose string) (place, error) {
	unknown := badPage(invalidCursor, "cursor: does not belong to this query; repeat the query with the nextCursor of its page before, "+
		"and else as it was, or begin again with an empty cursor")
	keyID, rest, ok := strings.Cut(text, ".")
	sealed, err := base64.RawURLEncoding.DecodeString(rest)
	if !ok || err != nil || len(text) > maxCursor {
		return place{}, unknown
	}
	plain, err := h.opt.Cursors.Open(keyID, sealed, purpose)
	if err != nil {
		return place{}, unknown
	}
	var p place
	var issued int64
	if _, err := fmt.Sscanf(plain, "%d %d %s %s", &issued, &p.count, &p.kind, &p.id); err != nil {
		return place{}, unknown
	}
	if p.issued = time.Unix(issued, 0); h.opt.Now().Sub(p.issued) > cursorTimeout {
		return place{}, badPage(expiredCursor, "cursor: is older than %d seconds; begin again with an empty cursor", int(cursorTimeout.Seconds()))
	}
	return p, nil
}

// lostPlace says that the resource is gone whose place in a sorted list a cursor is.
func lostPlace(err error) error {
	if e, ok := errors.AsType[*model.Error](err); ok && e.Kind == model.NotFound && e.Field == "cursor" {
		return badPage(expiredCursor, "cursor: the resource that ended the page before was deleted, and with it its place in this order; "+
			"begin again with an empty cursor")
	}
	return err
}
