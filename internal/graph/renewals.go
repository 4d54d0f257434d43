package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"

	"usher/model/outlook"
)

// mostOfBatch is how many requests a $batch may have.
const mostOfBatch = 20

const opRenew = "subscriptions.renew"

// Renew moves the ends of subscriptions, each for itself, in the order they are given, twenty in a request. What Graph refuses is
// in each result. The error is that of the way to Graph; the results that it concerns carry it as well, so that those before it
// are not lost.
func (c *Client) Renew(ctx context.Context, list []outlook.Renewal) ([]outlook.Renewed, error) {
	results := make([]outlook.Renewed, len(list))
	for i, renewal := range list {
		results[i].ID = renewal.ID
	}
	for start := 0; start < len(list); start += mostOfBatch {
		end := min(start+mostOfBatch, len(list))
		if err := c.renew(ctx, list[start:end], results[start:end]); err != nil {
			for i := end; i < len(list); i++ {
				results[i].Err = err
			}
			return results, err
		}
	}
	return results, nil
}

// item is one renewal of a batch that has no result yet.
type item struct {
	index   int
	until   time.Time
	shorter bool // was refused once for being too long
}

// renew carries out one batch, and again those of it that Graph wants later or shorter.
func (c *Client) renew(ctx context.Context, list []outlook.Renewal, results []outlook.Renewed) error {
	var pending []item
	for i, renewal := range list {
		if unnamed(renewal.ID) {
			results[i].Err = missing("a subscription")
			continue
		}
		pending = append(pending, item{index: i, until: renewal.ExpiresAt})
	}
	for attempt := 1; len(pending) > 0; attempt++ {
		answers, err := c.batch(ctx, list, pending)
		if err != nil {
			for _, p := range pending {
				results[p.index].Err = err
			}
			return err
		}
		var wait time.Duration
		pending, wait = c.settle(pending, answers, results, attempt)
		if wait == 0 || len(pending) == 0 {
			continue
		}
		if err := c.pipeline.sleep(ctx, wait); err != nil {
			return err // each result of those that wait has its failure already
		}
	}
	return nil
}

// settle takes the results out of a batch's answers. It gives what is to be sent again, and after how long.
func (c *Client) settle(pending []item, answers map[int]batchAnswer, results []outlook.Renewed, attempt int) (again []item, wait time.Duration) {
	for _, p := range pending {
		answer, ok := answers[p.index]
		if !ok {
			results[p.index].Err = unreadable("the batch has no answer for this request")
			continue
		}
		until, failed := c.renewed(answer)
		if failed == nil {
			results[p.index].ExpiresAt, results[p.index].Err = until, nil
			continue
		}
		pause := delay(failed.After, attempt, c.pipeline.jitter())
		if failed.Kind == outlook.Throttled && failed.After == 0 {
			failed.After = pause
		}
		results[p.index].Err = failed
		switch {
		case failed.Kind == outlook.TooLong && !p.shorter:
			again = append(again, item{index: p.index, until: c.now().Add(shortLife), shorter: true})
		case repeatable(http.MethodPatch, call{safe: true}, failed) && attempt <= c.pipeline.retries && pause <= c.pipeline.longest:
			again, wait = append(again, p), max(wait, pause)
		}
	}
	return again, wait
}

// renewed reads the end of a subscription from an item of a batch.
func (c *Client) renewed(answer batchAnswer) (time.Time, *outlook.Error) {
	if answer.Status >= 400 {
		failed := failure(call{operation: opRenew}, answer.Status, answer.header(), answer.Body, c.now())
		return time.Time{}, failed
	}
	var body struct {
		ExpiresAt time.Time `json:"expirationDateTime"`
	}
	if json.Unmarshal(answer.Body, &body) != nil || body.ExpiresAt.IsZero() {
		return time.Time{}, unreadable("the answer is a subscription without end")
	}
	return body.ExpiresAt.UTC(), nil
}

// batchAnswer is one item of the answer to a $batch.
type batchAnswer struct {
	ID      string          `json:"id"`
	Status  int             `json:"status"`
	Headers map[string]any  `json:"headers"`
	Body    json.RawMessage `json:"body"`
}

func (a batchAnswer) header() http.Header {
	header := http.Header{}
	for name, text := range a.Headers {
		header.Set(name, fmt.Sprint(text))
	}
	return header
}

type batchRequest struct {
	ID      string            `json:"id"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    any               `json:"body"`
}

// batch sends the renewals in one request. Its own JSON is simpler than the SDK's batches, which lose the status of an item
// whose body is not what they expect.
func (c *Client) batch(ctx context.Context, list []outlook.Renewal, pending []item) (map[int]batchAnswer, error) {
	var body struct {
		Requests []batchRequest `json:"requests"`
	}
	for _, p := range pending {
		body.Requests = append(body.Requests, batchRequest{
			ID:      strconv.Itoa(p.index + 1),
			Method:  http.MethodPatch,
			URL:     "/subscriptions/" + url.PathEscape(list[p.index].ID),
			Headers: map[string]string{"Content-Type": "application/json"},
			Body:    map[string]string{"expirationDateTime": instant(p.until)},
		})
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	info := abstractions.NewRequestInformationWithMethodAndUrlTemplateAndPathParameters(abstractions.POST, "{+baseurl}/$batch", map[string]string{})
	info.Headers.TryAdd("Accept", "application/json")
	info.SetStreamContentAndContentType(text, "application/json")
	answer, err := c.fetchBytes(ctx, call{operation: opRenew, safe: true}, info, nil)
	if err != nil {
		return nil, err
	}
	var read struct {
		Responses []batchAnswer `json:"responses"`
	}
	if err := json.Unmarshal(answer, &read); err != nil {
		return nil, unreadable("the answer to the batch cannot be read")
	}
	answers := make(map[int]batchAnswer, len(read.Responses))
	for _, one := range read.Responses {
		if id, err := strconv.Atoi(one.ID); err == nil {
			answers[id-1] = one
		}
	}
	return answers, nil
}
