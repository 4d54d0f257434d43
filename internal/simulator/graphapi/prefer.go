package graphapi

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"usher/internal/timezone"
	"usher/model/outlook"
)

// preferences are what the Prefer headers of a request ask for; each request asks anew, links carry none of it.
type preferences struct {
	immutable bool
	zone      *time.Location
	zoneName  string
	text      bool
	pageSize  int
	applied   []string
}

// readPreferences takes Prefer headers, repeated or joined by commas (RFC 7240). What it does not know it passes over.
func readPreferences(header http.Header) (preferences, error) {
	p := preferences{zone: time.UTC, zoneName: "UTC"}
	for _, one := range splitPreferences(strings.Join(header.Values("Prefer"), ",")) {
		name, value, _ := strings.Cut(one, "=")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.Trim(strings.TrimSpace(value), `"`)
		switch name {
		case "idtype":
			p.immutable = strings.EqualFold(value, "ImmutableId")
		case "outlook.timezone":
			zone, err := timezone.Load(value)
			if err != nil {
				return p, &outlook.Error{Kind: outlook.BadZone, Message: "A valid TimeZone value must be specified. The following TimeZone value is not supported: '" + value + "'."}
			}
			p.zone, p.zoneName = zone, value
		case "outlook.body-content-type":
			p.text = strings.EqualFold(value, "text")
		case "odata.maxpagesize":
			size, err := strconv.Atoi(value)
			if err != nil || size < 1 {
				return p, badRequest("The value of odata.maxpagesize is not a positive number.")
			}
			p.pageSize = min(size, 1000)
		default:
			continue
		}
		p.applied = append(p.applied, strings.TrimSpace(one))
	}
	return p, nil
}

// splitPreferences cuts at commas outside of quotes.
func splitPreferences(text string) []string {
	quoted := false
	return strings.FieldsFunc(text, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ',' && !quoted
	})
}

// apply says which preferences were followed.
func (p preferences) apply(header http.Header) {
	if len(p.applied) > 0 {
		header.Set("Preference-Applied", strings.Join(p.applied, ", "))
	}
}
