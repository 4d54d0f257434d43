package api

import "usher/model"

// text is the path of an attribute that holds text; sub, where given, is a part of each of its values.
func text(name, sub string) model.AttributePath {
	return model.AttributePath{Name: name, Sub: sub, MultiValued: sub != "", Type: model.TypeString}
}

// equals compares without case; no value asks for nothing.
func equals(value string, path model.AttributePath) model.Filter {
	if value == "" {
		return nil
	}
	return model.Compare{Path: path, Op: model.OpEqual, Value: value}
}

// exactly compares with case.
func exactly(value string, path model.AttributePath) model.Filter {
	path.CaseExact = true
	return equals(value, path)
}

// anyContains holds where one of the attributes contains the value.
func anyContains(value string, paths ...model.AttributePath) model.Filter {
	var filter model.Filter
	if value == "" {
		return nil
	}
	for _, path := range paths {
		part := model.Filter(model.Compare{Path: path, Op: model.OpContains, Value: value})
		if filter == nil {
			filter = part
		} else {
			filter = model.Or{Left: filter, Right: part}
		}
	}
	return filter
}

// allOf holds where every filter does that is there; nil where none is.
func allOf(filters ...model.Filter) model.Filter {
	var all model.Filter
	for _, f := range filters {
		switch {
		case f == nil:
		case all == nil:
			all = f
		default:
			all = model.And{Left: all, Right: f}
		}
	}
	return all
}

// behind adds that the id is greater than after.
func behind(filter model.Filter, after string) model.Filter {
	if after == "" {
		return filter
	}
	return model.And{Left: filter, Right: model.Compare{Path: text("id", ""), Op: model.OpGreater, Value: after}}
}
