package graph

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"

	"usher/model/entra"
	"usher/model/outlook"
)

// call is what the pipeline must know of a request beyond the request itself. It travels in the context, below the SDK.
type call struct {
	operation string   // a name for logs and metrics: "events.update"
	mailbox   string   // whose gate it passes; "" for none
	safe      bool     // a second time does no harm, so that it may be repeated
	prefer    []string // values of the header Prefer; they must be on every page, which is why no caller of the SDK sets them
	ifMatch   string   // a change key
	units     int      // resource units that it costs; 0 for what is not the directory's
	eventual  bool     // an advanced query of the directory, which reads an index (header ConsistencyLevel)
	media     bool     // the answer is no JSON
}

type callKey struct{}

// pipeline carries requests of the SDK to Graph. In this order: the gate of the mailbox, the budget of the directory, the rate of
// the client, the token, the request, one repetition for a challenge of Continuous Access Evaluation, the answer read whole; around it all the repetition
// of what may be repeated. The SDK sees complete JSON answers with a status below 300 and nothing else.
type pipeline struct {
	base      http.RoundTripper
	root      *url.URL
	token     func(ctx context.Context, claims string) (string, error)
	gate      *gate
	budget    *budget
	rate      *rate.Limiter
	retries   int
	longest   time.Duration
	timeout   time.Duration
	maxBytes  int64
	now       func() time.Time
	monotonic func() time.Time // the machine's clock, for the rate: a clock that stands still must not stop it
	sleep     sleeper
	jitter    func() float64
	log       *slog.Logger
	observe   func(Observation)
}

// RoundTrip satisfies http.RoundTripper. A failure is an *outlook.Error, or the context's.
func (p *pipeline) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	c, ok := ctx.Value(callKey{}).(call)
	if !ok {
		return nil, errors.New("a request came into the pipeline without its call")
	}
	if !p.owns(r.URL) {
		return nil, &outlook.Error{Kind: outlook.Invalid, Code: codeForeign, Message: "the address is not Graph's"}
	}
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close() // it is a buffer of the SDK
	}
	for attempt := 1; ; attempt++ {
		answer, failed, err := p.attempt(r, c, body, attempt)
		if err != nil || failed == nil {
			return answer, err
		}
		wait := delay(failed.After, attempt, p.jitter())
		if failed.Kind == outlook.Throttled && failed.After == 0 {
			failed.After = wait
		}
		if attempt > p.retries || !repeatable(r.Method, c, failed) || wait > p.longest || endsBefore(ctx, wait) {
			return nil, failed
		}
		if err := p.sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// owns says that a URL leads to the Graph that the token is for.
func (p *pipeline) owns(u *url.URL) bool {
	return u.User == nil && strings.EqualFold(u.Scheme, p.root.Scheme) && strings.EqualFold(u.Host, p.root.Host)
}

// repeatable says whether a request that failed so may be sent again. Where no token could be had nothing was sent, so that it
// always may; codePaused was not sent either, but its wait is the caller's.
func repeatable(method string, c call, failed *outlook.Error) bool {
	if failed.Code == codePaused || failed.Code == codeBusy {
		return false
	}
	if strings.HasPrefix(failed.Code, "Token") || strings.HasPrefix(failed.Code, "AADSTS") {
		return failed.Kind == outlook.Unavailable || failed.Kind == outlook.Throttled
	}
	if !c.safe { // the directory refuses what is too much before it does anything
		return c.units > 0 && failed.Status == http.StatusTooManyRequests
	}
	switch failed.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	case http.StatusPreconditionFailed: // Exchange has been seen to answer plain reads so
		return method == http.MethodGet && c.ifMatch == ""
	}
	return failed.Code == codeBroken
}

// attempt sends the request once. It gives an answer, a failure that Graph or the way to it told, or an error that ends it all.
func (p *pipeline) attempt(r *http.Request, c call, body []byte, number int) (*http.Response, *outlook.Error, error) {
	ctx := r.Context()
	leave, err := p.gate.enter(ctx, c.mailbox, p.now, p.sleep)
	if err != nil {
		return p.unsent(ctx, c, number, err)
	}
	defer leave()
	if err := p.budget.take(ctx, c, r.Method, p); err != nil {
		return p.unsent(ctx, c, number, err)
	}
	if err := p.takeRate(ctx); err != nil {
		return p.unsent(ctx, c, number, err)
	}
	token, err := p.token(ctx, "")
	if err != nil {
		return p.unsent(ctx, c, number, err)
	}
	answer, failed, challenge := p.send(r, c, body, token, number)
	if challenge != "" {
		if token, err = p.token(ctx, challenge); err != nil {
			return p.unsent(ctx, c, number, err)
		}
		answer, failed, _ = p.send(r, c, body, token, number)
	}
	switch {
	case failed == nil:
		return answer, nil, nil
	case failed.Code == codeBroken && ctx.Err() != nil && c.safe:
		return nil, nil, ctx.Err()
	case failed.Code == codeBroken && ctx.Err() != nil: // it may have been carried out all the same
		return nil, nil, fmt.Errorf("%w: %w", ctx.Err(), failed)
	case failed.Kind == outlook.Throttled && failed.After > 0:
		p.gate.pause(c.mailbox, p.now().Add(failed.After), p.now())
		if c.units > 0 {
			p.budget.pause(p.now().Add(failed.After))
		}
	}
	return nil, failed, nil
}

// unsent sorts an error from before the request was sent, and tells it.
func (p *pipeline) unsent(ctx context.Context, c call, number int, err error) (*http.Response, *outlook.Error, error) {
	failed, ok := errors.AsType[*outlook.Error](err)
	if !ok {
		return nil, nil, err
	}
	p.tell(ctx, c, nil, failed, "", number, 0)
	return nil, failed, nil
}

func (p *pipeline) takeRate(ctx context.Context) error {
	now := p.monotonic()
	if wait := p.rate.ReserveN(now, 1).DelayFrom(now); wait > 0 {
		return p.sleep(ctx, wait)
	}
	return nil
}

// send makes one HTTP exchange. The challenge is the claims that Graph wants in the next token, from a 401.
func (p *pipeline) send(r *http.Request, c call, body []byte, token string, number int) (answer *http.Response, failed *outlook.Error, challenge string) {
	ctx, cancel := context.WithTimeout(r.Context(), p.timeout)
	defer cancel()
	started := p.now()
	id := uuid.NewString()
	request := p.prepare(r.Clone(ctx), c, body, token, id)
	response, err := p.base.RoundTrip(request)
	if err != nil {
		failed = &outlook.Error{Kind: outlook.Unavailable, Code: codeBroken, Message: "no answer came"}
	} else {
		answer, failed = p.read(response, c)
		p.budget.settle(c, response.Header, p.monotonic())
		if failed != nil && failed.Status == http.StatusUnauthorized {
			challenge = claims(response.Header)
		}
	}
	p.tell(ctx, c, response, failed, id, number, p.now().Sub(started))
	return answer, failed, challenge
}

func (p *pipeline) prepare(request *http.Request, c call, body []byte, token, id string) *http.Request {
	request.Body, request.GetBody, request.ContentLength = http.NoBody, nil, 0
	if len(body) > 0 {
		request.Body, request.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	request.URL.RawQuery = plainNames(request.URL.RawQuery)
	for _, value := range c.prefer {
		request.Header.Add("Prefer", value)
	}
	if c.ifMatch != "" {
		request.Header.Set("If-Match", `W/"`+c.ifMatch+`"`)
	}
	if c.eventual {
		request.Header.Set("ConsistencyLevel", "eventual")
	}
	if urgent := priority(entra.PriorityOf(request.Context())); urgent != "" && c.units > 0 {
		request.Header.Set("x-ms-throttle-priority", urgent)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("User-Agent", "Usher")
	request.Header.Set("client-request-id", id)
	return request
}

// plainNames writes the names of OData's parameters with their dollar, which the SDK's templates escape.
func plainNames(query string) string {
	parameters := strings.Split(query, "&")
	for i, parameter := range parameters {
		if rest, escaped := strings.CutPrefix(parameter, "%24"); escaped {
			parameters[i] = "$" + rest
		}
	}
	return strings.Join(parameters, "&")
}

// read reads an answer whole: one that is cut off, too large or no JSON must not reach the SDK, which would lose its status.
func (p *pipeline) read(response *http.Response, c call) (*http.Response, *outlook.Error) {
	defer response.Body.Close() //nolint:errcheck // everything that is wanted of it was read
	status := response.StatusCode
	failed := &outlook.Error{Kind: outlook.Unavailable, Status: status, RequestID: cleanCode(response.Header.Get("request-id"))}
	if status >= 400 {
		body, _ := io.ReadAll(io.LimitReader(response.Body, maxErrorBody)) // the status says enough
		return nil, failure(c, status, response.Header, body, p.now())
	}
	if status < 200 || status >= 300 {
		failed.Kind, failed.Code, failed.Message = outlook.Other, codeRedirect, "Graph led to another address, which is not followed"
		return nil, failed
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, p.maxBytes+1))
	switch {
	case err != nil:
		failed.Code, failed.Message = codeBroken, "the answer was cut off"
		return nil, failed
	case int64(len(body)) > p.maxBytes:
		failed.Code, failed.Message = codeTooLarge, fmt.Sprintf("the answer is larger than %d bytes", p.maxBytes)
		return nil, failed
	case !c.media && len(body) > 0 && !json.Valid(body):
		failed.Code, failed.Message = codeUnread, "the answer is no JSON"
		return nil, failed
	}
	if !c.media {
		response.Header.Set("Content-Type", "application/json")
	}
	response.Header.Del("Content-Length")
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return response, nil
}

// tell logs and counts one attempt. Neither the URL nor the message is logged: both hold personal data.
func (p *pipeline) tell(ctx context.Context, c call, response *http.Response, failed *outlook.Error, id string, number int, took time.Duration) {
	status, requestID := 0, ""
	if response != nil {
		status, requestID = response.StatusCode, cleanCode(response.Header.Get("request-id"))
	} else if failed != nil { // the token endpoint's
		status, requestID = failed.Status, failed.RequestID
	}
	p.observe(Observation{Operation: c.operation, Status: status, Outcome: outcome(failed), Attempt: number, Duration: took})
	level, text := slog.LevelDebug, "Graph answered"
	attributes := []slog.Attr{
		slog.String("operation", c.operation), slog.Int("status", status), slog.Int("attempt", number), slog.Duration("took", took),
		slog.String("mailbox", c.mailbox), slog.String("client_request_id", id), slog.String("request_id", requestID),
	}
	if failed != nil {
		level, text = slog.LevelInfo, "Graph refused"
		attributes = append(attributes, slog.String("code", failed.Code), slog.Duration("retry_after", failed.After))
	}
	p.log.LogAttrs(ctx, level, text, attributes...)
}

var claimsParameter = regexp.MustCompile(`(?i)\bclaims\s*=\s*"([^"]*)"`)

// claims reads the challenge of Continuous Access Evaluation from a 401: WWW-Authenticate: Bearer …, claims="<base64>".
func claims(header http.Header) string {
	for _, value := range header.Values("WWW-Authenticate") {
		found := claimsParameter.FindStringSubmatch(value)
		if found == nil {
			continue
		}
		text := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(found[1], "="))
		decoded, err := base64.RawStdEncoding.DecodeString(text)
		if err == nil && json.Valid(decoded) {
			return string(decoded)
		}
	}
	return ""
}
