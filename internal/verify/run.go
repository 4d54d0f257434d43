package verify

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Options say which endpoint is asked, what, and how.
type Options struct {
	URL      string // the endpoint's base, which Entra calls Tenant URL; flags in its query are sent along
	Token    string // bearer token; none is sent where it is empty
	Insecure bool   // take any certificate, and plain http to any host
	ReadOnly bool   // send GET alone
	Only     []string
	Timeout  time.Duration // of one request; 30 seconds where it is 0
	// Transport sends the requests; nil means a new one. TLS settings are its own then.
	Transport http.RoundTripper
	Now       func() time.Time
	// Watch is told each result as it comes; nil means nobody.
	Watch func(Result)
}

const (
	defaultTimeout = 30 * time.Second
	// sweepTime is how long the removal of what was made may go on after an interruption.
	sweepTime = 30 * time.Second
	// patience is how many requests in a row may stay without any answer before the rest is given up.
	patience = 3
	// parallel is how many requests are sent at once where a check asks for that.
	parallel = 20
)

// session is one run over one endpoint.
type session struct {
	client   *client
	prefix   string         // begins the name of everything that is made
	marks    *regexp.Regexp // finds names of this run in a text
	number   int            // of the last name
	ledger   ledger
	features map[Feature]bool
	maxBulk  int
	silent   int // requests in a row that got no answer
}

// Run asks everything and removes what it made. It ends early when ctx ends, and removes what it made even then. The
// error is about the options alone: whatever the endpoint does is in the report.
func Run(ctx context.Context, o Options) (*Report, error) {
	checks, err := choose(Checks(), o.Only)
	if err != nil {
		return nil, err
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c, err := newClient(o)
	if err != nil {
		return nil, err
	}
	mark := make([]byte, 5)
	_, _ = rand.Read(mark) // never fails
	s := &session{client: c, prefix: "usher-verify-" + hex.EncodeToString(mark)}
	s.marks = marksOf(s.prefix)
	report := &Report{URL: s.clean(o.URL, maxValue), Started: o.Now().UTC(), ReadOnly: o.ReadOnly}
	s.learn(ctx)
	for i := range checks {
		if ctx.Err() != nil {
			report.Interrupted = true
			break
		}
		result := s.examine(ctx, &checks[i], o.ReadOnly)
		report.Results = append(report.Results, result)
		if o.Watch != nil {
			o.Watch(result)
		}
	}
	report.Interrupted = report.Interrupted || ctx.Err() != nil
	after, cancel := beyond(ctx)
	defer cancel()
	s.sweep(after, 1) // what an endpoint would not remove at once, it may remove now
	report.Left = s.left()
	report.Finished = o.Now().UTC()
	return report, nil
}

// examine runs one check, then removes what it made.
func (s *session) examine(ctx context.Context, c *Check, readOnly bool) Result {
	result := Result{Name: c.Name, Asserts: c.Asserts, Source: c.Source, Severity: c.Severity, Outcome: Passed}
	if reason := s.unfit(c, readOnly); reason != "" {
		result.Outcome, result.Reason = Skipped, reason
		return result
	}
	begin := time.Now()
	t := &talk{ctx: ctx, s: s}
	c.run(t)
	result.Milliseconds = time.Since(begin).Milliseconds()
	if skip, ok := errors.AsType[*notOffered](t.err); ok {
		result.Outcome, result.Reason = Skipped, s.clean(skip.reason, maxValue)
	} else if t.err != nil {
		result.Outcome, result.Reason = Failed, s.clean(t.err.Error(), maxShown)
		result.Exchange = s.exchange(t.last)
	}
	if ctx.Err() != nil {
		result.Outcome, result.Reason, result.Exchange = Skipped, "interrupted", nil
	}
	after, cancel := beyond(ctx)
	defer cancel()
	s.sweep(after, 0)
	return result
}

// beyond gives a context that lives on after the end of ctx, but not longer than sweepTime.
func beyond(ctx context.Context) (context.Context, context.CancelFunc) {
	after, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(sweepTime, cancel) })
	return after, func() {
		stop()
		cancel()
	}
}

// unfit says why a check is not run.
func (s *session) unfit(c *Check, readOnly bool) string {
	switch {
	case s.silent >= patience:
		return "the endpoint does not answer any more"
	case readOnly && c.Writes:
		return "it writes, and this run only reads"
	}
	for _, f := range c.Needs {
		if !s.features[f] {
			return "the endpoint does not advertise " + string(f)
		}
	}
	return ""
}

// learn reads what the endpoint advertises. Where discovery cannot be read, groups and the enterprise extension are
// taken as offered, since Entra uses them without asking, and nothing else is.
func (s *session) learn(ctx context.Context) {
	s.features = map[Feature]bool{Groups: true, Enterprise: true}
	read := func(path string) object {
		a, err := s.client.do(ctx, request{method: http.MethodGet, path: path})
		s.count(err)
		if err != nil || a.status != http.StatusOK {
			return nil
		}
		document, _ := a.value.(object)
		return document
	}
	config := read("/ServiceProviderConfig")
	for _, f := range []Feature{Sort, Bulk, ETag} {
		s.features[f] = lookup(config, string(f)+".supported") == true
	}
	s.features[Cursor] = lookup(config, "pagination.cursor") == true
	if n, ok := lookup(config, "bulk.maxOperations").(float64); ok && n > 0 {
		s.maxBulk = int(min(n, 1<<20))
	}
	if s.silent > 0 {
		return
	}
	if types, ok := read("/ResourceTypes")["Resources"].(list); ok {
		s.features[Groups] = hasNamed(types, "name", "Group")
	}
	if schemas, ok := read("/Schemas")["Resources"].(list); ok {
		s.features[Enterprise] = hasNamed(schemas, "id", urnEnterprise)
	}
}

func hasNamed(entries list, key, want string) bool {
	return slices.ContainsFunc(entries, func(entry any) bool {
		text, _ := lookup(entry, key).(string)
		return strings.EqualFold(text, want)
	})
}

// count keeps in mind how many requests in a row got no answer.
func (s *session) count(err error) {
	if _, ok := errors.AsType[*unreachable](err); ok {
		s.silent++
	} else {
		s.silent = 0
	}
}
