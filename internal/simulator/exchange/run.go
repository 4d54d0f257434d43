package exchange

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// Step carries out everything that is due by Options.Now: rooms answer, subscriptions end, notifications go out. It says how
// many of these things happened. What they bring about is carried out too where it is due at once.
func (t *Tenant) Step(ctx context.Context) int {
	total := 0
	for ctx.Err() == nil {
		t.mu.Lock()
		n := t.answerRooms()
		t.expire()
		t.remind()
		t.mu.Unlock()
		n += t.deliverDue(ctx)
		if n == 0 {
			break
		}
		total += n
	}
	return total
}

// NextDue tells when the next room answers or the next notification goes out; false where nothing is waiting.
func (t *Tenant) NextDue() (time.Time, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var due []time.Time
	for _, d := range t.deliveries {
		due = append(due, d.due)
	}
	for _, a := range t.answers {
		due = append(due, a.at)
	}
	if len(due) == 0 {
		return time.Time{}, false
	}
	return slices.MinFunc(due, time.Time.Compare), true
}

// Run calls Step in real time, every so often, until stop is called or the context ends. stop returns when the last Step is
// over, and may be called twice.
func (t *Tenant) Run(ctx context.Context, every time.Duration) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				t.Step(ctx)
			}
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}

// maxAnswer bounds what is read of an application's answer, in bytes.
const maxAnswer = 64 << 10

// OverHTTP gives a Deliver that calls URLs as Graph does. Redirects are the client's affair.
func OverHTTP(client *http.Client) Deliver {
	return func(ctx context.Context, to string, body []byte, validationToken string) (int, string, error) {
		target, err := url.Parse(to)
		if err != nil {
			return 0, "", err
		}
		contentType := "application/json; charset=utf-8"
		if validationToken != "" {
			query := "validationToken=" + url.QueryEscape(validationToken)
			if target.RawQuery != "" { // what the application has put there stays as it is
				query = target.RawQuery + "&" + query
			}
			target.RawQuery, contentType = query, "text/plain; charset=utf-8"
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
		if err != nil {
			return 0, "", err
		}
		request.Header.Set("Content-Type", contentType)
		response, err := client.Do(request)
		if err != nil {
			return 0, "", err
		}
		answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
		if closing := response.Body.Close(); err == nil {
			err = closing
		}
		return response.StatusCode, string(answer), err
	}
}
