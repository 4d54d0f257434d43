package journal

import (
	"encoding/json"
	"regexp"
	"strings"
)

// term is "attribute eq value", also with brackets in the attribute and a value without quotes.
const term = `([A-Za-z][\w.:$-]*(?:\[[^\]]*\])?(?:\.\w+)?)\s+(?i:eq)\s+("(?:[^"\\]|\\.)*"|[^\s()"]+)`

var (
	oneTerm  = regexp.MustCompile(`^\s*` + term + `\s*$`)
	twoTerms = regexp.MustCompile(`^\s*` + term + `\s+(?i:and)\s+` + term + `\s*$`)
)

// lookup reads a search.
func lookup(noun, filter string) intent {
	if filter = redactFilter(strings.TrimSpace(filter)); filter == "" {
		return intent{act: lists, noun: noun}
	}
	if m := oneTerm.FindStringSubmatch(filter); m != nil {
		return intent{act: looks, noun: noun, attribute: attributeOf(m[1]), name: Clean(plainValue(m[2]), maxSubject)}
	}
	if m := twoTerms.FindStringSubmatch(filter); m != nil {
		a, b := strings.ToLower(attributeOf(m[1])), strings.ToLower(attributeOf(m[3]))
		id, other := plainValue(m[2]), plainValue(m[4])
		if b == "id" {
			a, b, id, other = b, a, other, id
		}
		if a == "id" && (b == "members" || b == "manager") {
			return intent{act: asks, noun: noun, attribute: b, id: Clean(id, maxSubject), related: Clean(other, maxSubject)}
		}
	}
	return intent{act: searches, noun: noun, filter: Clean(filter, maxSubject)}
}

func plainValue(v string) string {
	var s string
	if v[0] == '"' && json.Unmarshal([]byte(v), &s) == nil {
		return s
	}
	return strings.Trim(v, `"`)
}

// selection is what brackets in a path select by.
var selection = regexp.MustCompile(`(?i)(\w+)\s+eq\s+"?([^"]*)"?`)

// attributeOf gives a path as an administrator reads it: emails[type eq "work"].value is emails (work), and a URN is left out.
func attributeOf(path string) string {
	head, inner, bracket := strings.Cut(path, "[")
	head = head[strings.LastIndexByte(head, ':')+1:]
	if !bracket {
		return Clean(strings.TrimSuffix(head, ".value"), maxName)
	}
	inner, tail, _ := strings.Cut(inner, "]")
	if m := selection.FindStringSubmatch(inner); m != nil {
		label := m[2]
		if strings.EqualFold(m[1], "primary") {
			label = "primary"
		}
		head += " (" + label + ")"
	}
	if tail = strings.TrimPrefix(tail, "."); tail != "" && tail != "value" {
		head += " " + tail
	}
	return Clean(head, maxName)
}
