package journal

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Redacted stands where a secret was.
const Redacted = "[redacted]"

// secretNames are what the name of a secret contains, in lower case and without separators.
func secretNames() []string {
	return []string{
		"password", "passwd", "passphrase", "passcode", "pwd", "secret", "token", "assertion", "authorization", "credential", "apikey",
		"privatekey",
	}
}

// isSecret says whether a name is that of a secret, in any case and with any of the usual separators.
func isSecret(name string) bool {
	plain := strings.Map(func(r rune) rune {
		switch r {
		case '-', '_', '.', ' ':
			return -1
		case 'ſ': // which is an s to those who compare without case
			return 's'
		}
		return r
	}, strings.ToLower(name))
	return slices.ContainsFunc(secretNames(), func(word string) bool { return strings.Contains(plain, word) })
}

// suspicion is how a text looks at a glance.
type suspicion int

const (
	harmless   suspicion = iota
	unclear              // an escape or a letter that stands for one of ASCII may hide a name
	suspicious           // it holds a word that secrets are named with
)

// glanced are the bytes that glance looks behind.
var glanced = func() (looks [256]bool) {
	for _, c := range []byte("pPsStTaAcC\\\xc4\xc5\xe2") {
		looks[c] = true
	}
	return looks
}()

// glance looks for what the names of secrets begin with, in any case. Nearly every body is harmless, and each is looked at.
func glance(text []byte) suspicion {
	s := harmless
	for i, c := range text {
		if !glanced[c] {
			continue
		}
		rest := text[i+1:]
		switch c {
		case 'p', 'P':
			if follows(rest, "ass") || follows(rest, "wd") || follows(rest, "rivate") {
				return suspicious
			}
		case 's', 'S':
			if follows(rest, "ecret") {
				return suspicious
			}
		case 't', 'T':
			if follows(rest, "oken") {
				return suspicious
			}
		case 'a', 'A':
			if follows(rest, "ssertion") || follows(rest, "uthorization") || follows(rest, "pi") && apiKey(rest[2:]) {
				return suspicious
			}
		case 'c', 'C':
			if follows(rest, "redential") {
				return suspicious
			}
		case '\\':
			if hides(rest) {
				s = unclear
			}
		case 0xc4, 0xc5, 0xe2:
			if r, _ := utf8.DecodeRune(text[i:]); standsForASCII(r) {
				s = unclear
			}
		}
	}
	return s
}

// follows says whether the text begins with the word, in any case.
func follows(text []byte, word string) bool {
	if len(text) < len(word) {
		return false
	}
	for i := range len(word) {
		if text[i]|0x20 != word[i] {
			return false
		}
	}
	return true
}

// apiKey says whether the text goes on with key, behind a separator or none.
func apiKey(text []byte) bool {
	if len(text) > 0 && strings.IndexByte("_-. ", text[0]) >= 0 {
		text = text[1:]
	}
	return follows(text, "key")
}

// hides says whether what stands behind a backslash is, or cannot be told not to be, the escape of a letter that a name is
// written with. Writers escape letters beyond ASCII and what HTML takes for its own; those are too common to look closer.
func hides(text []byte) bool {
	if len(text) == 0 || text[0] != 'u' {
		return false
	}
	if len(text) < 5 {
		return true
	}
	code, err := strconv.ParseUint(string(text[1:5]), 16, 16)
	r := rune(code) //nolint:gosec // of 16 bits
	return err != nil || standsForASCII(r) || r < utf8.RuneSelf && !strings.ContainsRune(`"&'+<>`, r)
}

// standsForASCII says whether a letter beyond ASCII is one of ASCII to those who compare without case: the dotted capital i, the
// long s and the sign of the kelvin.
func standsForASCII(r rune) bool { return r == 'İ' || r == 'ſ' || r == '\u212a' }

// Redact gives the body without secrets: the values of members that are named like one, at any depth, and the values of
// PATCH operations whose path is. What is not JSON and may name a secret is not given at all, because nobody knows where the
// secret ends. cut says that the text ends before the body did.
func Redact(body []byte, cut bool) []byte {
	s := glance(body)
	if s == harmless {
		return body
	}
	r := redactor{in: body, cut: cut}
	if !r.document() {
		if s == unclear && !strings.Contains(string(body), `\u`) {
			return body
		}
		return []byte("[not kept: it is not JSON and may hold a secret]")
	}
	return r.result()
}

// quoted is a string in a filter.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"?`)

// redactFilter takes the values out of a filter that names a secret.
func redactFilter(text string) string {
	if !isSecret(text) {
		return text
	}
	if i := strings.IndexByte(text, '"'); i < 0 {
		return Redacted // a value without quotes ends nobody knows where
	}
	return quoted.ReplaceAllString(text, `"`+Redacted+`"`)
}

// RedactURL gives a path with its query, without the values of parameters that are named like secrets, and of filters that
// name one.
func RedactURL(path, query string) string {
	if query == "" {
		return path
	}
	if glance([]byte(query)) == harmless && !strings.Contains(query, "%") {
		return path + "?" + query
	}
	parts := strings.Split(query, "&")
	for i, part := range parts {
		name, value, _ := strings.Cut(part, "=")
		plainName, errName := url.QueryUnescape(name)
		plain, errValue := url.QueryUnescape(value)
		switch {
		case errName != nil || errValue != nil:
			if glance([]byte(part)) != harmless {
				parts[i] = Redacted
			}
		case isSecret(plainName):
			parts[i] = name + "=" + Redacted
		case isSecret(plain):
			parts[i] = name + "=" + redactFilter(plain)
		}
	}
	return path + "?" + strings.Join(parts, "&")
}

// redactor finds the secrets of a JSON text.
type redactor struct {
	in    []byte
	pos   int
	depth int
	cut   bool
	ended bool // the text ended where it was cut
	spans []span
}

// span is a part of the text that is replaced, and by what.
type span struct {
	from, to int
	by       string
}

// document reads the whole text; it is false where that is not JSON.
func (r *redactor) document() bool {
	r.space()
	return r.value() && (r.ended || r.rest())
}

func (r *redactor) rest() bool {
	r.space()
	return r.pos == len(r.in)
}

// result gives the text with its spans replaced; a span within another is gone with it.
func (r *redactor) result() []byte {
	if len(r.spans) == 0 {
		return r.in
	}
	slices.SortFunc(r.spans, func(a, b span) int {
		if a.from != b.from {
			return a.from - b.from
		}
		return b.to - a.to
	})
	out, at := make([]byte, 0, len(r.in)), 0
	for _, s := range r.spans {
		if s.from < at {
			continue
		}
		out = append(append(out, r.in[at:s.from]...), s.by...)
		at = s.to
	}
	return append(out, r.in[at:]...)
}

func (r *redactor) hide(from, to int) {
	r.spans = append(r.spans, span{from, to, `"` + Redacted + `"`})
}

func (r *redactor) space() {
	for r.pos < len(r.in) && strings.IndexByte(" \t\r\n\ufeff", r.in[r.pos]) >= 0 {
		r.pos++
	}
}

// end says that the text has ended, which is no mistake where it was cut.
func (r *redactor) end() bool {
	if r.pos < len(r.in) {
		return false
	}
	r.ended = true
	return true
}

// maxRedactDepth bounds how deep a text is looked into.
const maxRedactDepth = 64

func (r *redactor) value() bool {
	if r.end() {
		return r.cut
	}
	if r.depth++; r.depth > maxRedactDepth {
		return false
	}
	defer func() { r.depth-- }()
	switch r.in[r.pos] {
	case '{':
		return r.object()
	case '[':
		return r.list()
	case '"':
		from := r.pos
		text, ok := r.text()
		if ok {
			r.nested(from, text)
		}
		return ok
	}
	from := r.pos
	for r.pos < len(r.in) && strings.IndexByte("+-.0123456789abcdefghijklmnopqrstuvwxyzE", r.in[r.pos]) >= 0 {
		r.pos++
	}
	if r.pos == len(r.in) && r.cut {
		r.ended = true
		return true
	}
	return json.Valid(r.in[from:r.pos])
}

// nested looks into a string that holds JSON, as the values of roles do. One that the cut goes through is hidden whole.
func (r *redactor) nested(from int, text string) {
	if r.ended {
		if glance(r.in[from:r.pos]) != harmless && strings.ContainsAny(string(r.in[from:r.pos]), `{[\`) {
			r.hide(from, r.pos)
		}
		return
	}
	trimmed := strings.TrimSpace(text)
	if trimmed == "" || strings.IndexByte(`{["`, trimmed[0]) < 0 {
		return
	}
	clean := string(Redact([]byte(trimmed), false))
	if clean == trimmed {
		return
	}
	by, err := json.Marshal(clean)
	if err != nil { // a string always renders
		by = []byte(`"` + Redacted + `"`)
	}
	r.spans = append(r.spans, span{from, r.pos, string(by)})
}

// text reads a string, with its escapes undone.
func (r *redactor) text() (string, bool) {
	from := r.pos
	for r.pos++; r.pos < len(r.in); r.pos++ {
		switch r.in[r.pos] {
		case '\\':
			r.pos++
		case '"':
			r.pos++
			return unquote(r.in[from:r.pos])
		}
	}
	r.pos = len(r.in)
	r.ended = true
	return "", r.cut
}

func unquote(raw []byte) (text string, ok bool) {
	err := json.Unmarshal(raw, &text)
	return text, err == nil
}

func (r *redactor) list() bool {
	for r.pos++; ; r.pos++ {
		if r.space(); r.end() {
			return r.cut
		}
		if r.in[r.pos] == ']' {
			r.pos++
			return true
		}
		if !r.value() {
			return false
		}
		if r.space(); r.ended || r.end() {
			return r.cut
		}
		switch r.in[r.pos] {
		case ']':
			r.pos++
			return true
		case ',':
		default:
			return false
		}
	}
}
