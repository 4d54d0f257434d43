package graphapi

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"usher/model/outlook"
)

// maxBody is what Graph takes of a request, in bytes.
const maxBody = 4 << 20

// call is one request on its way, or one item of a batch.
type call struct {
	method          string
	version         string // "v1.0" or "beta"
	segments        []string
	query           url.Values
	rawQuery        string
	header          http.Header
	body            []byte
	requestID       string
	clientRequestID string
	batched         bool

	claims claims
	vars   map[string]string
	prefer preferences

	units    int     // what it cost of the directory's resources
	used     float64 // of the limit
	throttle http.Header
}

// serveGraph reads a request off the wire and writes its answer.
func (s *Server) serveGraph(w http.ResponseWriter, r *http.Request) {
	c, err := readCall(w, r)
	var a answer
	if err != nil {
		a = c.failure(s.now(), err)
		s.record(c, a, false, 0)
	} else {
		a = s.handle(r.Context(), c)
	}
	write(w, a)
}

// readCall gives a call even with an error, so that there is something to answer with.
func readCall(w http.ResponseWriter, r *http.Request) (*call, error) {
	c := &call{method: r.Method, header: r.Header, requestID: newID(), clientRequestID: r.Header.Get("client-request-id")}
	if c.clientRequestID == "" {
		c.clientRequestID = c.requestID
	}
	if err := c.setURL(r.URL); err != nil {
		return c, err
	}
	c.version = strings.ToLower(c.segments[0])
	c.segments = c.segments[1:]
	if c.version != "v1.0" && c.version != "beta" {
		return c, badRequest("Invalid version: " + c.version)
	}
	var err error
	c.body, err = readBody(w, r)
	return c, err
}

func (c *call) setURL(u *url.URL) error {
	c.rawQuery = u.RawQuery
	c.query = url.Values{}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return badRequest("Malformed query.")
	}
	for name, values := range query { // OData's own names and Outlook's are taken in any case
		c.query[strings.ToLower(name)] = values
	}
	for part := range strings.SplitSeq(strings.Trim(u.EscapedPath(), "/"), "/") {
		segment, err := url.PathUnescape(part)
		if err != nil {
			return badRequest("Malformed path.")
		}
		c.segments = append(c.segments, segment)
	}
	return nil
}

// readBody undoes gzip. What says that it is gzip and is not, is refused as Graph does.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	unreadable := badRequest("Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
	reader := io.Reader(http.MaxBytesReader(w, r.Body, maxBody))
	if strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") && r.ContentLength != 0 {
		unzipped, err := gzip.NewReader(reader)
		if err != nil {
			return nil, unreadable
		}
		reader = io.LimitReader(unzipped, maxBody+1)
	}
	body, err := io.ReadAll(reader)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge || len(body) > maxBody {
		return nil, refuse(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "The size of the request is too large.")
	}
	if err != nil {
		return nil, unreadable
	}
	return bytes.TrimSpace(body), nil
}

// path is the path without version, as journal and faults have it. A slash inside an id stays escaped.
func (c *call) path() string {
	var b strings.Builder
	for _, segment := range c.segments {
		b.WriteByte('/')
		b.WriteString(strings.ReplaceAll(segment, "/", "%2F"))
	}
	return b.String()
}

// mailbox is whose mailbox the path is about, or "".
func (c *call) mailbox() string {
	if len(c.segments) > 2 && strings.EqualFold(c.segments[0], "users") {
		return strings.ToLower(c.segments[1])
	}
	return ""
}

// handle is the way of every request: fault, token, route, permission, work, fault again, journal.
func (s *Server) handle(ctx context.Context, c *call) answer {
	begun := s.now()
	fault, faulted := s.faults.take(c.method, c.path(), c.mailbox(), c.batched)
	fault.wait(ctx)
	var a answer
	if !faulted || fault.After || fault.Status == 0 {
		a = s.work(ctx, c)
	} else {
		a = newAnswer(fault.Status)
	}
	if faulted {
		a = fault.spoil(a, s.now(), func(code, message string, status int) answer {
			return c.failure(s.now(), refuse(status, code, message))
		})
	}
	a.header.Set("request-id", c.requestID)
	a.header.Set("client-request-id", c.clientRequestID)
	s.record(c, a, faulted, s.now().Sub(begun))
	return a
}

func (s *Server) work(ctx context.Context, c *call) answer {
	a, err := s.try(ctx, c)
	if err != nil {
		a = c.failure(s.now(), err)
		c.tell(a.header)
		if challenge, ok := errors.AsType[*claimsChallenge](err); ok {
			a.header.Set("WWW-Authenticate", challenge.header())
		}
		if a.status == http.StatusGone && c.vars["delta"] != "" {
			a.header.Set("Location", s.GraphURL+"/"+c.version+c.escaped()+"?$deltatoken=")
		}
		return a
	}
	c.prefer.apply(a.header)
	c.tell(a.header)
	return a
}

func (s *Server) try(ctx context.Context, c *call) (answer, error) {
	var err error
	if c.claims, err = s.authenticate(c.header.Get("Authorization")); err != nil {
		return answer{}, err
	}
	found, err := s.find(c)
	if err != nil {
		return answer{}, err
	}
	if err := found.permit(c.claims); err != nil {
		return answer{}, err
	}
	if c.prefer, err = readPreferences(c.header); err != nil {
		return answer{}, err
	}
	if s.opts.Directory != nil {
		s.opts.Directory.SyncMailboxes()
	}
	if mailbox := c.mailbox(); mailbox != "" && !found.directory() {
		if !s.enter(mailbox) {
			return answer{}, &outlook.Error{Kind: outlook.Throttled, After: time.Second}
		}
		defer s.leave(mailbox)
	}
	if found.identity() {
		if err := s.spend(c); err != nil {
			return answer{}, err
		}
	}
	return found.serve(s, ctx, c)
}

func (s *Server) record(c *call, a answer, faulted bool, took time.Duration) {
	status := a.status
	if a.cut {
		status = 0
	}
	s.journal.add(Request{
		At: s.now(), Took: took, Method: c.method, Path: c.path(), Query: c.rawQuery, Status: status,
		ClientRequestID: c.clientRequestID, RequestID: c.requestID, Prefer: strings.Join(c.header.Values("Prefer"), ", "),
		RetryAttempt: c.header.Get("Retry-Attempt"), Batched: c.batched, Faulted: faulted,
		Priority: c.header.Get("x-ms-throttle-priority"), Units: c.units,
	})
}

// escaped is the path without version as it stands in a link.
func (c *call) escaped() string {
	var b strings.Builder
	for _, segment := range c.segments {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(segment))
	}
	return b.String()
}

// write sends an answer; one that is cut ends the connection with a reset, in the middle of what was announced.
func write(w http.ResponseWriter, a answer) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if a.status != http.StatusNoContent {
		w.Header().Set("Content-Length", fmt.Sprint(len(a.body)))
	}
	if !a.cut {
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body) // the client is gone where it fails
		return
	}
	if len(a.body) > 1 {
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body[:len(a.body)/2])
		_ = http.NewResponseController(w).Flush()
	}
	panic(http.ErrAbortHandler) // net/http's way to end a connection without an answer
}

// newID is a random GUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
