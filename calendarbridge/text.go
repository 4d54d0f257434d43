package calendarbridge

import (
	"html"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/microcosm-cc/bluemonday"
)

// The bounds of what is kept of a text, in bytes. What is longer is cut.
const (
	maxBody      = 256 << 10
	maxRawBody   = 1 << 20 // of a body before it is sanitized
	maxText      = 1 << 10 // of a subject, a place, a name, an address
	maxID        = 4 << 10
	maxAttendees = 1000
)

// meetingClass is the one class that is kept: it says where the invitation to an online meeting stands.
var meetingClass = regexp.MustCompile(`^` + blockClass + `$`)

// cleaner makes texts of Microsoft 365 fit to be stored and shown.
type cleaner struct{ safe, bare *bluemonday.Policy }

func newCleaner() *cleaner {
	bare := bluemonday.StrictPolicy()
	bare.AddSpaceWhenStrippingTag(true)
	safe := bluemonday.UGCPolicy()
	safe.AllowAttrs("class").Matching(meetingClass).OnElements("div", "span")
	return &cleaner{safe: safe, bare: bare}
}

// text gives s as valid UTF-8 without NUL, which PostgreSQL does not keep, and of at most limit bytes.
func (c *cleaner) text(s string, limit int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// line is text without the spaces around it.
func (c *cleaner) line(s string) string { return strings.TrimSpace(c.text(s, maxText)) }

// body gives HTML that a browser may show: no script, no style, no form. Text becomes HTML.
func (c *cleaner) body(contentType, content string) string {
	content = c.text(content, maxRawBody)
	if strings.EqualFold(contentType, "text") {
		content = strings.ReplaceAll(html.EscapeString(content), "\n", "<br>")
	}
	content = strings.TrimSpace(c.safe.Sanitize(content))
	if len(content) > maxBody { // the cut may go through a tag, which the second pass removes
		content = c.text(c.safe.Sanitize(c.text(content, maxBody-maxText)), maxBody)
	}
	return content
}

// plain gives the words of a body alone. Exchange rewrites the HTML of a body each time it keeps it, so that two bodies are
// compared by their words.
func (c *cleaner) plain(body string) string {
	words := strings.FieldsFunc(html.UnescapeString(c.bare.Sanitize(body)), unicode.IsSpace)
	return strings.Join(words, " ")
}
