package directory

import (
	"errors"
	"math"
	"strings"
	"time"
)

// dateFromNum is DateFromNum(days): the day so many days after 30 December 1899, as spreadsheets and some HR systems
// count; a fraction is the time of day.
func dateFromNum(args ...any) (any, error) {
	days, ok := asNumber(args[0])
	if !ok {
		text := strings.TrimSpace(anyText(args[0]))
		if text == "" {
			return "", nil
		}
		parsed, problem := parseNumber(text)
		if problem != "" {
			return nil, errors.New(problem)
		}
		days, _ = parsed.(float64)
	}
	const farthest = 2_958_465 // 9999-12-31
	if math.Abs(days) > farthest {
		return nil, errors.New("the number of days is out of range")
	}
	start := time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC)
	whole := math.Floor(days)
	seconds := time.Duration(math.Round((days-whole)*24*60*60)) * time.Second
	return start.AddDate(0, 0, int(whole)).Add(seconds).Format("2006-01-02T15:04:05"), nil
}

// formatDateTime is FormatDateTime(source, inputFormat, outputFormat), or as Entra writes it with the styles, which are
// not needed, as second of four arguments. The formats are .NET's (yyyy-MM-dd HH:mm); an empty input format stands for
// RFC 3339 or a plain day. Nothing stays nothing.
func formatDateTime(args ...any) (any, error) {
	formats := args[1:]
	switch len(args) {
	case 3:
	case 4:
		formats = args[2:]
	default:
		return nil, errors.New("the function FormatDateTime takes a source, an input format and an output format")
	}
	source := strings.TrimSpace(anyText(args[0]))
	if source == "" {
		return "", nil
	}
	moment, err := parseMoment(source, anyText(formats[0]))
	if err != nil {
		return nil, err
	}
	output, err := layout(anyText(formats[1]))
	if err != nil {
		return nil, err
	}
	return bounded(moment.Format(output))
}

func parseMoment(source, format string) (time.Time, error) {
	layouts := []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly}
	if format != "" {
		own, err := layout(format)
		if err != nil {
			return time.Time{}, err
		}
		layouts = []string{own}
	}
	for _, l := range layouts {
		if moment, err := time.Parse(l, source); err == nil {
			return moment, nil
		}
	}
	return time.Time{}, errors.New("the date cannot be read in the input format")
}

// formatTokens pairs the tokens of .NET date formats with Go's; the longest of a letter goes first.
func formatTokens() [][2]string {
	return [][2]string{
		{"yyyy", "2006"},
		{"yy", "06"},
		{"MMMM", "January"},
		{"MMM", "Jan"},
		{"MM", "01"},
		{"M", "1"},
		{"dddd", "Monday"},
		{"ddd", "Mon"},
		{"dd", "02"},
		{"d", "2"},
		{"HH", "15"},
		{"hh", "03"},
		{"h", "3"},
		{"mm", "04"},
		{"m", "4"},
		{"ss", "05"},
		{"s", "5"},
		{".fff", ".000"},
		{"tt", "PM"},
		{"zzz", "-07:00"},
		{"K", "Z07:00"},
	}
}

// layout translates a .NET date format to Go's. Characters that are no letters stand for themselves, and so do Z and T
// and what stands in single quotes; any other letter is refused rather than guessed. Literal digits would be read as a
// layout, so they are refused too.
func layout(format string) (string, error) {
	var out strings.Builder
	for rest := format; rest != ""; {
		if token, ok := leadingToken(rest); ok {
			out.WriteString(token[1])
			rest = rest[len(token[0]):]
			continue
		}
		c := rest[0]
		rest = rest[1:]
		switch {
		case c == '\'':
			literal, after, found := strings.Cut(rest, "'")
			if !found || strings.ContainsAny(literal, "0123456789") {
				return "", errors.New("the date format " + format + " cannot be read")
			}
			out.WriteString(literal)
			rest = after
		case c >= '0' && c <= '9', c != 'T' && c != 'Z' && isLetter(c):
			return "", errors.New("the date format " + format + " cannot be read")
		default:
			out.WriteByte(c)
		}
	}
	return out.String(), nil
}

func leadingToken(text string) ([2]string, bool) {
	for _, token := range formatTokens() {
		if strings.HasPrefix(text, token[0]) {
			return token, true
		}
	}
	return [2]string{}, false
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
