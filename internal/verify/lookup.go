package verify

import (
	"regexp"
	"strings"
)

// pathForm is name, [filter on one sub-attribute], sub-attribute: emails[type eq "work"].value.
var pathForm = regexp.MustCompile(`^([^.\[\]]+)(?:\[([a-zA-Z]+) eq ([^\]]+)\])?(?:\.([a-zA-Z$]+))?$`)

// lookup reads what a SCIM path names in a resource; nil where there is nothing. Names are compared without case
// (RFC 7643 §2.1). Extension attributes are written with their URN.
func lookup(v any, path string) any {
	o, _ := v.(object)
	if strings.HasPrefix(path, "urn:") {
		for name, extension := range o {
			if len(path) > len(name) && strings.EqualFold(path[:len(name)], name) && path[len(name)] == ':' {
				return lookup(extension, path[len(name)+1:])
			}
		}
		return member(o, path)
	}
	parts := pathForm.FindStringSubmatch(path)
	if parts == nil {
		return member(o, path)
	}
	found := member(o, parts[1])
	if parts[2] != "" {
		found = selected(found, parts[2], strings.Trim(parts[3], `"`))
	}
	if parts[4] == "" {
		return found
	}
	inner, _ := found.(object)
	return member(inner, parts[4])
}

func member(o object, name string) any {
	if v, ok := o[name]; ok {
		return v
	}
	for key, v := range o {
		if strings.EqualFold(key, name) {
			return v
		}
	}
	return nil
}

// selected gives the element whose sub-attribute has the value, written as text.
func selected(v any, sub, want string) any {
	elements, _ := v.(list)
	for _, e := range elements {
		o, _ := e.(object)
		switch got := member(o, sub).(type) {
		case string:
			if strings.EqualFold(got, want) {
				return o
			}
		case bool:
			if got == strings.EqualFold(want, "true") {
				return o
			}
		}
	}
	return nil
}
