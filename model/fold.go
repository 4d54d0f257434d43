package model

import (
	"strings"
	"unicode"
)

// Fold gives the key under which case-insensitive names (userName, e-mail, displayName of a group) are compared and
// indexed. It applies Unicode simple case folding, so that it does not depend on a database's locale.
func Fold(s string) string {
	ascii, lower := true, true
	for i := range len(s) {
		c := s[i]
		ascii = ascii && c < 0x80
		lower = lower && (c < 'A' || c > 'Z')
	}
	switch {
	case ascii && lower:
		return s
	case ascii:
		return strings.ToLower(s)
	}
	return strings.Map(foldRune, s)
}

// foldRune gives the canonical member of a rune's folding orbit: the smallest lower-case one, else the smallest.
func foldRune(r rune) rune {
	best := r
	for x := unicode.SimpleFold(r); x != r; x = unicode.SimpleFold(x) {
		if better(x, best) {
			best = x
		}
	}
	return best
}

func better(x, than rune) bool {
	if xl, tl := unicode.IsLower(x), unicode.IsLower(than); xl != tl {
		return xl
	}
	return x < than
}
