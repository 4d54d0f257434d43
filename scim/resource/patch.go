package resource

import (
	"strconv"
	"strings"

	"usher/scim/fault"
	"usher/scim/filter"
	"usher/scim/schemas"
	"usher/scim/wire"
)

// MaxOperations is how many operations a PATCH may have.
const MaxOperations = 5000

// ParsePatch reads the body of a PATCH (RFC 7644 §3.5.2) in either of Entra's dialects. No operations at all are no
// change: Microsoft's validator sends that. Errors are *fault.Error.
func ParsePatch(res *schemas.Resource, body wire.Body, note Note) (*Patch, error) {
	envelope, ok := body.Value.(*wire.Object)
	if !ok {
		return nil, fault.Syntax("the body is %s; a JSON object with Operations is expected", wire.Describe(body.Value))
	}
	value, ok := envelope.Get("Operations")
	if !ok {
		return nil, fault.Syntax("the body has no Operations")
	}
	ops, ok := value.([]any)
	if single, isObject := value.(*wire.Object); isObject {
		note("one operation for a list")
		ops, ok = []any{single}, true
	}
	if !ok {
		return nil, fault.Syntax("Operations is %s; a list is expected", wire.Describe(value))
	}
	if len(ops) > MaxOperations {
		return nil, fault.TooLarge("the body has %d operations; at most %d are possible", len(ops), MaxOperations)
	}
	if body.Bad != nil {
		return nil, badValue(body.Bad, ops)
	}
	if len(ops) == 0 {
		note("no operations")
	}
	x := exploder{res: res, note: note}
	for i, op := range ops {
		if err := x.operation(i, op); err != nil {
			return nil, err
		}
	}
	return &Patch{res: res, steps: x.steps, members: x.members}, nil
}

// badValue names the attribute of the operation that holds a string which cannot be stored.
func badValue(bad *wire.BadString, ops []any) error {
	where := bad.Path(0)
	if len(bad.Steps) > 2 {
		if i, ok := bad.Steps[1].(int); ok && i < len(ops) {
			if op, ok := ops[i].(*wire.Object); ok {
				path, _ := op.Get("path")
				if text, ok := path.(string); ok && text != "" && bad.Steps[2] != "path" {
					where = strings.TrimSuffix(text+"."+bad.Path(3), ".value")
				} else if len(bad.Steps) > 3 {
					where = bad.Path(3)
				}
			}
		}
	}
	return fault.Value(where, "%s", bad.Reason)
}

func (x *exploder) operation(i int, v any) error {
	where := "Operations[" + strconv.Itoa(i) + "]"
	op, ok := v.(*wire.Object)
	if !ok {
		return fault.Syntax("%s is %s; an object is expected", where, wire.Describe(v))
	}
	name, _ := op.Get("op")
	text, ok := name.(string)
	switch verb(strings.ToLower(text)) {
	case add, replace, remove:
		x.kind = verb(strings.ToLower(text))
	default:
		if !ok {
			return fault.Syntax("%s has no op; add, replace or remove is expected", where)
		}
		return fault.Syntax("%s has the op %q; add, replace or remove is expected", where, brief(text))
	}
	if text != string(x.kind) {
		x.note("capitalized op")
	}
	value, given := op.Get("value")
	path, _ := op.Get("path")
	pathText, ok := path.(string)
	switch {
	case path != nil && !ok:
		return fault.Path(brief(wire.Describe(path)), "a path is a string")
	case strings.TrimSpace(pathText) != "":
		return x.pathed(pathText, value, given)
	case x.kind == remove:
		return fault.NoTarget("%s removes without a path; name the attribute to remove", where)
	}
	if list, ok := value.([]any); ok && len(list) == 1 {
		x.note("list for a single value")
		value = list[0]
	}
	o, ok := value.(*wire.Object)
	if !ok {
		return fault.Value(where+".value", "without a path, an object with the attributes is expected")
	}
	return x.object(o)
}

// pathed files an operation with a path.
func (x *exploder) pathed(path string, value any, given bool) error {
	s := step{kind: x.kind, path: path, value: value, given: given, named: true}
	trimmed := strings.TrimSpace(path)
	if isURN(trimmed) {
		if schema := x.res.Schema(trimmed); schema != nil {
			return x.wholeExtension(schema, s)
		}
		_, isObject := value.(*wire.Object)
		if (isObject || x.kind == remove) && x.endsInResource(trimmed) {
			s.target = schemas.Target{URN: trimmed}
			return x.push(s)
		}
	}
	parsed, err := filter.ParsePath(trimmed, x.note)
	if err != nil {
		return err
	}
	s.target, s.filter = pathTarget(x.res, parsed), parsed.ValueExpression
	if s.target.URN != "" && parsed.AttributePath.URIPrefix == nil {
		x.note("extension attribute without its URN")
	}
	return x.push(s)
}

// endsInResource says whether an unknown URN is a schema for this resource, as urn:contoso:2.0:User is.
func (x *exploder) endsInResource(urn string) bool {
	_, name, _ := schemas.Split(urn)
	return strings.EqualFold(name, x.res.Name)
}

func (x *exploder) wholeExtension(schema *schemas.Schema, s step) error {
	if o, ok := s.value.(*wire.Object); ok && s.kind != remove {
		return x.extension(schema, s, o)
	}
	s.target = schemas.Target{Schema: schema}
	if schema != x.res.Core {
		s.target.URN = schema.URN
	}
	return x.push(s)
}
