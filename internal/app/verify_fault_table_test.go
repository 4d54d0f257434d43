package app_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

func faults() []fault {
	return slices.Concat(
		discoveryFaults(), protocolFaults(), createFaults(), conflictFaults(), userFaults(), lifecycleFaults(), patchFaults(), patchEffectFaults(), filterFaults(), pageFaults(),
		groupFaults(), memberFaults(), optionalFaults(),
	)
}

func discoveryFaults() []fault {
	return []fault{
		{"discovery is missing", func(x *exchange) {
			if x.is("GET", "/ServiceProviderConfig") {
				x.refuse(404)
			}
		}, nil, "discovery/provider-config"},
		{"User is no resource type", nil, func(x *exchange) {
			if x.is("GET", "/ResourceTypes") {
				x.edit(without("name", "User"))
			}
		}, "discovery/resource-types"},
		{"a resource type has no address", func(x *exchange) {
			if x.is("GET", "/ResourceTypes/*") {
				x.refuse(404)
			}
		}, nil, "discovery/resource-type-by-name"},
		{"there is no User schema", nil, func(x *exchange) {
			if x.is("GET", "/Schemas") {
				x.edit(without("name", "User"))
			}
		}, "discovery/schemas discovery/entra-attributes"},
		{"schemas are spelt in capitals", nil, func(x *exchange) {
			x.got = strings.ReplaceAll(x.got, `"readWrite"`, `"READWRITE"`)
		}, "discovery/schema-form"},
		{"schemas have nulls", nil, func(x *exchange) {
			x.got = strings.ReplaceAll(x.got, `"multiValued":false`, `"multiValued":null`)
		}, "discovery/schema-form"},
		{"a schema has no address", func(x *exchange) {
			if x.is("GET", "/Schemas/*") {
				x.refuse(404)
			}
		}, nil, "discovery/schema-by-urn"},
		{"externalId is not in the schemas", nil, func(x *exchange) {
			x.got = strings.ReplaceAll(x.got, `"externalId"`, `"foreignId"`)
		}, "discovery/entra-attributes"},
		{"a filter on discovery is passed over", func(x *exchange) {
			if x.is("GET", "/Schemas") {
				x.query.Del("filter")
			}
		}, nil, "discovery/filter-forbidden"},
		{"discovery takes POST", func(x *exchange) {
			if x.is("POST", "/ServiceProviderConfig") {
				x.answer(200, `{}`)
			}
		}, nil, "discovery/read-only"},
		{"discovery does not describe itself", nil, func(x *exchange) {
			if x.is("GET", "/Schemas") {
				x.edit(without("name", "ResourceType"))
			}
		}, "discovery/describes-itself"},
	}
}

// without takes an entry out of a list.
func without(key, value string) func(map[string]any) {
	return func(o map[string]any) {
		entries, _ := o["Resources"].([]any)
		o["Resources"] = slices.DeleteFunc(entries, func(e any) bool { return e.(map[string]any)[key] == value })
	}
}

func protocolFaults() []fault {
	good := ""
	return []fault{
		{"answers are plain JSON", nil, func(x *exchange) { x.header.Set("Content-Type", "application/json") }, "protocol/content-type"},
		{"Accept is required", func(x *exchange) {
			if x.request.Header.Get("Accept") == "" {
				x.refuse(406)
			}
		}, nil, "protocol/bare-request"},
		{"flags in the query are refused", func(x *exchange) {
			if x.query.Has("aadOptscim062020") {
				x.refuse(400)
			}
		}, nil, "protocol/flags-in-query"},
		{"slashes are counted", func(x *exchange) {
			if strings.HasPrefix(x.path, "//") {
				x.refuse(404)
			}
		}, nil, "protocol/trailing-slash"},
		{"any token will do", func(x *exchange) {
			if good == "" {
				good = x.request.Header.Get("Authorization")
			}
			x.request.Header.Set("Authorization", good)
		}, nil, "protocol/token-refused"},
		{"errors have a number for status", nil, func(x *exchange) {
			if x.status == 404 {
				x.got = strings.ReplaceAll(x.got, `"404"`, `404`)
			}
		}, "protocol/unknown-user protocol/unknown-endpoint"},
		{"an unknown path is a page", nil, func(x *exchange) {
			if x.status == 404 && strings.HasPrefix(x.path, "/usher") {
				x.got = "<html><body>Not found</body></html>"
			}
		}, "protocol/unknown-endpoint"},
		{"Me is unknown", func(x *exchange) {
			if x.is("GET", "/Me") {
				x.refuse(404)
			}
		}, nil, "protocol/me"},
		{"plain JSON is refused", func(x *exchange) {
			if x.method == "POST" && x.request.Header.Get("Content-Type") == "application/json" {
				x.refuse(415)
			}
		}, nil, "protocol/plain-json"},
		{"broken JSON breaks the endpoint", nil, func(x *exchange) {
			if x.status == 400 {
				x.status = 500
			}
		}, "protocol/broken-json"},
		{"names are compared with case", func(x *exchange) { x.sent = strings.Replace(x.sent, `"USERNAME"`, `"nothing"`, 1) }, nil, "protocol/names-without-case"},
	}
}

func createFaults() []fault {
	refuses := func(name, pattern, breaks string) fault {
		p := regexp.MustCompile(pattern)
		return fault{name, func(x *exchange) {
			if x.method != "GET" && p.MatchString(x.sent) {
				x.refuse(400)
			}
		}, nil, breaks}
	}
	return []fault{
		{"a mail address is required", func(x *exchange) {
			if x.is("POST", "/Users") && !strings.Contains(x.sent, `"emails"`) {
				x.refuse(400)
			}
		}, nil, "create/* -create/user -create/without-user-name"},
		{"POST is 200", nil, func(x *exchange) {
			if x.status == 201 {
				x.status = 200
			}
		}, "create/user create/minimal create/location create/nulls"},
		{"values are made prettier", nil, func(x *exchange) { x.got = strings.ReplaceAll(x.got, "55555555555", "+5 (555) 555-5555") }, "create/user"},
		{"Location is relative", nil, func(x *exchange) { x.header.Set("Location", "/Users/1") }, "create/location"},
		refuses("null is refused", `:null`, "create/nulls"),
		refuses("unknown URNs are refused", `extension:contoso`, "create/unknown-schema"),
		refuses("string booleans are refused", `:"(True|False)"`, "create/string-booleans lifecycle/legacy lifecycle/pathless lifecycle/tombstone lifecycle/restore"),
		refuses("booleans are refused", `"value":(true|false)`, "lifecycle/flag"),
		refuses("unknown attributes are refused", `favouriteColour`, "create/unknown-attribute user/replace-unknown-attribute"),
		{"nothing is required", nil, func(x *exchange) {
			if x.status == 400 {
				x.status = 201
			}
		}, "create/without-user-name group/without-name"},
	}
}

func conflictFaults() []fault {
	seen := map[string]bool{}
	return []fault{
		{"names may be taken twice", nil, func(x *exchange) {
			if x.status == 409 {
				x.status = 201
			}
		}, "create/duplicate create/duplicate-in-other-case group/duplicate"},
		{
			"conflicts are not explained", nil, func(x *exchange) { x.got = strings.Replace(x.got, `"uniqueness"`, `"tooMany"`, 1) },
			"create/duplicate create/duplicate-in-other-case group/duplicate",
		},
		{"names are unique with case", nil, func(x *exchange) {
			if x.status == 409 && strings.Contains(x.sent, "@EXAMPLE.COM") {
				x.status = 201
			}
		}, "create/duplicate-in-other-case"},
		{"passwords come back", nil, func(x *exchange) {
			if x.is("GET", "/Users/*") {
				x.edit(func(o map[string]any) { o["password"] = "secret" })
			}
		}, "create/password"},
		{"names are never free again", func(x *exchange) {
			if x.is("POST", "/Users") {
				name := regexp.MustCompile(`"userName":"[^"]*"`).FindString(x.sent)
				if seen[name] {
					x.refuse(409)
				}
				seen[name] = true
			}
		}, nil, "user/create-again"},
	}
}

func userFaults() []fault {
	return []fault{
		{"meta is missing", nil, func(x *exchange) { x.edit(func(o map[string]any) { delete(o, "meta") }) }, "user/read"},
		{"PUT is not applied", func(x *exchange) {
			if x.method == "PUT" {
				x.method = "GET"
			}
		}, nil, "user/replace user/replace-unknown-attribute user/replace-without-user-name group/replace"},
		{"PUT creates", nil, func(x *exchange) {
			if x.method == "PUT" && x.status == 404 {
				x.status = 201
			}
		}, "user/replace-unknown"},
		{"DELETE is not done", func(x *exchange) {
			if x.method == "DELETE" {
				x.answer(204, "")
			}
		}, nil, "user/delete user/delete-twice user/create-again group/delete"},
		{"DELETE is 200", nil, func(x *exchange) {
			if x.status == 204 && x.method == "DELETE" {
				x.status = 200
			}
		}, "user/delete user/delete-twice user/create-again group/delete"},
	}
}

func lifecycleFaults() []fault {
	return []fault{
		{"inactive users are hidden", nil, func(x *exchange) {
			if x.is("GET", "/Users") && strings.Contains(x.got, `"active":false`) {
				x.answer(200, emptyList)
			}
		}, "lifecycle/inactive-visible"},
		{"tombstones are passed over", func(x *exchange) {
			if x.method == "PATCH" && strings.Contains(x.sent, "9f1c2b3a") {
				x.answer(204, "")
			}
		}, nil, "lifecycle/tombstone"},
		{"who was disabled lost the groups", nil, func(x *exchange) {
			if x.is("GET", "/Groups/*") {
				x.edit(func(o map[string]any) { delete(o, "members") })
			}
		}, "lifecycle/restore"},
	}
}

const emptyList = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"startIndex":1,"itemsPerPage":0,"Resources":[]}`

func patchFaults() []fault {
	refuses := func(name string, when func(x *exchange) bool, breaks string) fault {
		return fault{name, func(x *exchange) {
			if x.method == "PATCH" && when(x) {
				x.refuse(400)
			}
		}, nil, breaks}
	}
	selector := regexp.MustCompile(`"(\w+)\[(?:type|primary) eq`)
	return []fault{
		{"PATCH of users is not applied", func(x *exchange) {
			if x.is("PATCH", "/Users/*") {
				x.answer(204, "")
			}
		}, nil, "patch/* -patch/no-operations clear/* patch-rules/* -patch-rules/answer -patch-rules/nothing-new"},
		refuses("op is compared with case", func(x *exchange) bool { return regexp.MustCompile(`"op":"[A-Z]`).MatchString(x.sent) },
			"patch/add-single patch/sub-attribute patch/extension patch/remove patch/remove-with-value patch/several-operations patch/element-* "+
				"patch/extension-nested patch/role-in-json patch/manager-string patch/manager-list patch/manager-object patch/manager-remove"),
		refuses("elements are not made", func(x *exchange) bool {
			found := selector.FindStringSubmatch(x.sent)
			return found != nil && !strings.Contains(x.peek(x.path), `"`+found[1]+`"`)
		}, "patch/element-created patch/element-built patch/role-primary"),
		refuses("a path is required", func(x *exchange) bool {
			return !strings.Contains(x.sent, `"path"`) && strings.Contains(x.sent, `"value"`)
		},
			"patch/extension-flattened patch/extension-nested patch/pathless-add patch/id-among-values clear/null-at-once lifecycle/pathless group/rename member/add-pathless"),
		refuses("no operations are an error", func(x *exchange) bool { return strings.Contains(x.sent, `"Operations":[]`) }, "patch/no-operations"),
		refuses("a manager must be an object", func(x *exchange) bool { return strings.Contains(x.sent, `:manager","value":"`) }, "patch/manager-string patch/manager-empty"),
	}
}

func patchEffectFaults() []fault {
	version := 0
	return []fault{
		{"what is cleared stays as an empty string", nil, func(x *exchange) {
			if x.is("GET", "/Users/*") && !strings.Contains(x.got, `"title"`) {
				x.edit(func(o map[string]any) { o["title"] = "" })
			}
		}, "clear/null clear/null-at-once"},
		{"PATCH is 200 without body", nil, func(x *exchange) {
			if x.method == "PATCH" && x.status == 200 {
				x.got = ""
			}
		}, "patch-rules/answer"},
		{"PATCH stops in the middle", func(x *exchange) {
			x.sent = strings.Replace(x.sent, `,{"op":"remove"}`, "", 1)
		}, func(x *exchange) {
			if strings.Contains(x.sent, `"Lady"`) {
				x.refuse(400)
			}
		}, "patch-rules/atomic"},
		{"every reading is a change", nil, func(x *exchange) {
			if x.is("GET", "/Users/*") && x.status == 200 {
				version++
				x.edit(func(o map[string]any) { o["meta"].(map[string]any)["lastModified"] = strings.Repeat("x", version) })
			}
		}, "patch-rules/nothing-new"},
		{"several values are primary", nil, func(x *exchange) {
			x.edit(func(o map[string]any) {
				emails, _ := o["emails"].([]any)
				for _, e := range emails {
					e.(map[string]any)["primary"] = true
				}
			})
		}, "patch-rules/one-primary"},
	}
}

// decoded reads the sent body.
func decoded(x *exchange) map[string]any {
	var o map[string]any
	_ = json.Unmarshal([]byte(x.sent), &o)
	return o
}

// resend writes it anew.
func resend(x *exchange, o map[string]any) {
	text, err := json.Marshal(o)
	if err != nil {
		x.t.Error(err)
	}
	x.sent = string(text)
}

func optionalFaults() []fault {
	strip := func(name string) func(*exchange) {
		return func(x *exchange) {
			if strings.HasSuffix(x.path, "/.search") || x.path == "/Bulk" {
				o := decoded(x)
				delete(o, name)
				resend(x, o)
			}
			x.query.Del(name)
		}
	}
	return []fault{
		{"searches find everything", strip("filter"), nil, "search/*"},
		{"sortBy is passed over", strip("sortBy"), nil, "sort/*"},
		{"there are no versions", func(x *exchange) {
			x.request.Header.Del("If-Match")
			x.request.Header.Del("If-None-Match")
		}, func(x *exchange) { x.header.Del("ETag") }, "etag/*"},
		{"bulk does nothing", func(x *exchange) {
			if x.path == "/Bulk" {
				x.answer(http.StatusOK, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkResponse"],"Operations":[]}`)
			}
		}, nil, "bulk/references bulk/too-many"},
		{"failOnErrors is passed over", strip("failOnErrors"), nil, "bulk/fail-on-errors"},
		{"cursors are passed over", strip("cursor"), nil, "cursor/*"},
	}
}
