package scim

import (
	"net/http"
	"strings"

	"usher/scim/fault"
)

// conditions are the preconditions of a request on one resource (RFC 7644 §3.14, RFC 9110 §13.1).
type conditions struct{ match, noneMatch versions }

// versions is the value of one such header. Versions are compared leniently: W/"3" and "3" are the same, because a change
// that Usher counts is one whichever way the client compares.
type versions struct {
	sent bool
	any  bool     // *
	list []string // with their quotes and without W/
}

// conditions reads If-Match and If-None-Match.
func (c *call) conditions() (conditions, error) {
	match, err := parseVersions("If-Match", c.request.Header.Values("If-Match"))
	if err != nil {
		return conditions{}, err
	}
	noneMatch, err := parseVersions("If-None-Match", c.request.Header.Values("If-None-Match"))
	if err != nil {
		return conditions{}, err
	}
	return conditions{match, noneMatch}, nil
}

// parseVersions reads * or a list of entity tags; name is what the client calls them.
func parseVersions(name string, lines []string) (versions, *fault.Error) {
	if len(lines) == 0 {
		return versions{}, nil
	}
	v := versions{sent: true}
	rest := strings.Trim(strings.Join(lines, ","), " \t,")
	if rest == "*" {
		v.any = true
		return v, nil
	}
	for rest != "" {
		tag, after, ok := nextVersion(rest)
		if !ok {
			return v, fault.Value(name, `must be * or a list of versions in quotes, such as W/"3"; meta.version of a resource is one`)
		}
		v.list = append(v.list, tag)
		rest = after
	}
	if len(v.list) == 0 {
		return v, fault.Value(name, `is empty; * or versions such as W/"3" are expected`)
	}
	return v, nil
}

// nextVersion takes one entity tag, and the comma behind it, from the list.
func nextVersion(list string) (tag, rest string, ok bool) {
	list = strings.TrimPrefix(strings.TrimPrefix(list, "W/"), "w/")
	if list == "" || list[0] != '"' {
		return "", "", false
	}
	end := strings.IndexByte(list[1:], '"')
	if end < 0 {
		return "", "", false
	}
	tag, rest = list[:end+2], strings.TrimLeft(list[end+2:], " \t")
	if rest != "" && rest[0] != ',' {
		return "", "", false
	}
	return tag, strings.Trim(rest, " \t,"), true
}

func (v *versions) has(etag string) bool {
	if v.any {
		return true
	}
	etag = strings.TrimPrefix(etag, "W/")
	for _, tag := range v.list {
		if tag == etag {
			return true
		}
	}
	return false
}

// sent says whether there are any.
func (p *conditions) sent() bool { return p.match.sent || p.noneMatch.sent }

// forChange refuses the change of a resource whose version is not the one that the client asks for. It is asked inside the
// transaction, of the locked row.
func (p *conditions) forChange(r *rendered) error {
	switch {
	case p.match.sent && !p.match.has(r.etag()):
		return stale(r, "is not the one that the request names; read it again and repeat the change")
	case p.noneMatch.sent && p.noneMatch.has(r.etag()):
		return stale(r, "the request excludes")
	}
	return nil
}

// unchanged says whether the client of a GET holds the resource already.
func (c *call) unchanged(r *rendered) (bool, error) {
	p, err := c.conditions()
	if err == nil && p.match.sent && !p.match.has(r.etag()) {
		err = stale(r, "is not the one that the request names")
	}
	return err == nil && p.noneMatch.sent && p.noneMatch.has(r.etag()), err
}

// notModified answers a GET of what the client holds already.
func notModified(r *rendered) answer { return answer{status: http.StatusNotModified, etag: r.etag()} }

func stale(r *rendered, what string) error {
	return &fault.Error{
		Status: http.StatusPreconditionFailed, Detail: "the resource " + r.id + " has the version " + r.etag() + ", which " + what,
	}
}
