package journal

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"usher/model"
)

const (
	adaID   = "0199a000-0000-7000-8000-00000000000a"
	bobID   = "0199a000-0000-7000-8000-00000000000b"
	salesID = "0199a000-0000-7000-8000-00000000000c"
	ghostID = "0199a000-0000-7000-8000-0000000000ff"
)

// names is what the database knows.
func names(id string) string {
	return map[string]string{adaID: "ada@contoso.com", bobID: "bob@contoso.com", salesID: "Sales"}[id]
}

// patchOf puts operations into the envelope that Entra uses.
func patchOf(ops string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + ops + `]}`
}

// wordCase is a request and how it is told.
type wordCase struct {
	name string
	e    Entry
	body string
	want string
}

func searchCases() []wordCase {
	const urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	return []wordCase{
		{"by userName", Entry{Route: "/Users", Filter: `userName eq "ada@contoso.com"`}, "", "look for a user by userName ada@contoso.com (found none)"},
		{"found", Entry{Route: "/Users", Filter: `userName eq "ADA@contoso.com"`, Found: 1, SubjectID: adaID, SubjectName: "ada@contoso.com"}, "", "look for a user by userName ADA@contoso.com (found ada@contoso.com)"},
		{"several", Entry{Route: "/Users", Filter: `externalId eq "x"`, Found: 3}, "", "look for a user by externalId x (found 3)"},
		{"externalId that is a GUID is no probe", Entry{Route: "/Users", Filter: `externalId eq "2a69c9a6-1708-45b7-acbe-a7b4c8fb102a"`}, "", "look for a user by externalId 2a69c9a6-1708-45b7-acbe-a7b4c8fb102a (found none)"},
		{"unquoted", Entry{Route: "/Users", Filter: `externalId eq jyoung`}, "", "look for a user by externalId jyoung (found none)"},
		{"work address", Entry{Route: "/Users", Filter: `emails[type eq "work"].value eq "ada@contoso.com"`}, "", "look for a user by emails (work) ada@contoso.com (found none)"},
		{"extension", Entry{Route: "/Users", Filter: urn + `:employeeNumber eq "701984"`}, "", "look for a user by employeeNumber 701984 (found none)"},
		{"test of the connection", Entry{Route: "/Users", Filter: `userName eq "3e59e27b-68ad-41f5-bb0e-dadf130e2ac8"`}, "", "test the connection"},
		{"by address", Entry{Route: "/Users", Filter: `emails[type eq "work"].value eq "3e59e27b-68ad-41f5-bb0e-dadf130e2ac8"`}, "", "test the connection"},
		{"by group", Entry{Route: "/Groups", Filter: `displayName eq "3e59e27b-68ad-41f5-bb0e-dadf130e2ac8"`}, "", "test the connection"},
		{"a failed test", Entry{Route: "/Users", Status: 400, Filter: `userName eq "3e59e27b-68ad-41f5-bb0e-dadf130e2ac8"`}, "", "look for a user by userName 3e59e27b-68ad-41f5-bb0e-dadf130e2ac8"},
		{"group", Entry{Route: "/Groups", Filter: `displayName eq "Sales"`, Found: 1, SubjectID: salesID, SubjectName: "Sales"}, "", "look for a group by displayName Sales (found Sales)"},
		{"quotes in the value", Entry{Route: "/Groups", Filter: `displayName eq "The \"A\" Team"`}, "", `look for a group by displayName The "A" Team (found none)`},
		{"membership", Entry{Route: "/Groups", Filter: `id eq "` + salesID + `" and members eq "` + adaID + `"`, Found: 1}, "", "ask whether ada@contoso.com is a member of Sales (yes)"},
		{"the other way round", Entry{Route: "/Groups", Filter: `members eq "` + adaID + `" AND id eq "` + salesID + `"`}, "", "ask whether ada@contoso.com is a member of Sales (no)"},
		{"manager", Entry{Route: "/Users", Filter: `id eq "` + adaID + `" and manager eq "` + bobID + `"`}, "", "ask whether bob@contoso.com is the manager of ada@contoso.com (no)"},
		{"other filters", Entry{Route: "/Users", Filter: `title pr and not (active eq true)`, Found: 2}, "", "look for users where title pr and not (active eq true) (found 2)"},
		{"a secret in a filter", Entry{Route: "/Users", Filter: `password eq "hunter2"`}, "", "look for a user by password [redacted] (found none)"},
		{"list", Entry{Route: "/Users", Found: 2340}, "", "list users (2340 in all)"},
		{"list groups", Entry{Route: "/Groups", Found: 1}, "", "list groups (1 in all)"},
		{"list of the root", Entry{Route: "", Found: 7}, "", "list users and groups (7 in all)"},
		{"refused list", Entry{Route: "/Users", Status: 400}, "", "list users"},
		{"posted search", Entry{Method: "POST", Route: "/Users/.search", Filter: `userName eq "ada"`}, `{"filter":"userName eq \"ada\""}`, "look for a user by userName ada (found none)"},
		{"posted search of the root", Entry{Method: "POST", Route: "/.search", Filter: `externalId eq "1"`}, "", "look for a user or group by externalId 1 (found none)"},
	}
}

func resourceCases() []wordCase {
	const user, group = "/Users/:id", "/Groups/:id"
	return []wordCase{
		{"read", Entry{Route: user, Resource: adaID, SubjectID: adaID, SubjectName: "ada@contoso.com"}, "", "read user ada@contoso.com"},
		{"read head", Entry{Method: "HEAD", Route: group, Resource: salesID}, "", "read group Sales"},
		{"read what is gone", Entry{Route: user, Resource: ghostID, Status: 404}, "", "read user " + ghostID},
		{"delete", Entry{Method: "DELETE", Route: user, Resource: adaID, Status: 204}, "", "delete user ada@contoso.com"},
		{"delete group", Entry{Method: "DELETE", Route: group, Resource: salesID, SubjectID: salesID, SubjectName: "Sales"}, "", "delete group Sales"},
		{"create", Entry{Method: "POST", Route: "/Users", Status: 201}, `{"userName":"ada@contoso.com","active":"True"}`, "create user ada@contoso.com"},
		{"create in another case", Entry{Method: "POST", Route: "/Users", Status: 201}, `{"UserName":"ada@contoso.com"}`, "create user ada@contoso.com"},
		{"create without name", Entry{Method: "POST", Route: "/Users", Status: 400}, `{"title":"x"}`, "create user"},
		{"create from junk", Entry{Method: "POST", Route: "/Users", Status: 400}, `{"userName":`, "create user"},
		{"create group", Entry{Method: "POST", Route: "/Groups", Status: 201}, `{"displayName":"Sales"}`, "create group Sales"},
		{"create group with members", Entry{Method: "POST", Route: "/Groups", Status: 201}, `{"displayName":"Sales","members":[{"value":"1"},{"value":"2"}]}`, "create group Sales with 2 members"},
		{"replace", Entry{Method: "PUT", Route: user, Resource: adaID}, `{"userName":"ada@contoso.com"}`, "replace user ada@contoso.com"},
	}
}

func patchCases() []wordCase {
	const urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	const user = "/Users/:id"
	return []wordCase{
		{"1 add", ofAda(), `{"op":"Add","path":"nickName","value":"Babs"}`, "change nickName of ada@contoso.com"},
		{"2 disable", ofAda(), `{"op":"Replace","path":"active","value":"False"}`, "disable ada@contoso.com"},
		{"2 enable", ofAda(), `{"op":"Replace","path":"active","value":"True"}`, "enable ada@contoso.com"},
		{"3 flag", ofAda(), `{"op":"replace","path":"active","value":false}`, "disable ada@contoso.com"},
		{"4 selected", ofAda(), `{"op":"Replace","path":"emails[type eq \"work\"].value","value":"a@b"}`, "change emails (work) of ada@contoso.com"},
		{"5 one element", ofAda(), `{"op":"Add","path":"addresses[type eq \"work\"].formatted","value":"x"},{"op":"Add","path":"phoneNumbers[type eq \"mobile\"].value","value":"1"}`, "change addresses (work) formatted and phoneNumbers (mobile) of ada@contoso.com"},
		{"6 primary role", ofAda(), `{"op":"add","path":"roles[primary eq \"True\"].display","value":"x"}`, "change roles (primary) display of ada@contoso.com"},
		{"7 name", ofAda(), `{"op":"Replace","path":"name.familyName","value":"x"}`, "change name.familyName of ada@contoso.com"},
		{"8 extension", ofAda(), `{"op":"Replace","path":"` + urn + `:department","value":"x"},{"op":"Replace","path":"title","value":"y"}`, "change department and title of ada@contoso.com"},
		{"9 flattened", ofAda(), `{"op":"replace","value":{"displayName":"B","name.givenName":"K","name.familyName":"U","` + urn + `:employeeNumber":"A"}}`, "change displayName, name.givenName, name.familyName and employeeNumber of ada@contoso.com"},
		{"10 nested", ofAda(), `{"op":"Replace","value":{"active":"False"}}`, "disable ada@contoso.com"},
		{"10 extension", ofAda(), `{"op":"Replace","value":{"` + urn + `":{"department":"X","costCenter":null}}}`, "change department of ada@contoso.com and clear costCenter"},
		{"10 extension as path", ofAda(), `{"op":"Replace","path":"` + urn + `","value":{"department":"X"}}`, "change department of ada@contoso.com"},
		{"11 manager", ofAda(), `{"op":"Add","path":"` + urn + `:manager","value":"` + bobID + `"}`, "change manager of ada@contoso.com"},
		{"12 bare", ofAda(), `{"op":"Add","path":"manager","value":[{"$ref":"x","value":"` + bobID + `"}]}`, "change manager of ada@contoso.com"},
		{"14 no manager", ofAda(), `{"op":"replace","path":"` + urn + `:manager","value":""}`, "clear manager of ada@contoso.com"},
		{"14 empty value", ofAda(), `{"op":"replace","path":"` + urn + `:manager","value":{"value":""}}`, "clear manager of ada@contoso.com"},
		{"15 remove", ofAda(), `{"op":"remove","path":"manager[value eq \"` + bobID + `\"]"}`, "clear manager (" + bobID + ") of ada@contoso.com"},
		{"16 value", ofAda(), `{"op":"add","path":"` + urn + `:manager.value","value":"x"}`, "change manager of ada@contoso.com"},
		{"17 JSON in a string", ofAda(), `{"op":"Add","path":"roles","value":[{"value":"{\"id\":\"1\"}"}]}`, "change roles of ada@contoso.com"},
		{"19 remove with value", ofAda(), `{"op":"Remove","path":"emails[type eq \"work\"].value","value":"x"}`, "clear emails (work) of ada@contoso.com"},
		{"20 clear", ofAda(), `{"op":"replace","value":{"title":null,"nickName":""}}`, "clear title and nickName of ada@contoso.com"},
		{"21 nothing", ofAda(), ``, "change nothing of ada@contoso.com"},
		{"22 in order", ofAda(), `{"op":"remove","path":"externalId"},{"op":"add","path":"externalId","value":"1"},{"op":"replace","path":"externalId","value":"2"}`, "clear externalId of ada@contoso.com"},
		{"23 rename", ofAda(), `{"op":"Replace","path":"userName","value":"ada@fabrikam.com"}`, "rename user ada@contoso.com to ada@fabrikam.com"},
		{"tombstone", ofAda(), `{"op":"Replace","path":"userName","value":"0a21f0f28d2a4f8ebf987363c4aed4efada@contoso.com"},{"op":"Replace","path":"active","value":"False"}`, "disable ada@contoso.com and rename to 0a21f0f28d2a4f8ebf987363c4aed4efada@contoso.com"},
		{"24 id among them", ofAda(), `{"op":"replace","value":{"id":"1","displayName":"x"}}`, "change displayName of ada@contoso.com"},
		{"many", ofAda(), `{"op":"replace","value":{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1}}`, "change a, b, c, d and 2 more of ada@contoso.com"},
		{"disable and more", ofAda(), `{"op":"replace","value":{"active":false,"title":"x"}}`, "disable ada@contoso.com and change title"},
		{"of somebody unknown", Entry{Method: "PATCH", Route: user, Resource: ghostID, Status: 404}, patchOf(`{"op":"replace","path":"active","value":false}`), "disable user " + ghostID},
	}
}

func groupCases() []wordCase {
	return []wordCase{
		{"rename group", ofSales(), `{"op":"Replace","path":"displayName","value":"Sales EMEA"}`, "rename group Sales to Sales EMEA"},
		{"rename with the flag", ofSales(), `{"op":"replace","value":{"displayName":"Sales EMEA"}}`, "rename group Sales to Sales EMEA"},
		{"externalId", ofSales(), `{"op":"Replace","path":"externalId","value":"1"}`, "change externalId of group Sales"},
		{"add", ofSales(), `{"op":"Add","path":"members","value":[{"$ref":null,"value":"` + adaID + `"}]}`, "add ada@contoso.com to Sales"},
		{"add as an object", ofSales(), `{"op":"add","path":"members","value":{"value":"` + adaID + `"}}`, "add ada@contoso.com to Sales"},
		{"add as a string", ofSales(), `{"op":"add","path":"members","value":"` + adaID + `"}`, "add ada@contoso.com to Sales"},
		{"add somebody unknown", ofSales(), `{"op":"add","path":"members","value":"` + ghostID + `"}`, "add " + ghostID + " to Sales"},
		{"add three", ofSales(), `{"op":"Add","path":"members","value":[{"value":"1"},{"value":"2"},{"value":"3"}]}`, "add 3 members to Sales"},
		{"add by several operations", ofSales(), `{"op":"Add","path":"members","value":[{"value":"1"}]},{"op":"Add","path":"members","value":[{"value":"2"}]}`, "add 2 members to Sales"},
		{"add without path", ofSales(), `{"op":"add","value":{"members":[{"value":"1"},{"value":"2"}]}}`, "add 2 members to Sales"},
		{"remove, legacy", ofSales(), `{"op":"Remove","path":"members","value":[{"$ref":null,"value":"` + adaID + `"}]}`, "remove ada@contoso.com from Sales"},
		{"remove, flag", ofSales(), `{"op":"remove","path":"members[value eq \"` + adaID + `\"]"}`, "remove ada@contoso.com from Sales"},
		{"remove two", ofSales(), `{"op":"remove","path":"members[value eq \"1\" or value eq \"2\"]"}`, "remove 2 members from Sales"},
		{"remove all", ofSales(), `{"op":"remove","path":"members"}`, "remove all members of Sales"},
		{"replace by nobody", ofSales(), `{"op":"replace","path":"members","value":[]}`, "remove all members of Sales"},
		{"replace by one", ofSales(), `{"op":"replace","path":"members","value":[{"value":"` + adaID + `"}]}`, "make ada@contoso.com the only member of Sales"},
		{"replace by two", ofSales(), `{"op":"replace","path":"members","value":[{"value":"1"},{"value":"2"}]}`, "set 2 members of Sales"},
		{"both", ofSales(), `{"op":"add","path":"members","value":[{"value":"` + adaID + `"}]},{"op":"remove","path":"members[value eq \"` + bobID + `\"]"}`, "add ada@contoso.com to Sales and remove bob@contoso.com from Sales"},
		{"rename and add", ofSales(), `{"op":"replace","path":"displayName","value":"X"},{"op":"add","path":"members","value":"1"}`, "rename group Sales to X and add 1 to Sales"},
	}
}

func otherCases() []wordCase {
	return []wordCase{
		{"offers", Entry{Route: "/ServiceProviderConfig"}, "", "read what the server offers"},
		{"types", Entry{Route: "/ResourceTypes/:id", Resource: "User"}, "", "read the resource types"},
		{"schemas", Entry{Route: "/Schemas"}, "", "read the schemas"},
		{"me", Entry{Route: "/Me", Status: 501}, "", "ask for the owner of the token"},
		{"nowhere", Entry{Route: "/*", Status: 404}, "", "call an endpoint that does not exist"},
		{"wrong method", Entry{Method: "OPTIONS", Route: "/Users", Status: 405}, "", "use OPTIONS on /Users"},
		{"wrong method on one", Entry{Method: "POST", Route: "/Schemas/:id", Status: 405}, "", "use POST on /Schemas"},
		{"bulk", Entry{Method: "POST", Route: "/Bulk"}, `{"Operations":[
			{"method":"POST","path":"/Users","bulkId":"1","data":{"userName":"eve@contoso.com"}},
			{"method":"PATCH","path":"/Groups/` + salesID + `","data":{"Operations":[{"op":"add","path":"members","value":[{"value":"1"},{"value":"2"},{"value":"3"}]}]}},
			{"method":"delete","path":"/Users/` + adaID + `"},
			{"method":"PATCH","path":"/Users/` + bobID + `","data":{"Operations":[{"op":"replace","path":"active","value":false}]}},
			{"method":"PUT","path":"/Users/bulkId:1","data":{}},
			{"method":"POST","path":"/Users"},{"method":"POST","path":"/Users"}]}`, "7 operations: create user eve@contoso.com, add 3 members to Sales, delete user ada@contoso.com, disable bob@contoso.com, replace user bulkId:1, and 2 more"},
		{"empty bulk", Entry{Method: "POST", Route: "/Bulk", Status: 400}, `[]`, "send a bulk request without operations"},
	}
}

// TestWords tells every form of request that Entra is known to send, in either dialect, and those of other clients.
func TestWords(t *testing.T) {
	t.Parallel()
	for _, tt := range slices.Concat(searchCases(), resourceCases(), patchCases(), groupCases(), otherCases()) {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := tt.e
			if e.Method == "" {
				e.Method = http.MethodGet
			}
			if e.Status == 0 {
				e.Status = http.StatusOK
			}
			body := tt.body
			if e.Method == http.MethodPatch && !strings.HasPrefix(body, `{"schemas"`) {
				body = patchOf(body)
			}
			e.Request = []byte(body)
			e.Exchange()
			if row := e.Row(names); row.Summary != tt.want {
				t.Errorf("told as\n%s\nwant\n%s", row.Summary, tt.want)
			}
		})
	}
}

func ofAda() Entry {
	return Entry{Method: http.MethodPatch, Route: "/Users/:id", Resource: adaID, SubjectID: adaID, SubjectName: "ada@contoso.com"}
}

func ofSales() Entry {
	return Entry{Method: http.MethodPatch, Route: "/Groups/:id", Resource: salesID, SubjectID: salesID, SubjectName: "Sales", Status: http.StatusNoContent}
}

// TestWordsOfLargeBodies shows that what is cut from what is kept was understood before.
func TestWordsOfLargeBodies(t *testing.T) {
	t.Parallel()
	e := ofSales()
	body := patchOf(`{"op":"add","path":"members","value":[` + strings.Repeat(`{"value":"`+adaID+`"},`, 2999) + `{"value":"x"}]}`)
	e.Request, e.Answer = []byte(body), []byte(strings.Repeat("x", MaxBody+1))
	x, row := e.Exchange(), e.Row(names)
	if row.Summary != "add 3000 members to Sales" {
		t.Errorf("told as %q", row.Summary)
	}
	if len(x.Request.Body) != MaxBody || !x.Request.Cut || x.Request.Bytes != len(body) || !x.Answer.Cut || x.Answer.Bytes != MaxBody+1 {
		t.Errorf("kept %d of %d, cut %t; answer cut %t of %d", len(x.Request.Body), x.Request.Bytes, x.Request.Cut, x.Answer.Cut, x.Answer.Bytes)
	}
	if e.Size() > 2*overhead || e.Request != nil || e.Answer != nil {
		t.Errorf("it occupies %d bytes", e.Size())
	}
}

// TestSizeOfSlack: an answer that left most of its buffer empty, as that of a page with few attributes does, holds all of it.
func TestSizeOfSlack(t *testing.T) {
	t.Parallel()
	e := ofSales()
	e.Request, e.Answer = make([]byte, 10, 50_000), make([]byte, 10, 200_000)
	if before := e.Size(); before < 250_000 {
		t.Errorf("it occupies %d bytes, want at least 250,000", before)
	}
	e.Exchange()
	if after := e.Size(); after > 2*overhead {
		t.Errorf("without its bodies it occupies %d bytes", after)
	}
}

// TestSubject says whom a request is about, by the name at the time, and which names must be looked up.
func TestSubject(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name             string
		e                Entry
		body             string
		typ, id, subject string
		unnamed          string
	}{
		{"patched", ofAda(), patchOf(`{"op":"replace","path":"userName","value":"new"}`), "User", adaID, "ada@contoso.com", ""},
		{"member", ofSales(), patchOf(`{"op":"add","path":"members","value":"` + adaID + `"}`), "Group", salesID, "Sales", adaID},
		{"deleted", Entry{Method: "DELETE", Route: "/Users/:id", Resource: bobID, Status: 204}, "", "User", bobID, "bob@contoso.com", bobID},
		{"refused creation", Entry{Method: "POST", Route: "/Users", Status: 409}, `{"userName":"eve"}`, "User", "", "eve", ""},
		{"created", Entry{Method: "POST", Route: "/Users", Status: 201, SubjectID: adaID, SubjectName: "Ada"}, `{"userName":"ada"}`, "User", adaID, "Ada", ""},
		{"found", Entry{Method: "GET", Route: "/Users", Filter: `externalId eq "1"`, Status: 200, Found: 1, SubjectID: adaID, SubjectName: "ada"}, "", "User", adaID, "ada", ""},
		{"not found", Entry{Method: "GET", Route: "/Users", Filter: `userName eq "eve"`, Status: 200}, "", "User", "", "eve", ""},
		{"probe", Entry{Method: "GET", Route: "/Users", Filter: `userName eq "3e59e27b-68ad-41f5-bb0e-dadf130e2ac8"`, Status: 200}, "", "", "", "", ""},
		{"list", Entry{Method: "GET", Route: "/Groups", Status: 200}, "", "Group", "", "", ""},
		{"discovery", Entry{Method: "GET", Route: "/Schemas/:id", Resource: "urn:x", Status: 200}, "", "", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := tt.e
			e.Request = []byte(tt.body)
			e.Exchange()
			unnamed := strings.Join(e.Unnamed(), " ")
			row := e.Row(names)
			if row.SubjectType != tt.typ || row.SubjectID != tt.id || row.Subject != tt.subject || row.SubjectKey != model.Fold(tt.subject) {
				t.Errorf("about %s %s %q (%q), want %s %s %q", row.SubjectType, row.SubjectID, row.Subject, row.SubjectKey, tt.typ, tt.id, tt.subject)
			}
			if unnamed != tt.unnamed {
				t.Errorf("looks up %q, want %q", unnamed, tt.unnamed)
			}
		})
	}
}
