package scim

import (
	"crypto/rand"
	"encoding/hex"
	"net"
	"net/http"
	"strings"
	"time"

	"usher/internal/secret"
	"usher/model"
	"usher/scim/journal"
)

// RequestLog keeps what clients asked for and were answered; *directory.RequestLog satisfies it. Its methods return at once:
// what is kept is put into words and written behind the answer.
type RequestLog interface {
	// Wants says whether requests that end with the status are kept at all.
	Wants(status int) bool
	Keep(e model.SCIMEntry)
	// Reject counts an attempt of somebody who is not known. IntegrationID is what the URL names, which may not exist;
	// ID, OrganizationID, Count, Hour and the times are the log's affair.
	Reject(r model.SCIMRejection)
}

// told is what a request tells the request log on its way.
type told struct {
	body  []byte // of the request, as it was received
	id    string // of the subject
	name  string // that the subject had before the request changed it
	found int    // how many resources a list found
	err   error  // what the request failed with
}

// about tells the request log which resource a request is about.
func (c *call) about(r *rendered) {
	if c.told.id == "" {
		c.told.id, c.told.name = r.id, r.name
	}
}

// found tells the request log what a list found.
func (c *call) found(total int, parts []part) {
	c.told.found = total
	for i := range parts {
		if total == 1 && len(parts[i].found) == 1 {
			c.about(&parts[i].found[0])
		}
	}
}

// requestID makes the id of a request that arrived at the time: a UUID of version 7 (RFC 9562 §5.7), so that ids sort as
// requests came.
func requestID(at time.Time) string {
	var raw [16]byte
	_, _ = rand.Read(raw[6:]) // never fails
	ms := at.UnixMilli()
	for i := range 6 {
		raw[i] = byte(ms >> (40 - 8*i)) //nolint:gosec // one byte after the other
	}
	raw[6], raw[8] = raw[6]&0x0f|0x70, raw[8]&0x3f|0x80
	text := make([]byte, 0, 36)
	for i, end := range []int{4, 6, 8, 10, 16} {
		text = hex.AppendEncode(text, raw[[]int{0, 4, 6, 8, 10}[i]:end])
		if end < len(raw) {
			text = append(text, '-')
		}
	}
	return string(text)
}

// keep gives a request that was answered to the request log.
func (h *Handler) keep(c *call, route string, a *answer, at time.Time, took time.Duration) {
	if h.opt.Log == nil {
		return
	}
	r := c.request
	if c.ref.IntegrationID == "" || a.status == http.StatusTooManyRequests { // which are counted, as there is no end to them
		if a.status < http.StatusInternalServerError {
			h.opt.Log.Reject(model.SCIMRejection{
				IntegrationID: c.integration, Cause: c.denial(), RemoteAddress: remoteOf(r), TokenID: claimedToken(r),
				UserAgent: journal.Clean(r.UserAgent(), maxHeader),
			})
		}
		return
	}
	if !h.opt.Log.Wants(a.status) {
		return
	}
	e := &journal.Entry{
		ID: c.requestID, Caller: c.caller, At: at, Took: took, Method: r.Method, Route: route, Resource: c.id,
		Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Filter: c.query["filter"], UserAgent: r.UserAgent(), RemoteAddress: remoteOf(r),
		Status: a.status, Deviations: c.deviations, SubjectID: c.told.id, SubjectName: c.told.name, Found: c.told.found, Err: c.told.err,
		Request: c.told.body, Answer: a.body,
		RequestHeaders: headersOf(r), AnswerHeaders: headersOfAnswer(a),
	}
	if i := strings.Index(e.Path, c.integration); i >= 0 {
		e.Path = e.Path[i+len(c.integration):]
	}
	h.opt.Log.Keep(e)
}

// denial says why somebody was not let in.
func (c *call) denial() string {
	if c.denied == "" {
		return "limit of requests"
	}
	return string(c.denied)
}

// remoteOf gives the address that the request came from, without the port: that of a proxy, where there is one.
func remoteOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return journal.Clean(host, 64)
}

// loggedHeaders are the request headers that the log keeps. Authorization is kept without its secret.
func loggedHeaders() []string {
	return []string{
		"Accept", "Adscimversion", "Authorization", "Client-Request-Id", "Content-Encoding", "Content-Type", "If-Match", "If-None-Match",
		"Traceparent", "User-Agent", "X-Forwarded-For", "X-Request-Id",
	}
}

// maxHeader is how much of a header's value is kept, in bytes.
const maxHeader = 256

func headersOf(r *http.Request) []model.SCIMHeader {
	list := make([]model.SCIMHeader, 0, 6)
	for _, name := range loggedHeaders() {
		values := r.Header[name]
		if len(values) == 0 {
			continue
		}
		value := values[0]
		if name == "Authorization" {
			value = redactAuthorization(value)
		}
		list = append(list, model.SCIMHeader{Name: name, Value: journal.Clean(value, maxHeader)})
	}
	return list
}

// redactAuthorization keeps the scheme where it is a known one; anything else may be the secret itself.
func redactAuthorization(value string) string {
	scheme, _, _ := strings.Cut(strings.TrimSpace(value), " ")
	for _, known := range []string{"Bearer", "Basic", "Digest", "Negotiate"} {
		if strings.EqualFold(scheme, known) {
			return known + " " + journal.Redacted
		}
	}
	return journal.Redacted
}

func headersOfAnswer(a *answer) []model.SCIMHeader {
	list := make([]model.SCIMHeader, 0, 2)
	for _, h := range []model.SCIMHeader{
		{Name: "Location", Value: a.location}, {Name: "ETag", Value: a.etag}, {Name: "Allow", Value: a.allow}, {Name: "Retry-After", Value: a.retry},
	} {
		if h.Value != "" {
			list = append(list, h)
		}
	}
	return list
}

// claimedToken gives the id that the bearer token claims to have, without believing it; "" where it has none.
func claimedToken(r *http.Request) string {
	_, token, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	id, _ := secret.TokenID(secret.PrefixSCIM, strings.TrimSpace(token))
	return id
}
