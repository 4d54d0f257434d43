package scim_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// match compares an answer with what is wanted.
func (s *story) match(path string, want, got any) error {
	switch w := want.(type) {
	case string:
		return s.matchText(path, w, got)
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return fmt.Errorf("%s: %v, want an object", path, got)
		}
		_, open := w["..."]
		for name, v := range g {
			if _, ok := w[name]; !ok && !open && name != "meta" {
				return fmt.Errorf("%s.%s: %v is not wanted", path, name, v)
			}
		}
		names := slices.SortedFunc(maps.Keys(w), func(a, b string) int { // id first: location repeats it
			return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
		})
		for _, name := range names {
			if name == "..." {
				continue
			}
			v := w[name]
			if v == "{{none}}" {
				if _, ok := g[name]; ok {
					return fmt.Errorf("%s.%s: %v, want it not to be there", path, name, g[name])
				}
				continue
			}
			if _, ok := g[name]; !ok {
				return fmt.Errorf("%s.%s is missing", path, name)
			}
			if err := s.match(path+"."+name, v, g[name]); err != nil {
				return err
			}
		}
		return nil
	case []any:
		return s.matchList(path, w, got)
	}
	if want != got {
		return fmt.Errorf("%s: %v, want %v", path, got, want)
	}
	return nil
}

func rank(name string) int {
	if name == "id" {
		return 0
	}
	return 1
}

func (s *story) matchText(path, want string, got any) error {
	text, isText := got.(string)
	name, isID := strings.CutPrefix(strings.TrimSuffix(want, "}}"), "{{id:")
	switch {
	case want == "{{any}}":
		return nil
	case isID && isText && s.ids[name] == "" && !slices.Contains(mapValues(s.ids), text):
		s.ids[name] = text
		return nil
	}
	if want = s.fill(want); !isText || text != want {
		return fmt.Errorf("%s: %v, want %q", path, got, want)
	}
	return nil
}

func mapValues(m map[string]string) []string {
	var list []string
	for _, v := range m {
		list = append(list, v)
	}
	return list
}

// matchList compares in order, except for members and groups: the server orders those by their random ids.
func (s *story) matchList(path string, want []any, got any) error {
	g, ok := got.([]any)
	if !ok || len(g) != len(want) {
		return fmt.Errorf("%s: %v, want %d elements", path, got, len(want))
	}
	if !strings.HasSuffix(path, ".members") && !strings.HasSuffix(path, ".groups") {
		for i := range want {
			if err := s.match(path+"["+strconv.Itoa(i)+"]", want[i], g[i]); err != nil {
				return err
			}
		}
		return nil
	}
	rest := slices.Clone(g)
	for _, w := range want {
		i := slices.IndexFunc(rest, func(candidate any) bool { return s.match("", w, candidate) == nil })
		if i < 0 {
			return fmt.Errorf("%s: %v, want %v among them", path, got, w)
		}
		rest = slices.Delete(rest, i, i+1)
	}
	return nil
}
