package directory

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/currency"
	"golang.org/x/text/language"

	"usher/model"
)

// maxValueLength bounds a value that a field mapping writes, in characters.
const maxValueLength = 1000

// convert turns the text of an attribute into the value of a target, or says in words why it cannot: string for
// built-in fields and custom text and dates (2006-01-02), float64 for custom numbers.
func (r *Rules) convert(f *fieldRule, text string) (value any, problem string) {
	if utf8.RuneCountInString(text) > maxValueLength {
		return nil, "the value has more than " + strconv.Itoa(maxValueLength) + " characters"
	}
	switch f.custom {
	case model.FieldNumber:
		return parseNumber(text)
	case model.FieldDate:
		return parseDate(text)
	case model.FieldText:
		return text, ""
	}
	return r.convertBuiltIn(f.target, text)
}

func (r *Rules) convertBuiltIn(target, text string) (value any, problem string) {
	switch target {
	case targetEmail:
		address := realAddress(text)
		if !isAddress(address) {
			return nil, strconv.Quote(text) + " is not an e-mail address"
		}
		return address, ""
	case targetUserName:
		return realAddress(text), ""
	case targetDepartment:
		return r.department(text), ""
	case targetLanguage:
		if !isLanguage(text) {
			return nil, strconv.Quote(text) + " is not a language tag (BCP 47)"
		}
	case targetTimeZone:
		if !isTimeZone(text) {
			return nil, strconv.Quote(text) + " is not a time zone of the IANA database"
		}
	case targetCurrency:
		if !isCurrency(text) {
			return nil, strconv.Quote(text) + " is not a currency code (ISO 4217)"
		}
		return strings.ToUpper(text), ""
	}
	return text, ""
}

// department gives the key of the catalogue's department with this key or name, else the text as it is.
func (r *Rules) department(text string) string {
	if key, ok := r.departments[model.Fold(text)]; ok {
		return key
	}
	return text
}

func parseNumber(text string) (value any, problem string) {
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(number) || math.IsInf(number, 0) {
		return nil, strconv.Quote(text) + " is not a number"
	}
	return number, ""
}

// parseDate reads a day, alone or as the start of a time (RFC 3339, or as Entra writes it without a zone).
func parseDate(text string) (value any, problem string) {
	for _, layout := range [...]string{time.DateOnly, time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if day, err := time.Parse(layout, text); err == nil {
			return day.Format(time.DateOnly), ""
		}
	}
	return nil, strconv.Quote(text) + " is not a date such as 2026-11-21"
}

func isLanguage(text string) bool {
	tag, err := language.Parse(text)
	return err == nil && tag != language.Und
}

// isTimeZone refuses what LoadLocation takes beyond the database: the empty name and the machine's own zone.
func isTimeZone(text string) bool {
	if text == "" || text == "Local" {
		return false
	}
	_, err := time.LoadLocation(text)
	return err == nil
}

func isCurrency(text string) bool {
	_, err := currency.ParseISO(text)
	return err == nil
}

// sameValue compares two values of a custom field, whatever the codec made of numbers.
func sameValue(a, b any) bool {
	x, xIsNumber := asNumber(a)
	y, yIsNumber := asNumber(b)
	if xIsNumber || yIsNumber {
		return xIsNumber && yIsNumber && x == y
	}
	return textOf(a) == textOf(b)
}

func asNumber(value any) (float64, bool) {
	switch v := value.(type) {
	case float64:
		return v, true
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case json.Number:
		number, err := v.Float64()
		return number, err == nil
	}
	return 0, false
}
