package directory

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// errTooLong ends an expression whose text grows beyond maxExpressionText.
var errTooLong = errors.New("a text in the expression is too long")

// functions lists the language's own functions. Positions count from 1, in characters, as in Entra.
func functions() []function {
	return []function{
		{"Append", func(any, any) string { return "" }, texts(func(t []string) string { return t[0] + t[1] })},
		{"Coalesce", func(...any) string { return "" }, texts(coalesce)},
		{"DateFromNum", func(any) string { return "" }, dateFromNum},
		{"FormatDateTime", func(any, any, any, ...any) string { return "" }, formatDateTime},
		{"IIF", func(any, any, any) any { return nil }, iif},
		{"InStr", func(any, any) int { return 0 }, func(a ...any) (any, error) { return inStr(anyText(a[0]), anyText(a[1])), nil }},
		{"IsNullOrEmpty", func(any) bool { return false }, func(a ...any) (any, error) { return anyText(a[0]) == "", nil }},
		{"IsPresent", func(any) bool { return false }, func(a ...any) (any, error) { return anyText(a[0]) != "", nil }},
		{"Item", func(any, any) string { return "" }, item},
		{"Join", func(any, ...any) string { return "" }, join},
		{"Left", func(any, any) string { return "" }, left},
		{"Len", func(any) int { return 0 }, func(a ...any) (any, error) { return utf8.RuneCountInString(anyText(a[0])), nil }},
		{"Mid", func(any, any, any) string { return "" }, mid},
		{"NormalizeDiacritics", func(any) string { return "" }, texts(func(t []string) string { return normalizeDiacritics(t[0]) })},
		{"Not", func(any) bool { return false }, func(a ...any) (any, error) { return !truth(a[0]), nil }},
		{"Replace", func(any, any, any) string { return "" }, replace},
		{"Right", func(any, any) string { return "" }, right},
		{"Split", func(any, any) []string { return nil }, split},
		{"StripSpaces", func(any) string { return "" }, texts(func(t []string) string { return strings.ReplaceAll(t[0], " ", "") })},
		{"Switch", func(any, any, ...any) string { return "" }, switchOf},
		{"ToLower", func(any, ...any) string { return "" }, texts(func(t []string) string { return strings.ToLower(t[0]) })},
		{"ToUpper", func(any, ...any) string { return "" }, texts(func(t []string) string { return strings.ToUpper(t[0]) })},
		{"Trim", func(any) string { return "" }, texts(func(t []string) string { return strings.TrimSpace(t[0]) })},
		{"Word", func(any, any, any) string { return "" }, word},
	}
}

// texts makes a function of one on texts, with the length of its result bounded.
func texts(f func([]string) string) func(...any) (any, error) {
	return func(args ...any) (any, error) {
		in := make([]string, len(args))
		for i, arg := range args {
			in[i] = anyText(arg)
		}
		return bounded(f(in))
	}
}

func bounded(text string) (any, error) {
	if len(text) > maxExpressionText {
		return nil, errTooLong
	}
	return text, nil
}

// anyText renders any value of the language: a list as its values separated by commas.
func anyText(value any) string {
	if list, ok := listOf(value); ok {
		return strings.Join(list, ",")
	}
	return textOf(value)
}

// listOf gives the texts of a list.
func listOf(value any) ([]string, bool) {
	switch v := value.(type) {
	case []string:
		return v, true
	case []any:
		out := make([]string, 0, len(v))
		for _, inner := range v {
			out = append(out, textOf(inner))
		}
		return out, true
	}
	return nil, false
}

func truth(value any) bool { return strings.EqualFold(anyText(value), "true") }

func coalesce(values []string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func iif(args ...any) (any, error) {
	if truth(args[0]) {
		return args[1], nil
	}
	return args[2], nil
}

// switchOf is Switch(source, default, key1, value1, …): the value of the first key that equals the source.
func switchOf(args ...any) (any, error) {
	pairs := args[2:]
	if len(pairs)%2 != 0 {
		return nil, errors.New("the function Switch needs a value for every key")
	}
	source := anyText(args[0])
	for i := 0; i < len(pairs); i += 2 {
		if anyText(pairs[i]) == source {
			return bounded(anyText(pairs[i+1]))
		}
	}
	return bounded(anyText(args[1]))
}

// join is Join(separator, source1, …): every value of every source that is not empty.
func join(args ...any) (any, error) {
	separator := anyText(args[0])
	var parts []string
	length := 0
	for _, arg := range args[1:] {
		list, ok := listOf(arg)
		if !ok {
			list = []string{textOf(arg)}
		}
		for _, text := range list {
			if text != "" {
				parts = append(parts, text)
				length += len(text) + len(separator)
			}
		}
		if length > maxExpressionText+len(separator) {
			return nil, errTooLong
		}
	}
	return bounded(strings.Join(parts, separator))
}

func split(args ...any) (any, error) {
	source, delimiter := anyText(args[0]), anyText(args[1])
	if source == "" {
		return []string{}, nil
	}
	if delimiter == "" {
		return []string{source}, nil
	}
	return strings.Split(source, delimiter), nil
}

// item is Item(list, position).
func item(args ...any) (any, error) {
	list, ok := listOf(args[0])
	if !ok {
		list = []string{anyText(args[0])}
	}
	n, err := whole(args[1])
	if err != nil || n < 1 || n > len(list) {
		return "", err
	}
	return list[n-1], nil
}

// replace is Replace(source, old, new) for every occurrence.
func replace(args ...any) (any, error) {
	source, old, with := anyText(args[0]), anyText(args[1]), anyText(args[2])
	if old == "" {
		return bounded(source)
	}
	if len(source)+strings.Count(source, old)*(len(with)-len(old)) > maxExpressionText {
		return nil, errTooLong
	}
	return bounded(strings.ReplaceAll(source, old, with))
}

// mid is Mid(source, start, length).
func mid(args ...any) (any, error) {
	start, err := whole(args[1])
	if err != nil {
		return nil, err
	}
	length, err := whole(args[2])
	if err != nil {
		return nil, err
	}
	if start < 1 || length < 0 {
		return nil, errors.New("the function Mid counts from 1 and takes no negative length")
	}
	source := []rune(anyText(args[0]))
	if start > len(source) {
		return "", nil
	}
	rest := source[start-1:]
	return string(rest[:min(length, len(rest))]), nil
}

func left(args ...any) (any, error) {
	n, err := whole(args[1])
	if err != nil {
		return nil, err
	}
	source := []rune(anyText(args[0]))
	return string(source[:clamp(n, len(source))]), nil
}

func right(args ...any) (any, error) {
	n, err := whole(args[1])
	if err != nil {
		return nil, err
	}
	source := []rune(anyText(args[0]))
	return string(source[len(source)-clamp(n, len(source)):]), nil
}

func clamp(n, most int) int { return max(0, min(n, most)) }

func inStr(source, part string) int {
	before, _, found := strings.Cut(source, part)
	if !found || part == "" {
		return 0
	}
	return utf8.RuneCountInString(before) + 1
}

// word is Word(source, number, delimiters): every character of delimiters separates words.
func word(args ...any) (any, error) {
	n, err := whole(args[1])
	if err != nil {
		return nil, err
	}
	delimiters := anyText(args[2])
	words := strings.FieldsFunc(anyText(args[0]), func(r rune) bool { return strings.ContainsRune(delimiters, r) })
	if n < 1 || n > len(words) {
		return "", nil
	}
	return words[n-1], nil
}

// whole reads a whole number, given as one or as text.
func whole(value any) (int, error) {
	number, ok := asNumber(value)
	if !ok {
		parsed, problem := parseNumber(strings.TrimSpace(anyText(value)))
		if problem != "" {
			return 0, errors.New(problem)
		}
		number, _ = parsed.(float64)
	}
	const far = 1 << 30
	if number != float64(int64(max(-far, min(far, number)))) {
		return 0, errors.New("a whole number is needed")
	}
	return int(number), nil
}

// normalizeDiacritics turns letters with marks into plain ones: é into e, ł into l, ß into ss.
func normalizeDiacritics(text string) string {
	plainLetters := strings.NewReplacer("ß", "ss", "æ", "ae", "Æ", "AE", "ø", "o", "Ø", "O", "œ", "oe", "Œ", "OE",
		"ł", "l", "Ł", "L", "đ", "d", "Đ", "D", "þ", "th", "Þ", "TH", "ð", "d", "Ð", "D", "ı", "i")
	decomposed := transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC)
	out, _, err := transform.String(decomposed, plainLetters.Replace(text))
	if err != nil {
		return text
	}
	return out
}
