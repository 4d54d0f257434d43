package store

import (
	"database/sql/driver"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	numberPattern = regexp.MustCompile(numberForm)
	timePattern   = regexp.MustCompile(timeForm)
)

// decimal takes a number that numberForm admits apart: it is 0.digits times ten to the power of exponent, and has scale
// digits behind the point when it is written without an exponent. Zero has no digits.
func decimal(text string) (negative bool, digits string, exponent, scale int) {
	text, negative = strings.CutPrefix(text, "-")
	power := 0
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		power, _ = strconv.Atoi(text[at+1:])
		text = text[:at]
	}
	whole, fraction, _ := strings.Cut(text, ".")
	scale = max(0, len(fraction)-power)
	digits = strings.TrimLeft(whole+fraction, "0")
	exponent = len(whole) + power - (len(whole+fraction) - len(digits))
	return negative, strings.TrimRight(digits, "0"), exponent, scale
}

// plainNumber spells a number as PostgreSQL does: without an exponent, with all its digits behind the point.
func plainNumber(text string) string {
	if !isNumber(text) {
		return text
	}
	negative, digits, exponent, scale := decimal(text)
	if digits == "" {
		exponent, negative = 0, false
	}
	whole, fraction := "0", ""
	switch {
	case exponent <= 0:
		fraction = strings.Repeat("0", -exponent) + digits
	case exponent >= len(digits):
		whole = digits + strings.Repeat("0", exponent-len(digits))
	default:
		whole, fraction = digits[:exponent], digits[exponent:]
	}
	if digits == "" {
		fraction = ""
	}
	if scale > 0 {
		whole += "." + fraction + strings.Repeat("0", scale-len(fraction))
	}
	if negative {
		return "-" + whole
	}
	return whole
}

// exponentBase makes the exponent of every number that numberForm admits a positive one of four digits.
const exponentBase = 5000

// sortableNumber gives text that sorts as the number does, however many digits it has, or NULL for what is no number.
func sortableNumber(text string) driver.Value {
	if !isNumber(text) {
		return nil
	}
	negative, digits, exponent, _ := decimal(text)
	switch {
	case digits == "":
		return "1"
	case !negative:
		return fmt.Sprintf("2%04d%s", exponentBase+exponent, digits)
	}
	complement := []byte(digits)
	for i, d := range complement {
		complement[i] = '0' + '9' - d
	}
	return fmt.Sprintf("0%04d%s~", exponentBase-exponent, complement) // the sign behind sorts after every digit
}

// timeForm is that of usher_time in migration 2. It admits no day that the calendar lacks.
const timeForm = `^((?:(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-` +
	`(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8])))` +
	`|(?:(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)-02-29))` +
	`(?:T((?:[01][0-9]|2[0-3]):[0-5][0-9])(?:(:[0-5][0-9])(?:(\.[0-9]{1,6})[0-9]*)?)?)?(Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?$`

// asTime gives text that sorts as the time does, to the microsecond, or NULL for what is no time.
func asTime(text string) driver.Value {
	parts := timePattern.FindStringSubmatch(text)
	if parts == nil {
		return nil
	}
	day, clock, second, fraction, zone := parts[1], parts[2], parts[3], parts[4], parts[5]
	if clock == "" {
		clock = "00:00"
	}
	if second == "" {
		second = ":00"
	}
	if zone == "" {
		zone = "Z"
	}
	at, err := time.Parse(time.RFC3339Nano, day+"T"+clock+second+fraction+zone)
	if err != nil {
		return nil
	}
	return at.UTC().Format(sortableTime)
}
