package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"usher/model"
)

// The bounds of a request.
const (
	requestWithin = 15 * time.Second
	connectWithin = 5 * time.Second
	answerBytes   = 64 << 10 // of an answer that are read, so that its connection can be used again
	excerptBytes  = 1 << 10  // of an answer that are kept
	maxIdleConns  = 512      // of all endpoints; many of them may stand behind one address, as those of one application's customers
	idleFor       = 90 * time.Second
)

// NewClient gives the client that messages are sent with: it follows no redirect, and calls only addresses that the guard lets pass.
func NewClient(guard Guard) *http.Client {
	dialer := &net.Dialer{Timeout: connectWithin, Control: guard.control}
	return &http.Client{
		Timeout: requestWithin,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: connectWithin, ForceAttemptHTTP2: true, MaxIdleConns: maxIdleConns,
			MaxIdleConnsPerHost: maxIdleConns, IdleConnTimeout: idleFor, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// sender sends messages to one endpoint.
type sender struct {
	client  *http.Client
	url     string
	secrets []string
	agent   string
	now     func() time.Time
}

// send makes one attempt.
func (s *sender) send(ctx context.Context, id string, body []byte, number int) model.WebhookAttempt {
	at := s.now()
	attempt := model.WebhookAttempt{Number: number, At: at.UTC().Truncate(time.Millisecond)}
	status, answer, err := s.post(ctx, id, at, body)
	attempt.Duration, attempt.Status, attempt.Response = s.now().Sub(at).Milliseconds(), status, answer
	switch {
	case err != nil:
		attempt.Error = inWords(err)
	case status >= 300 && status < 400:
		attempt.Error = fmt.Sprintf("the endpoint answered %d; redirects are not followed, so enter the final URL", status)
	case status == http.StatusGone:
		attempt.Error = "the endpoint answered 410: it wants no more messages"
	case status < 200 || status >= 300:
		attempt.Error = fmt.Sprintf("the endpoint answered %d", status)
	}
	return attempt
}

func (s *sender) post(ctx context.Context, id string, at time.Time, body []byte) (int, string, error) {
	signature, err := sign(s.secrets, id, at, body)
	if err != nil {
		return 0, "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", s.agent)
	req.Header["webhook-id"] = []string{id} //nolint:canonicalheader // as Standard Webhooks writes them
	req.Header["webhook-timestamp"] = []string{strconv.FormatInt(at.Unix(), 10)}
	req.Header["webhook-signature"] = []string{signature}
	res, err := s.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()
	excerpt, err := io.ReadAll(io.LimitReader(res.Body, excerptBytes))
	if err == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(res.Body, answerBytes))
	}
	if err != nil && res.StatusCode >= 300 {
		err = nil // the status says enough
	}
	return res.StatusCode, readable(excerpt), err
}

// readable makes text of what somebody answered.
func readable(raw []byte) string {
	text := strings.ReplaceAll(strings.ToValidUTF8(string(raw), "\uFFFD"), "\x00", "\uFFFD")
	for len(text) > excerptBytes {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}

// inWords says what went wrong on the way, without the URL, which may hold a secret.
func inWords(err error) string {
	if private, ok := errors.AsType[PrivateError](err); ok {
		return private.Error()
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		if u.Timeout() {
			return "the endpoint did not answer within " + requestWithin.String()
		}
		err = u.Err
	}
	return "the endpoint could not be reached: " + readable([]byte(err.Error()))
}
