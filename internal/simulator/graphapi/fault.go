package graphapi

import (
	"context"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Where says which requests a fault is for.
type Where int

// The places of a request.
const (
	Anywhere Where = iota
	InBatch        // items of a batch alone
	NotInBatch
)

// Fault is something that goes wrong with requests. The zero value of a field matches every request, or changes nothing.
type Fault struct {
	// Which requests.
	Method  string
	Path    string // pattern of path.Match for the decoded path without version, "**" at the end for any rest; of the authority too
	Mailbox string // of /users/{mailbox}/…, as the path has it
	Where   Where
	Skip    int // requests that pass before the first fault
	Times   int // faults before it is over; 0 is without end

	// What happens.
	Delay       time.Duration // before anything
	After       bool          // the work is done, and its answer lost; otherwise nothing is done
	Status      int           // 0 leaves the true answer, after which Cut and Truncate still apply
	Code        string
	Message     string
	RetryAfter  string // the header as it is; RetryDate comes before it
	RetryDate   time.Duration
	Body        *string // instead of the error envelope
	ContentType string  // of Body
	Header      http.Header
	Cut         bool // the connection is reset in the middle of the body
	Truncate    bool // half of the body, as if it were all
}

// AtMost lets a fault end after n requests.
func (f Fault) AtMost(n int) Fault { f.Times = n; return f }

// Lost makes the fault one that comes after the work was done.
func (f Fault) Lost() Fault { f.After = true; return f }

// For keeps a fault to one method.
func (f Fault) For(method string) Fault { f.Method = method; return f }

// Throttle is 429 with Retry-After in seconds, or without the header where wait is 0.
func Throttle(pattern string, wait time.Duration) Fault {
	f := Fault{
		Path: pattern, Status: http.StatusTooManyRequests, Code: "ApplicationThrottled",
		Message: "Application is over its MailboxConcurrency limit.",
	}
	if wait > 0 {
		f.RetryAfter = strconv.Itoa(int(wait / time.Second))
	}
	return f
}

// ThrottleUntil is 429 with an HTTP-date as Retry-After.
func ThrottleUntil(pattern string, wait time.Duration) Fault {
	f := Throttle(pattern, 0)
	f.RetryDate = wait
	return f
}

// Broken is a status with Graph's error envelope: 500, 502, 503 or 504.
func Broken(pattern string, status int) Fault {
	code := map[int]string{500: "ErrorInternalServerError", 502: "BadGateway", 503: "ServiceUnavailable", 504: "UnknownError"}[status]
	return Fault{Path: pattern, Status: status, Code: code, Message: "The server has failed to answer."}
}

// Page is a status with a page of HTML as proxies send it.
func Page(pattern string, status int) Fault {
	text := "<html><head><title>" + http.StatusText(status) + "</title></head><body><h2>Our services aren't available right now</h2></body></html>"
	return Fault{Path: pattern, Status: status, Body: &text, ContentType: "text/html"}
}

// Bare is a status with a body that says nothing: "" or "{}".
func Bare(pattern string, status int, body string) Fault {
	return Fault{Path: pattern, Status: status, Body: &body, ContentType: "application/json"}
}

// Reset is a connection that ends in the middle of a true answer.
func Reset(pattern string) Fault { return Fault{Path: pattern, After: true, Cut: true} }

// Truncated is a true answer of which half is missing, as if it were all.
func Truncated(pattern string) Fault { return Fault{Path: pattern, After: true, Truncate: true} }

// Slow is a true answer that takes its time.
func Slow(pattern string, wait time.Duration) Fault {
	return Fault{Path: pattern, After: true, Delay: wait}
}

type armed struct {
	Fault
	seen int // requests that matched
}

type faults struct {
	mu   sync.Mutex
	list []*armed
}

// Fail arms a fault; the first one that matches has its way. What it gives takes the fault away.
func (s *Server) Fail(f Fault) (remove func()) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	one := &armed{Fault: f}
	s.faults.list = append(s.faults.list, one)
	return func() {
		s.faults.mu.Lock()
		defer s.faults.mu.Unlock()
		s.faults.list = slices.DeleteFunc(s.faults.list, func(a *armed) bool { return a == one })
	}
}

// take finds the fault for a request, and counts it.
func (l *faults) take(method, decoded, mailbox string, batched bool) (Fault, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, a := range l.list {
		if !a.matches(method, decoded, mailbox, batched) {
			continue
		}
		a.seen++
		if a.seen <= a.Skip {
			continue
		}
		if a.Times > 0 && a.seen == a.Skip+a.Times {
			l.list = slices.Delete(l.list, i, i+1)
		}
		return a.Fault, true
	}
	return Fault{}, false
}

func (f Fault) matches(method, decoded, mailbox string, batched bool) bool {
	switch {
	case f.Method != "" && f.Method != method,
		f.Mailbox != "" && !strings.EqualFold(f.Mailbox, mailbox),
		f.Where == InBatch && !batched, f.Where == NotInBatch && batched:
		return false
	case f.Path == "":
		return true
	}
	pattern, open := strings.CutSuffix(strings.ToLower(f.Path), "**")
	decoded = strings.ToLower(decoded)
	if open { // as many segments of the path as the pattern has
		parts := strings.Split(decoded, "/")
		if n := strings.Count(pattern, "/"); len(parts) > n {
			decoded = strings.Join(parts[:n], "/") + "/"
		}
	}
	matched, err := path.Match(pattern, decoded)
	return err == nil && matched
}

// wait holds a request up.
func (f Fault) wait(ctx context.Context) {
	if f.Delay <= 0 {
		return
	}
	timer := time.NewTimer(f.Delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// spoil makes of the true answer what the client gets; failure is Graph's envelope.
func (f Fault) spoil(a answer, now time.Time, failure func(code, message string, status int) answer) answer {
	if f.Status != 0 {
		a = failure(f.Code, f.Message, f.Status)
		if f.Body != nil {
			a.body = []byte(*f.Body)
			a.header.Set("Content-Type", f.ContentType)
		}
	}
	switch {
	case f.RetryDate != 0:
		a.header.Set("Retry-After", now.Add(f.RetryDate).UTC().Format(http.TimeFormat))
	case f.RetryAfter != "":
		a.header.Set("Retry-After", f.RetryAfter)
	}
	for name, values := range f.Header {
		a.header[http.CanonicalHeaderKey(name)] = values
	}
	if f.Truncate {
		a.body = a.body[:len(a.body)/2]
	}
	a.cut = f.Cut
	return a
}

// ThrottleDirectory is 429 as the directory says it, with Retry-After in seconds, or without the header where wait is 0.
func ThrottleDirectory(pattern string, wait time.Duration) Fault {
	f := Throttle(pattern, wait)
	f.Code, f.Message = "TooManyRequests", "Too many requests."
	f.Header = http.Header{
		"X-Ms-Throttle-Information": {"ResourceUnitLimitExceeded"}, "X-Ms-Throttle-Scope": {"Tenant_Application/ReadWrite"},
	}
	return f
}
