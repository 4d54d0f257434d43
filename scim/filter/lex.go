// Package filter reads SCIM filters and PATCH paths (RFC 7644 §3.4.2.2, §3.5.2) into the syntax tree of
// scim2/filter-parser and resolves a filter against the attribute tables into a model.Filter. It imports that syntax
// tree, model, scim/schemas and scim/fault.
//
// The reader is its own because the grammar of scim2/filter-parser is narrower than what is sent: Entra writes
// emails[type eq "work"].value eq "x" and unquoted values, and RFC 7644 allows more than two conditions in brackets.
// Whatever that grammar accepts is accepted here with the same meaning; a fuzz test compares the two.
package filter

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

type kind int

const (
	end kind = iota
	word
	text
	mark // one of ( ) [ ]
)

type token struct {
	kind kind
	text string
	pos  int // in characters, from 1
}

func (t token) is(mark string) bool { return t.kind != text && t.text == mark }

// String names the token in a sentence to the client.
func (t token) String() string {
	if t.kind == end {
		return "the end"
	}
	s := t.text
	if utf8.RuneCountInString(s) > 64 {
		s = string([]rune(s)[:64]) + "…"
	}
	return fmt.Sprintf("%q at character %d", s, t.pos)
}

// lex takes s apart. A word is everything up to a blank, a bracket or a quote, so that an unquoted value is one too.
func lex(s string) ([]token, error) {
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		return nil, fmt.Errorf("it holds text that is not valid UTF-8, or the character U+0000")
	}
	tokens := make([]token, 0, 8)
	for i := 0; i < len(s); {
		pos := i + 1
		switch c := s[i]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			i++
		case strings.IndexByte("()[]", c) >= 0:
			tokens = append(tokens, token{mark, s[i : i+1], pos})
			i++
		case c == '"':
			value, n, err := quoted(s[i:], pos)
			if err != nil {
				return nil, err
			}
			tokens = append(tokens, token{text, value, pos})
			i += n
		default:
			n := strings.IndexAny(s[i:], " \t\r\n()[]\"")
			if n < 0 {
				n = len(s) - i
			}
			tokens = append(tokens, token{word, s[i : i+n], pos})
			i += n
		}
	}
	return append(tokens, token{end, "", len(s) + 1}), nil
}

// quoted reads a JSON string at the start of s and tells how long it is.
func quoted(s string, pos int) (value string, length int, err error) {
	plain := true
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			plain = false
			i++
		case '"':
			if plain {
				return s[1:i], i + 1, nil
			}
			if err := json.Unmarshal([]byte(s[:i+1]), &value); err != nil {
				return "", 0, fmt.Errorf("the text in quotes at character %d holds an escape that JSON does not know", pos)
			}
			if strings.IndexByte(value, 0) >= 0 {
				return "", 0, fmt.Errorf("the text in quotes at character %d holds the character U+0000", pos)
			}
			if replaced := strings.Count(value, "\uFFFD"); replaced > strings.Count(strings.ToLower(s[:i+1]), `\ufffd`)+strings.Count(s[:i+1], "\uFFFD") {
				return "", 0, fmt.Errorf("the text in quotes at character %d holds half of a surrogate pair, which is not a character", pos)
			}
			return value, i + 1, nil
		}
	}
	return "", 0, fmt.Errorf("the text in quotes at character %d does not end", pos)
}
