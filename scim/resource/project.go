package resource

import (
	"strings"

	"usher/scim/filter"
	"usher/scim/schemas"
)

// Projection is what a client wants to see of a resource: attributes and excludedAttributes (RFC 7644 §3.4.2.5, §3.9).
// The zero Projection shows everything that is returned by default.
type Projection struct {
	include []schemas.Target
	exclude []schemas.Target
	listed  bool // attributes was given
}

// ParseProjection reads the two parameters. What is named and does not exist is passed over, and a value filter in
// brackets means the attribute, as Microsoft's examples have it.
func ParseProjection(res *schemas.Resource, attributes, excluded string) Projection {
	return Projection{
		include: selections(res, attributes), exclude: selections(res, excluded),
		listed: strings.TrimSpace(attributes) != "",
	}
}

func selections(res *schemas.Resource, list string) []schemas.Target {
	var targets []schemas.Target
	depth, start := 0, 0
	for i := 0; i <= len(list); i++ {
		switch {
		case i == len(list) || list[i] == ',' && depth == 0:
			if t, ok := selection(res, strings.TrimSpace(list[start:i])); ok {
				targets = append(targets, t)
			}
			start = i + 1
		case list[i] == '[':
			depth++
		case list[i] == ']':
			depth = max(0, depth-1)
		}
	}
	return targets
}

func selection(res *schemas.Resource, text string) (schemas.Target, bool) {
	if text == "" {
		return schemas.Target{}, false
	}
	if s := res.Schema(text); s != nil {
		t := schemas.Target{Schema: s, URN: s.URN}
		if s == res.Core {
			t.URN = ""
		}
		return t, true
	}
	path, err := filter.ParsePath(text, nil)
	if err != nil {
		return schemas.Target{}, false
	}
	return pathTarget(res, path), true
}

// IsWhole says whether the projection shows the whole document as it is stored, so that nothing need be parsed: at most
// attributes that are no part of documents, such as members, are excluded.
func (p *Projection) IsWhole() bool {
	if p.listed {
		return false
	}
	for _, t := range p.exclude {
		if t.Sub != "" || t.Attr == nil || t.Name != "members" && t.Name != "groups" {
			return false
		}
	}
	return true
}

// Listed says whether the client named the attributes it wants.
func (p *Projection) Listed() bool { return p.listed }

// Wants says whether an attribute of the core schema that is not part of documents is to be shown.
func (p *Projection) Wants(a *schemas.Attribute) bool {
	if a == nil {
		return false
	}
	for _, t := range p.exclude {
		if t.Attr == a && t.Sub == "" || p.isCore(t) {
			return false
		}
	}
	for _, t := range p.include {
		if t.Attr == a || p.isCore(t) && !a.OnRequest {
			return true
		}
	}
	return !p.listed && !a.OnRequest
}

func (p *Projection) isCore(t schemas.Target) bool { return t.Name == "" && t.URN == "" }

// Apply gives what is left of a whole resource, with id, meta and members or groups in it. id and schemas always are.
func (p *Projection) Apply(full map[string]any) map[string]any {
	full = cloneMap(full)
	id, urns := full["id"], full["schemas"]
	out := full
	if p.listed {
		out = map[string]any{}
		for _, t := range p.include {
			take(full, out, t)
		}
		prune(out)
	}
	for _, t := range p.exclude {
		drop(out, t)
	}
	if p.listed || len(p.exclude) > 0 {
		out["id"], out["schemas"] = id, urns
	}
	return out
}

// take copies what t names from full to out.
func take(full, out map[string]any, t schemas.Target) {
	from, to := full, out
	switch {
	case t.Name == "" && t.URN == "":
		for name, v := range full {
			if !isURN(name) {
				out[name] = v
			}
		}
		return
	case t.URN != "":
		urn := key(full, t.URN)
		held, ok := full[urn].(map[string]any)
		if whole, joined := full[key(full, t.Text())]; !ok && joined {
			out[key(full, t.Text())] = whole // a URN that no schema has
			return
		}
		if !ok {
			return
		}
		if t.Name == "" {
			out[urn] = held
			return
		}
		if from = held; out[urn] == nil {
			out[urn] = map[string]any{}
		}
		to, _ = out[urn].(map[string]any)
	}
	name := key(from, t.Name)
	v, ok := from[name]
	if !ok {
		return
	}
	if t.Sub == "" {
		to[name] = v
		return
	}
	to[name] = takeSub(v, to[name], t.Sub)
}

// takeSub adds the sub-attribute of v to what was taken of v before.
func takeSub(v, before any, sub string) any {
	switch v := v.(type) {
	case map[string]any:
		m, ok := before.(map[string]any)
		if !ok {
			m = map[string]any{}
		}
		if name := key(v, sub); v[name] != nil {
			m[name] = v[name]
		}
		return m
	case []any:
		list, ok := before.([]any)
		if !ok {
			list = make([]any, len(v))
		}
		for i := range v {
			list[i] = takeSub(v[i], list[i], sub)
		}
		return list
	}
	return v
}

// prune takes away objects in which nothing was found, and lists of nothing but such: what has no value is not there
// (RFC 7643 §2.5).
func prune(m map[string]any) {
	for name, v := range m {
		if inner, ok := v.(map[string]any); ok && isURN(name) {
			prune(inner)
		}
		if v = filled(v); v == nil {
			delete(m, name)
		} else {
			m[name] = v
		}
	}
}

// filled gives the value without empty objects; nil where nothing is left of it.
func filled(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			return nil
		}
	case []any:
		list := make([]any, 0, len(v))
		for _, element := range v {
			if m, ok := element.(map[string]any); !ok || len(m) > 0 {
				list = append(list, element)
			}
		}
		if len(list) == 0 && len(v) > 0 {
			return nil
		}
		return list
	}
	return v
}

func drop(out map[string]any, t schemas.Target) {
	from := out
	switch {
	case t.Name == "" && t.URN == "":
		for name := range out {
			if !isURN(name) {
				delete(out, name)
			}
		}
		return
	case t.URN != "":
		held, ok := out[key(out, t.URN)].(map[string]any)
		if !ok || t.Name == "" {
			delete(out, key(out, t.URN))
			delete(out, key(out, t.Text()))
			return
		}
		from = held
		defer func() {
			if len(held) == 0 {
				delete(out, key(out, t.URN))
			}
		}()
	}
	name := key(from, t.Name)
	if t.Sub == "" {
		delete(from, name)
	} else if from[name] != nil {
		if from[name] = filled(dropSub(from[name], t.Sub)); from[name] == nil {
			delete(from, name)
		}
	}
}

func dropSub(v any, sub string) any {
	switch v := v.(type) {
	case map[string]any:
		m := cloneMap(v)
		delete(m, key(m, sub))
		return m
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = dropSub(v[i], sub)
		}
		return list
	}
	return v
}
