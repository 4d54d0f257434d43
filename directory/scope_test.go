package directory

import (
	"slices"
	"strings"
	"testing"

	"usher/model"
)

func TestScope(t *testing.T) {
	graph := func(change func(*model.IntegrationSettings)) func(*model.IntegrationSettings) {
		return func(is *model.IntegrationSettings) {
			is.Integration.Ingress = model.IngressGraph
			change(is)
		}
	}
	choose := func(names ...string) func(*model.IntegrationSettings) {
		return graph(func(is *model.IntegrationSettings) {
			for _, name := range names {
				is.ChosenGroups = append(is.ChosenGroups, model.GroupSelector{DisplayName: name})
			}
		})
	}
	require := func(is *model.IntegrationSettings) {
		is.Integration.RequireGroup, is.GroupMappings = true, []model.GroupMapping{mapping("HR", "hr")}
	}
	exclude := func(list ...model.Exclusion) func(*model.IntegrationSettings) {
		return func(is *model.IntegrationSettings) { is.Exclusions = list }
	}
	for _, tt := range []struct {
		name     string
		settings func(*model.IntegrationSettings)
		attrs    map[string]any
		groups   []string
		want     model.Action
		reason   string
	}{
		{"an active user that Entra pushes is in", nil, nil, nil, model.ActionCreate, "provisioned by Entra and active"},
		{"a disabled user is out", nil, map[string]any{"active": false}, nil, model.ActionSkip, "disabled in Entra"},
		{"Graph without a chosen group takes nobody", graph(func(*model.IntegrationSettings) {}), nil, []string{"HR"}, model.ActionSkip, "no group is chosen"},
		{"Graph takes members of a chosen group", choose("Tech", "hr"), nil, []string{"HR"}, model.ActionCreate, "a member of chosen group HR"},
		{"Graph leaves others out", choose("Tech"), nil, []string{"HR"}, model.ActionSkip, "not a member of a chosen group"},
		{"a disabled member of a chosen group is out", choose("HR"), map[string]any{"active": false}, []string{"HR"}, model.ActionSkip, "disabled in Entra"},
		{
			"Graph takes everyone where that is said", graph(func(is *model.IntegrationSettings) { is.Integration.Scope = model.ScopeEveryone }),
			nil, nil, model.ActionCreate, "the integration takes everyone",
		},
		{
			"a chosen group is found by its id", graph(func(is *model.IntegrationSettings) {
				is.ChosenGroups = []model.GroupSelector{{ExternalID: "x-HR", DisplayName: "Renamed"}}
			}), nil, []string{"HR"}, model.ActionCreate, "chosen group HR",
		},
		{"a mapped group is not chosen by that alone", graph(func(is *model.IntegrationSettings) {
			is.GroupMappings = []model.GroupMapping{mapping("HR", "hr")}
		}), nil, []string{"HR"}, model.ActionSkip, "no group is chosen"},
		{"require_group leaves out who is in no mapped group", require, nil, []string{"Chess"}, model.ActionSkip, "not a member of a mapped group"},
		{"require_group takes who is in a mapped group", require, nil, []string{"HR"}, model.ActionCreate, "a member of mapped group HR"},
		{"a pattern excludes by e-mail without case", exclude(model.Exclusion{Pattern: "ADA@*"}), nil, nil, model.ActionSkip, "excluded by pattern ADA@*"},
		{
			"a pattern excludes by userName", exclude(model.Exclusion{Pattern: "*bot*"}),
			map[string]any{"userName": "HR-Bot@contoso.com"},
			nil,
			model.ActionSkip, "excluded by pattern *bot*",
		},
		{"a pattern matches the whole name", exclude(model.Exclusion{Pattern: "ada"}), nil, nil, model.ActionCreate, ""},
		{
			"a filter compares with case", exclude(model.Exclusion{Attribute: "title", Operator: "equals", Value: "analyst"}), nil, nil,
			model.ActionCreate, "",
		},
		{
			"a filter that equals excludes", exclude(model.Exclusion{Attribute: "title", Operator: "equals", Value: "Analyst"}), nil, nil,
			model.ActionSkip, "excluded because attribute title equals Analyst",
		},
		{
			"a filter on a differing value excludes", exclude(model.Exclusion{Attribute: "department", Operator: "not_equals", Value: "HR"}), nil, nil,
			model.ActionSkip, "excluded because attribute department does not equal HR",
		},
		{
			"not_equals matches an absent attribute", exclude(model.Exclusion{Attribute: "nickName", Operator: "not_equals", Value: "x"}), nil, nil,
			model.ActionSkip, "excluded because attribute nickName",
		},
		{
			"a filter that contains excludes", exclude(model.Exclusion{Attribute: "extensionAttribute3", Operator: "contains", Value: "lu"}), nil, nil,
			model.ActionSkip, "excluded because attribute extensionAttribute3 contains lu",
		},
		{
			"contains looks at every value", exclude(model.Exclusion{Attribute: "emails", Operator: "contains", Value: "@old"}),
			map[string]any{"emails": []any{map[string]any{"value": "a@x.com", "primary": true}, map[string]any{"value": "a@old.com"}}},
			nil,
			model.ActionSkip, "excluded because attribute emails contains @old",
		},
		{
			"a filter on the start excludes", exclude(model.Exclusion{Attribute: "displayName", Operator: "starts_with", Value: "Ada"}), nil, nil,
			model.ActionSkip, "excluded because attribute displayName starts with Ada",
		},
		{
			"a filter on emptiness excludes", exclude(model.Exclusion{Attribute: "nickName", Operator: "empty"}), nil, nil,
			model.ActionSkip, "excluded because attribute nickName is empty",
		},
		{"a filter on emptiness spares who has a value", exclude(model.Exclusion{Attribute: "title", Operator: "empty"}), nil, nil, model.ActionCreate, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := catalogue()
			if tt.settings != nil {
				edit(s, "i1", tt.settings)
			}
			p := Person{Sources: []Source{{User: userOf(t, "i1", with(adaAttributes(), tt.attrs)), Groups: groups(tt.groups...)}}}
			d, _ := settle(t, compileRules(t, s), p)
			if d.Action != tt.want || !strings.Contains(d.Reason, tt.reason) {
				t.Errorf("%s because %q, want %s because %q", d.Action, d.Reason, tt.want, tt.reason)
			}
			if (d.Account != nil) != (tt.want == model.ActionCreate) || d.Explanations[0].InScope != (tt.want == model.ActionCreate) {
				t.Errorf("account %v, explanation %+v", d.Account, d.Explanations[0])
			}
		})
	}
}

func TestWhoGetsNoAccount(t *testing.T) {
	rules := compileRules(t, catalogue())
	tombstone := strings.Repeat("0af3", 8) + "ada@contoso.com"
	archived := &model.Account{ID: "a1", Email: "ada@contoso.com", Status: model.AccountArchived}
	for _, tt := range []struct {
		name   string
		person func(*Person)
		reason string
	}{
		{"a directory user that is being deleted", func(p *Person) { p.Sources[0].Gone = "deleted in Entra" }, "deleted in Entra"},
		{"one whose account is taken", func(p *Person) { p.LinkProblem = "account Ada is linked to directory user Ada King" }, "linked to directory user Ada King"},
		{"a tombstone", func(p *Person) {
			p.Sources[0].User = userOf(t, "i1", with(adaAttributes(), map[string]any{"userName": tombstone}))
		}, "its userName is one that Entra gives while deleting"},
		{"one without an address", func(p *Person) {
			p.Sources[0].User = userOf(t, "i1", map[string]any{"userName": "ada"})
		}, "it has no e-mail address"},
		{"one whose account is archived", func(p *Person) { p.Account, p.LinkRule = archived, "same e-mail" }, "account ada@contoso.com is archived"},
		{"one whose e-mail belongs to somebody else", func(p *Person) {
			p.TakenEmails = map[string]string{"ada@contoso.com": "Ada King"}
		}, "e-mail Ada@contoso.com belongs to account Ada King already"},
		{"one whose employment has ended", func(p *Person) {
			p.Employee = &model.Employee{ExternalID: "7", Email: "ADA@contoso.com", ResignationDate: ptr("2026-11-21")}
		}, "employee 7 left on 2026-11-21"},
		{"one of an integration that is gone", func(p *Person) { p.Sources[0].User.IntegrationID = "i9" }, "its integration does not exist any more"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := ada(t)
			tt.person(&p)
			d := rules.Decide(p)
			if d.Action != model.ActionSkip || d.Account != nil || !strings.Contains(d.Reason, tt.reason) || len(d.Changes) > 0 && d.Link {
				t.Errorf("%s because %q: %+v", d.Action, d.Reason, d.Account)
			}
		})
	}
}

// TestSkipLeavesOtherSources: a directory user that is out of scope and not linked says nothing about the account that
// another integration's directory user has.
func TestSkipLeavesOtherSources(t *testing.T) {
	s := catalogue()
	s.Integrations["i2"] = model.IntegrationSettings{Integration: scimIntegration("i2")}
	p := adaWithRoles(t, []string{"hr"}, nil)
	stranger := Source{User: userOf(t, "i2", with(adaAttributes(), map[string]any{"active": false}))}
	p.Sources = []Source{stranger, p.Sources[0]}
	d := compileRules(t, s).Decide(p)
	if d.Action != model.ActionSkip || len(d.Changes) > 0 || !d.Explanations[1].InScope {
		t.Errorf("%s %+v %+v", d.Action, d.Changes, d.Explanations)
	}
}

func TestGroupMatters(t *testing.T) {
	s := catalogue()
	edit(s, "i1", func(is *model.IntegrationSettings) {
		is.GroupMappings = []model.GroupMapping{mapping("HR", "hr"), {Group: model.GroupSelector{ExternalID: "x-IT"}, Role: "it"}}
		is.ChosenGroups = []model.GroupSelector{{DisplayName: "Chosen"}}
	})
	graph := scimIntegration("i2")
	graph.Ingress = model.IngressGraph
	s.Integrations["i2"] = model.IntegrationSettings{Integration: graph, ChosenGroups: []model.GroupSelector{{DisplayName: "Chosen"}}}
	rules := compileRules(t, s)
	for _, tt := range []struct {
		name, integration, group string
		want                     bool
	}{
		{"a group mapped by name", "i1", "hr", true},
		{"a group mapped by id", "i1", "IT", true},
		{"a group that is nowhere", "i1", "Chess", false},
		{"a chosen group of an integration that Entra pushes", "i1", "Chosen", false},
		{"a chosen group of an integration that pulls", "i2", "Chosen", true},
		{"a group mapped in another integration", "i2", "HR", false},
		{"any group of an unknown integration", "i9", "HR", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := rules.GroupMatters(tt.integration, groups(tt.group)[0]); got != tt.want {
				t.Errorf("matters: %t", got)
			}
		})
	}
}

// TestPatternsStayCheap: patterns that would take a backtracking matcher for ever, on the longest name, must end.
func TestPatternsStayCheap(t *testing.T) {
	for _, pattern := range []string{
		strings.Repeat("*a", 60) + "*b*", strings.Repeat("*{a,aa}", 6) + "*[bd]*", strings.Repeat("{a*,*a}", 6) + "[bd]",
		strings.Repeat("{a,*}", 6) + "b*", "{{a*,*a},{a*,*a}}{{a*,*a},{a*,*a}}[bd]", strings.Repeat("**?", 40) + "b",
	} {
		e, err := compileExclusion(model.Exclusion{Pattern: pattern})
		if err != nil {
			t.Fatal(err)
		}
		if e.matchesName(strings.Repeat("a", maxNameLength)) || e.matchesName(strings.Repeat("a", maxNameLength-1)+"c") {
			t.Errorf("%s matches", pattern)
		}
	}
}

func TestExpandBraces(t *testing.T) {
	for _, tt := range []struct {
		pattern string
		want    []string
	}{
		{"abc", []string{"abc"}},
		{"a{b,c}d", []string{"abd", "acd"}},
		{"{,x}{a,b}", []string{"a", "b", "xa", "xb"}},
		{"{a,{b,c}d}e", []string{"ae", "bde", "cde"}},
		{`a\{b,c\}`, []string{`a\{b,c\}`}},
		{"[{,}]{a,b}", []string{"[{,}]a", "[{,}]b"}},
		{`{a\,b,[,]}`, []string{`a\,b`, "[,]"}},
	} {
		if got := expandBraces(tt.pattern); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q", tt.pattern, got)
		}
	}
}
