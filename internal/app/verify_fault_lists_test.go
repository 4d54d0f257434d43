package app_test

import (
	"net/http"
	"regexp"
	"strings"
)

func filterFaults() []fault {
	return []fault{
		{"filters are passed over", func(x *exchange) { x.query.Del("filter") }, nil, "filter/*"},
		{"userName is compared with case", func(x *exchange) {
			if filter := x.query.Get("filter"); strings.HasPrefix(filter, "userName") && strings.Contains(filter, "@EXAMPLE.COM") {
				x.answer(http.StatusOK, emptyList)
			}
		}, nil, "filter/user-name-in-other-case"},
		{"externalId is compared without case", func(x *exchange) {
			x.query.Set("filter", strings.Replace(x.query.Get("filter"), "@EXAMPLE.COM", "@example.com", 1))
		}, nil, "filter/external-id-exact"},
		{"nothing found is 404", nil, func(x *exchange) {
			if strings.Contains(x.got, `"totalResults":0`) {
				x.refuse(404)
			}
		}, "filter/probe filter/probe-group filter/and-neither filter/less filter/external-id-exact filter/manager"},
		{"only one comparison is understood", func(x *exchange) {
			if filter := x.query.Get("filter"); strings.Contains(filter, " and ") || strings.Contains(filter, " or ") || strings.Contains(filter, "[") {
				x.refuse(400)
			}
		}, nil, "filter/* -filter/user-name* -filter/names-in-other-case -filter/external-id* -filter/probe* -filter/invalid -filter/special-characters"},
	}
}

func pageFaults() []fault {
	strip := func(names ...string) func(*exchange) {
		return func(x *exchange) {
			for _, name := range names {
				x.query.Del(name)
			}
		}
	}
	return []fault{
		{
			"count is passed over", strip("count"), nil,
			"paging/count paging/count-zero paging/negative-count paging/eleven-users paging/eleven-groups paging/filtered",
		},
		{"startIndex is passed over", strip("startIndex"), nil, "paging/beyond-the-end paging/eleven-users paging/eleven-groups paging/filtered"},
		{"startIndex 0 is refused", func(x *exchange) {
			if x.query.Get("startIndex") == "0" {
				x.refuse(400)
			}
		}, nil, "paging/start-below-one"},
		{"projection is passed over", strip("attributes", "excludedAttributes"), nil, "projection/* -projection/value-path"},
		{"brackets in attributes are refused", func(x *exchange) {
			if strings.Contains(x.query.Get("attributes"), "[") {
				x.refuse(400)
			}
		}, nil, "projection/value-path"},
	}
}

func groupFaults() []fault {
	return []fault{
		{"schemas must be URNs", func(x *exchange) {
			if strings.Contains(x.sent, "http://schemas.microsoft.com") {
				x.refuse(400)
			}
		}, nil, "group/create"},
		{"displayName is compared with case", func(x *exchange) {
			if strings.Contains(x.query.Get("filter"), "USHER-VERIFY") {
				x.answer(http.StatusOK, emptyList)
			}
		}, nil, "group/find"},
		{"PATCH of groups is not applied", func(x *exchange) {
			if x.is("PATCH", "/Groups/*") {
				x.answer(http.StatusNoContent, "")
			}
		}, nil, "group/rename member/* -member/add-again -member/remove-absent -member/unknown -member/asked-for"},
	}
}

func memberFaults() []fault {
	ids := regexp.MustCompile(`"value":"([^"]+)"|value eq \\"([^"\\]+)`)
	before, after := overlapping(func(x *exchange) bool { return x.is("PATCH", "/Groups/*") })
	return []fault{
		{"removing some removes all", func(x *exchange) {
			if x.method == "PATCH" && strings.Contains(x.sent, `"Remove"`) {
				x.sent = regexp.MustCompile(`,"value":\[.*?\]`).ReplaceAllString(x.sent, "")
			}
		}, nil, "member/remove-listed member/unknown"},
		{"what is so already is an error", func(x *exchange) {
			if x.method != "PATCH" || strings.Count(x.sent, `"op"`) != 1 {
				return
			}
			found := ids.FindStringSubmatch(x.sent)
			if found == nil {
				return
			}
			isMember := strings.Contains(x.peek(x.path), found[1]+found[2])
			if isMember == strings.Contains(x.sent, `"Add"`) && (isMember || strings.Contains(x.sent, "[value eq")) {
				x.refuse(409)
			}
		}, nil, "member/add-again member/remove-absent"},
		{"the last of several writers wins", before, after, "member/at-once"},
		{"members cannot be asked for", func(x *exchange) {
			if strings.Contains(x.query.Get("filter"), "members eq") {
				x.refuse(400)
			}
		}, nil, "member/asked-for"},
		{"an unknown member breaks the endpoint", func(x *exchange) {
			if x.method == "PATCH" && strings.Contains(x.sent, "00000000-0000-4000-8000-000000000000") {
				x.refuse(500)
			}
		}, nil, "member/unknown"},
	}
}
