package verify

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The bounds of an answer. Nothing that Entra reads comes near them.
const (
	maxBody   = 4 << 20
	maxHeader = 64 << 10
	maxDepth  = 64
)

// client speaks to one endpoint and to no other.
type client struct {
	base     *url.URL // without slash at the end and without query
	flags    string   // the query of the Tenant URL, which rides on every request
	token    string
	readOnly bool
	http     *http.Client
}

// request is what a check sends. The path begins behind the base and may carry a query.
type request struct {
	method, path string
	body         []byte
	header       map[string]string // over the usual ones; "" takes one away
}

func newClient(o Options) (*client, error) {
	base, err := parseBase(o)
	if err != nil {
		return nil, err
	}
	c := &client{base: base, flags: base.RawQuery, token: o.Token, readOnly: o.ReadOnly}
	base.RawQuery, base.Path = "", strings.TrimRight(base.Path, "/")
	transport := o.Transport
	if transport == nil {
		transport = &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			TLSClientConfig:        &tls.Config{InsecureSkipVerify: o.Insecure, MinVersion: tls.VersionTLS12},
			MaxResponseHeaderBytes: maxHeader, MaxIdleConnsPerHost: parallel, ForceAttemptHTTP2: true,
		}
	}
	c.http = &http.Client{
		Transport: transport, Timeout: o.Timeout,
		// A redirect is an answer like any other: followed, it could carry the token to a host that nobody named.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// parseBase refuses addresses that would show the token to the network.
func parseBase(o Options) (*url.URL, error) {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return nil, fmt.Errorf("%w: the URL of the endpoint is like https://host/scim/v2", ErrUsage)
	case u.User != nil:
		return nil, fmt.Errorf("%w: the URL must not carry a user or password; give the token apart", ErrUsage)
	case u.Scheme == "http" && !isLoopback(u.Hostname()) && !o.Insecure:
		return nil, fmt.Errorf("%w: plain http to %s shows the token to everybody on the way; use https, or say --insecure", ErrUsage, u.Host)
	case strings.ContainsAny(o.Token, "\r\n"):
		return nil, fmt.Errorf("%w: the token has a line break in it", ErrUsage)
	}
	u.Fragment = ""
	return u, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// errReadOnly is a fault of this package: a check that writes was not marked so.
var errReadOnly = errors.New("a write was stopped, since this run only reads")

// do sends the request, and again where the endpoint asks for patience (429): a limit of requests is no fault.
func (c *client) do(ctx context.Context, r request) (*answer, error) {
	for again := 0; ; again++ {
		a, err := c.once(ctx, r)
		if err != nil || a.status != http.StatusTooManyRequests || again == patience {
			return a, err
		}
		seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
		if err != nil || seconds < 0 {
			seconds = 1
		}
		select {
		case <-ctx.Done():
			return a, plainError(ctx.Err())
		case <-time.After(min(time.Duration(seconds)*time.Second, maxPause)):
		}
	}
}

// maxPause is how long an endpoint may make us wait before a request is sent again.
const maxPause = 10 * time.Second

// once sends the request and reads the whole answer, within the bounds.
func (c *client) once(ctx context.Context, r request) (*answer, error) {
	if c.readOnly && r.method != http.MethodGet && r.method != http.MethodHead {
		return nil, errReadOnly
	}
	req, err := c.build(ctx, r)
	if err != nil {
		return nil, err
	}
	a := &answer{request: r, url: req.URL.String()}
	begin := time.Now()
	res, err := c.http.Do(req)
	if err != nil {
		return a, plainError(err)
	}
	defer func() { _ = res.Body.Close() }()
	a.status, a.header = res.StatusCode, res.Header
	a.body, err = io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	a.took = time.Since(begin)
	switch {
	case err != nil:
		return a, fmt.Errorf("the answer broke off: %w", plainError(err))
	case len(a.body) > maxBody:
		a.body = a.body[:maxBody]
		return a, fmt.Errorf("the answer is larger than %d MiB", maxBody>>20)
	}
	a.parse()
	return a, nil
}

func (c *client) build(ctx context.Context, r request) (*http.Request, error) {
	path, query, _ := strings.Cut(r.path, "?")
	address := c.base.String() + path
	if query = strings.Trim(query+"&"+c.flags, "&"); query != "" {
		address += "?" + query
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, bytes.NewReader(r.body))
	if err != nil {
		return nil, fmt.Errorf("the request cannot be built: %w", err)
	}
	if len(r.body) == 0 {
		req.Body, req.GetBody = http.NoBody, nil
	} else {
		req.Header.Set("Content-Type", "application/scim+json; charset=utf-8")
	}
	req.Header.Set("Accept", "application/scim+json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for name, value := range r.header {
		if value == "" && name != "User-Agent" { // Go sends its own name unless told to send none
			req.Header.Del(name)
		} else {
			req.Header.Set(name, value)
		}
	}
	return req, nil
}

// unreachable is a request that got no answer at all.
type unreachable struct{ cause error }

func (e *unreachable) Error() string { return e.cause.Error() }
func (e *unreachable) Unwrap() error { return e.cause }

// plainError takes the address away, which the report names anyway, and tells a timeout in plain words.
func plainError(err error) error {
	if inner, ok := errors.AsType[*url.Error](err); ok {
		if inner.Timeout() {
			return &unreachable{errors.New("no answer in time")}
		}
		return &unreachable{inner.Err}
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return &unreachable{errors.New("no answer in time")}
	}
	return err
}
