package journal

import "strings"

// object reads an object and hides the values of its secrets.
func (r *redactor) object() bool {
	o := objectSecrets{from: -1}
	for r.pos++; ; r.pos++ {
		if r.space(); r.end() {
			break
		}
		if r.in[r.pos] == '}' && !o.open {
			r.pos++
			break
		}
		if !r.member(&o) {
			return false
		}
		if r.space(); r.ended || r.end() {
			break
		}
		if r.in[r.pos] == '}' {
			r.pos++
			break
		}
		if r.in[r.pos] != ',' {
			return false
		}
		o.open = true
	}
	if r.ended && !r.cut {
		return false
	}
	// Where the text was cut, the path that would tell may be behind the cut.
	if o.from >= 0 && (o.secret || r.ended && !o.named) {
		r.hide(o.from, o.to)
	}
	return true
}

// objectSecrets is what an object tells of its own member value: whether a member beside it says that it is a secret.
type objectSecrets struct {
	open     bool // behind a comma
	named    bool // there is a path
	secret   bool // path, name, type or key name a secret
	from, to int  // of the value; from is -1 without one
}

func (r *redactor) member(o *objectSecrets) bool {
	if r.in[r.pos] != '"' {
		return false
	}
	name, ok := r.text()
	if !ok || r.ended {
		return ok
	}
	if r.space(); r.end() {
		return r.cut
	}
	if r.in[r.pos] != ':' {
		return false
	}
	r.pos++
	if r.space(); r.end() {
		return r.cut
	}
	from, inner := r.pos, len(r.spans)
	if !r.value() {
		return false
	}
	key := strings.ToLower(name)
	switch {
	case isSecret(name):
		r.spans = r.spans[:inner]
		if text := string(r.in[from:r.pos]); text != "null" && text != "true" && text != "false" {
			r.hide(from, r.pos)
		}
		return true
	case key == "value":
		o.from, o.to = from, r.pos
	case key == "filter":
		r.filter(from)
	}
	r.siblings(key, from, o)
	return true
}

// siblings looks whether a member says that the value beside it is a secret.
func (r *redactor) siblings(key string, from int, o *objectSecrets) {
	switch key {
	case "path", "name", "type", "key":
		text, _ := unquote(r.in[from:r.pos])
		o.named = o.named || key == "path" && !r.ended
		o.secret = o.secret || isSecret(text)
	}
}

// filter hides the filter of a search that is posted, where it names a secret.
func (r *redactor) filter(from int) {
	text, ok := unquote(r.in[from:r.pos])
	if !ok {
		text = string(r.in[from:r.pos])
	}
	if isSecret(text) {
		r.hide(from, r.pos)
	}
}
