package load

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// requestTimeout is how long Entra waits for an answer.
const requestTimeout = time.Minute

// client sends the requests.
type client struct {
	base, token string
	http        *http.Client
}

// newClient refuses all but loopback addresses, so that a mistyped address never
// puts a load on somebody's production.
func newClient(base, token string, connections int) (*client, error) {
	address, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("read the target's address: %w", err)
	}
	host := address.Hostname()
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("the target %q is not a loopback address", base)
	}
	return &client{
		base:  strings.TrimRight(base, "/"),
		token: token,
		http: &http.Client{
			Timeout: requestTimeout,
			Transport: &http.Transport{
				MaxIdleConns:        connections,
				MaxIdleConnsPerHost: connections,
				DisableCompression:  true,
			},
		},
	}, nil
}

// send returns the status and the whole body of an answer.
func (c *client) send(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("User-Agent", "") // Entra sends none
	if body != nil {
		request.Header.Set("Content-Type", "application/scim+json; charset=utf-8")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return 0, nil, err
	}
	answer, err := io.ReadAll(response.Body)
	if closed := response.Body.Close(); err == nil {
		err = closed
	}
	return response.StatusCode, answer, err
}
