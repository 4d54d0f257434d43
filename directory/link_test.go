package directory

import (
	"slices"
	"strings"
	"testing"

	"usher/model"
)

func TestLink(t *testing.T) {
	user := model.DirectoryUser{UserName: "Ada@contoso.com", Email: "Countess@contoso.com"}
	guest := model.DirectoryUser{UserName: "ada_lovelace_fabrikam.com#EXT#@contoso.onmicrosoft.com"}
	account := func(id, email, userName string) Candidate {
		return Candidate{Account: model.Account{ID: id, Email: email, UserName: userName}}
	}
	taken := func(c Candidate) Candidate {
		c.TakenBy = "Ada King"
		return c
	}
	const byEmail, byName, byUserName = "the login e-mail equals the directory user's e-mail",
		"the login e-mail equals the directory user's userName", "the userName equals the directory user's userName"
	for _, tt := range []struct {
		name       string
		user       model.DirectoryUser
		candidates []Candidate
		want       string
		rule       string
		problem    string
	}{
		{"without candidates there is none", user, nil, "", "", ""},
		{"a candidate that matches nothing is none", user, []Candidate{account("1", "x@contoso.com", "x")}, "", "", ""},
		{"the login e-mail equals the e-mail without case", user, []Candidate{account("1", "COUNTESS@contoso.com", "")}, "1", byEmail, ""},
		{"the login e-mail equals the userName", user, []Candidate{account("1", "ada@CONTOSO.com", "")}, "1", byName, ""},
		{"the userName equals the userName", user, []Candidate{account("1", "x@contoso.com", "ADA@contoso.com")}, "1", byUserName, ""},
		{"case is folded beyond ASCII", model.DirectoryUser{UserName: "ÅSE@contoso.com"}, []Candidate{account("1", "åse@contoso.com", "")}, "1", byName, ""},
		{
			"the e-mail goes before the userName", user,
			[]Candidate{account("1", "ada@contoso.com", ""), account("2", "countess@contoso.com", "")},
			"2", byEmail, "",
		},
		{
			"the login e-mail goes before the account's userName", user,
			[]Candidate{account("1", "x@contoso.com", "ada@contoso.com"), account("2", "ada@contoso.com", "")},
			"2", byName, "",
		},
		{
			"an account that is taken is a problem, not a second account", user,
			[]Candidate{taken(account("1", "countess@contoso.com", "")), account("2", "ada@contoso.com", "")},
			"", "",
			"account countess@contoso.com is linked to directory user Ada King of the same integration already",
		},
		{
			"of equal matches the free one is taken", user,
			[]Candidate{taken(account("1", "x@contoso.com", "ada@contoso.com")), account("2", "y@contoso.com", "ada@contoso.com")},
			"2", byUserName, "",
		},
		{"a guest links by the real address", guest, []Candidate{account("1", "ada_lovelace@fabrikam.com", "")}, "1", byName, ""},
		{
			"a tombstone links to nothing",
			model.DirectoryUser{UserName: strings.Repeat("0af3", 8) + "ada@contoso.com", Email: "ada@contoso.com"},
			[]Candidate{account("1", "ada@contoso.com", "")},
			"", "", "",
		},
		{"empty names equal nothing", model.DirectoryUser{UserName: "x"}, []Candidate{account("1", "", "")}, "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, rule, problem := Link(tt.user, tt.candidates)
			id := ""
			if got != nil {
				id = got.ID
			}
			if id != tt.want || rule != tt.rule || problem != tt.problem {
				t.Errorf("account %q, rule %q, problem %q", id, rule, problem)
			}
			slices.Reverse(tt.candidates)
			if again, _, _ := Link(tt.user, tt.candidates); (again == nil) != (got == nil) || again != nil && again.ID != id {
				t.Errorf("the order of candidates matters: %v", again)
			}
		})
	}
}

func TestLinkKeysAndLoginEmail(t *testing.T) {
	tombstone := strings.Repeat("0AF3", 8) + "ada@contoso.com"
	for _, tt := range []struct {
		name            string
		userName, email string
		keys            []string
		login           string
	}{
		{"e-mail and userName", "Ada@contoso.com", "Countess@contoso.com", []string{"countess@contoso.com", "ada@contoso.com"}, "Countess@contoso.com"},
		{"one name for both", "Ada@contoso.com", "ada@contoso.com", []string{"ada@contoso.com"}, "ada@contoso.com"},
		{"no e-mail: the userName where it is an address", "Ada@contoso.com", "", []string{"ada@contoso.com"}, "Ada@contoso.com"},
		{"no address at all", "ada", "", []string{"ada"}, ""},
		{"an e-mail that is none", "ada@contoso.com", "ada at contoso", []string{"ada at contoso", "ada@contoso.com"}, "ada@contoso.com"},
		{
			"a guest's real address", "ada_l_fabrikam.com#ext#@contoso.com", "",
			[]string{"ada_l@fabrikam.com", "ada_l_fabrikam.com#ext#@contoso.com"},
			"ada_l@fabrikam.com",
		},
		{"a guest whose name hides no address", "x#EXT#@contoso.com", "", []string{"x#ext#@contoso.com"}, ""},
		{"a tombstone", tombstone, "ada@contoso.com", nil, ""},
		{"32 hexadecimal digits before the @ are an ordinary name", tombstone[:32] + "@contoso.com", "", []string{strings.ToLower(tombstone[:32]) + "@contoso.com"}, tombstone[:32] + "@contoso.com"},
		{"a long name that is no tombstone", strings.Repeat("zaf3", 8) + "ada@contoso.com", "", []string{strings.Repeat("zaf3", 8) + "ada@contoso.com"}, strings.Repeat("zaf3", 8) + "ada@contoso.com"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := model.DirectoryUser{UserName: tt.userName, Email: tt.email}
			if got := LinkKeys(u); !slices.Equal(got, tt.keys) {
				t.Errorf("keys %q", got)
			}
			if got := LoginEmail(u); got != tt.login {
				t.Errorf("login %q", got)
			}
		})
	}
}
