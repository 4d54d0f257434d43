package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode"
)

// object and list are JSON as the checks write and read it.
type (
	object = map[string]any
	list   = []any
)

// answer is what came back, and what for.
type answer struct {
	request request
	url     string
	status  int
	header  http.Header
	body    []byte
	took    time.Duration
	value   any
	problem string // why value is not there
}

// parse reads the body as JSON, unless it is empty.
func (a *answer) parse() {
	if len(bytes.TrimSpace(a.body)) == 0 {
		a.problem = "the answer has no body"
		return
	}
	if err := checkDepth(a.body); err != nil {
		a.problem = err.Error()
		return
	}
	decoder := json.NewDecoder(bytes.NewReader(a.body))
	if err := decoder.Decode(&a.value); err != nil {
		a.value, a.problem = nil, "the answer is no JSON"
		if bytes.HasPrefix(bytes.TrimSpace(a.body), []byte("<")) {
			a.problem = "the answer is a page of HTML or XML, not JSON"
		}
		return
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		a.value, a.problem = nil, "the answer has more behind its JSON"
	}
}

// checkDepth bounds the nesting before anything walks the value.
func checkDepth(text []byte) error {
	depth, quoted, escaped := 0, false, false
	for _, b := range text {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = b == '\\', b != '"'
		case b == '"':
			quoted = true
		case b == '{' || b == '[':
			if depth++; depth > maxDepth {
				return fmt.Errorf("the answer is nested deeper than %d levels", maxDepth)
			}
		case b == '}' || b == ']':
			depth--
		}
	}
	return nil
}

// contentType is the media type without parameters, in lower case.
func (a *answer) contentType() string {
	kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil {
		return strings.ToLower(a.header.Get("Content-Type"))
	}
	return kind
}

// The longest texts that a report shows of a body and of a value.
const (
	maxShown = 2000
	maxValue = 200
)

// Exchange is a request and its answer as the report shows them: without headers that carry secrets, cut, and free of
// characters that a terminal would act on.
type Exchange struct {
	Request  string `json:"request"` // method and address
	Sent     string `json:"sent,omitempty"`
	Status   int    `json:"status,omitempty"` // 0 where no answer came
	Type     string `json:"content_type,omitempty"`
	Received string `json:"received,omitempty"`
}

func (s *session) exchange(a *answer) *Exchange {
	if a == nil {
		return nil
	}
	x := &Exchange{
		Request: s.clean(a.request.method+" "+a.url, maxShown), Sent: s.clean(string(a.request.body), maxShown),
		Status: a.status, Received: s.clean(string(a.body), maxShown),
	}
	if a.header != nil {
		x.Type = s.clean(a.header.Get("Content-Type"), maxValue)
	}
	return x
}

// clean makes a text from outside fit for a report.
func (s *session) clean(text string, longest int) string {
	if token := s.client.token; token != "" {
		text = strings.ReplaceAll(text, token, "[token]")
		if quoted, err := json.Marshal(token); err == nil {
			text = strings.ReplaceAll(text, strings.Trim(string(quoted), `"`), "[token]")
		}
	}
	return printable(text, longest)
}

// printable replaces what does not print, and cuts.
func printable(text string, longest int) string {
	var out strings.Builder
	for _, r := range text {
		switch {
		case out.Len() > longest:
			fmt.Fprintf(&out, "… (%d bytes in all)", len(text))
			return out.String()
		case r == '\n' || r == '\t' || r == '\r':
			out.WriteByte(' ')
		case unicode.IsPrint(r):
			out.WriteRune(r)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.String()
}
