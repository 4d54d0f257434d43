package filter

import (
	"strings"

	ast "github.com/scim2/filter-parser/v2"

	"usher/model"
)

// A condition whose outcome is the same for every resource is written as id pr, which holds for all, or not (id pr). It
// does not survive within and, or and not.

func constant(holds bool) model.Filter {
	var f model.Filter = model.Compare{Op: model.OpPresent, Path: idPath()}
	if !holds {
		f = model.Not{Inner: f}
	}
	return f
}

// Constant says whether the filter holds for every resource or for none, and for which of both; else known is false.
func Constant(f model.Filter) (holds, known bool) {
	switch f := f.(type) {
	case model.Not:
		holds, known = Constant(f.Inner)
		return known && !holds, known
	case model.Compare:
		known = f.Op == model.OpPresent && f.Path == idPath()
		return known, known
	}
	return false, false
}

func conjunction(left, right model.Filter) model.Filter {
	switch l, known := Constant(left); {
	case known && l:
		return right
	case known:
		return left
	}
	switch r, known := Constant(right); {
	case known && r:
		return left
	case known:
		return right
	}
	return model.And{Left: left, Right: right}
}

func disjunction(left, right model.Filter) model.Filter {
	switch l, known := Constant(left); {
	case known && l:
		return left
	case known:
		return right
	}
	switch r, known := Constant(right); {
	case known && r:
		return right
	case known:
		return left
	}
	return model.Or{Left: left, Right: right}
}

func negation(inner model.Filter) model.Filter {
	if holds, known := Constant(inner); known {
		return constant(!holds)
	}
	return model.Not{Inner: inner}
}

// absent is what a comparison with an attribute comes to that no resource of the type has: it equals null alone.
func absent(e *ast.AttributeExpression) model.Filter {
	isNull := e.CompareValue == nil
	return constant(e.Operator == ast.EQ && isNull || e.Operator == ast.NE && !isNull)
}

// fixed compares text that is the same for every resource, in its case.
func (r resolver) fixed(have string, e *ast.AttributeExpression) (model.Filter, error) {
	checked, err := r.typed(model.AttributePath{Type: model.TypeString, CaseExact: true}, "string", e)
	if err != nil {
		return nil, err
	}
	want, isText := checked.Value.(string)
	switch e.Operator {
	case ast.PR:
		return constant(true), nil
	case ast.NE:
		return constant(!isText || have != want), nil
	case ast.EQ:
		return constant(isText && have == want), nil
	case ast.CO:
		return constant(strings.Contains(have, want)), nil
	case ast.SW:
		return constant(strings.HasPrefix(have, want)), nil
	case ast.EW:
		return constant(strings.HasSuffix(have, want)), nil
	case ast.GT:
		return constant(have > want), nil
	case ast.GE:
		return constant(have >= want), nil
	case ast.LT:
		return constant(have < want), nil
	default:
		return constant(have <= want), nil
	}
}
