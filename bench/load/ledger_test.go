package load

import (
	"fmt"
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	ids := []string{"a", "b", "c", "d", "e"}
	loaded := block{0, 2}
	for _, test := range []struct {
		name   string
		blocks map[block]presence
		shown  []string
		want   []string // parts of the error; none means that there is no error
	}{
		{"as loaded", nil, []string{"b", "a"}, nil},
		{"an addition is there", map[block]presence{{2, 4}: present}, []string{"a", "b", "c", "d"}, nil},
		{"a removal is gone", map[block]presence{{2, 3}: absent}, []string{"a", "b"}, nil},
		{"an unclear addition may be there", map[block]presence{{2, 3}: uncertain}, []string{"a", "b", "c"}, nil},
		{"or not", map[block]presence{{2, 3}: uncertain}, []string{"a", "b"}, nil},
		{"an addition is lost", map[block]presence{{2, 4}: present}, []string{"a", "b", "d"}, []string{"1 acknowledged members lost"}},
		{"a loaded member is lost", nil, []string{"b"}, []string{"1 acknowledged members lost"}},
		{"a removal is lost", map[block]presence{{2, 3}: absent}, []string{"a", "b", "c"}, []string{"1 members that were removed"}},
		{"a stranger", nil, []string{"a", "b", "z"}, []string{"1 members that were removed or never added"}},
		{"a member twice", nil, []string{"a", "b", "a"}, []string{"1 members doubled"}},
		{
			"everything at once",
			map[block]presence{{2, 3}: present},
			[]string{"a", "a", "e"},
			[]string{"2 acknowledged members lost", "1 members doubled", "1 members that were removed"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := newGroup("g", loaded)
			for b, state := range test.blocks {
				g.set(b, state)
			}
			err := g.compare(test.shown, ids)
			if len(test.want) == 0 && err != nil {
				t.Errorf("unexpected: %v", err)
			}
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q", err, want)
				}
			}
		})
	}
}

func TestPlanValidate(t *testing.T) {
	fits := Plan{Users: 60, Groups: 3, Members: 5, Workers: 4, Sizes: []int{10, 50}, Batches: []int{52}}
	if err := fits.Validate(); err != nil {
		t.Errorf("a plan that fits: %v", err)
	}
	for name, change := range map[string]func(*Plan){
		"no users":                   func(p *Plan) { p.Users = 0 },
		"no groups":                  func(p *Plan) { p.Groups = 0 },
		"empty groups":               func(p *Plan) { p.Members = 0 },
		"no workers":                 func(p *Plan) { p.Workers = 0 },
		"a group of more than there": func(p *Plan) { p.Sizes = []int{53} },
		"a batch of more than there": func(p *Plan) { p.Batches = []int{53} },
		"an empty sized group":       func(p *Plan) { p.Sizes = []int{0} },
		"more workers than users":    func(p *Plan) { p.Workers, p.Sizes, p.Batches = 31, nil, nil },
	} {
		plan := fits
		change(&plan)
		if plan.Validate() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestMappedGroups(t *testing.T) {
	for _, test := range []struct {
		share float64
		sizes []int
		want  int
	}{
		{0, []int{10}, 0},
		{0.25, []int{10}, 3},
		{0.25, nil, 2},
		{1, []int{10, 20}, 9},
	} {
		plan := Plan{Groups: 8, Mapped: test.share, Sizes: test.sizes}
		if got := len(plan.MappedGroups()); got != test.want {
			t.Errorf("share %v, sizes %v: %d groups, want %d", test.share, test.sizes, got, test.want)
		}
	}
}

// Two workers that changed one user would make a false loss of the one's write.
func TestWorkersOwnDifferentUsers(t *testing.T) {
	session, err := Open("http://127.0.0.1:1", "", "t", dialects()[0], Plan{Users: 29, Groups: 1, Members: 1, Workers: 7})
	if err != nil {
		t.Fatal(err)
	}
	owners := map[int]int{}
	for number := range 7 {
		w := session.newWorker("x", number, 7)
		for range 200 {
			user := w.own()
			if user >= session.plan.changeable() {
				t.Fatalf("worker %d changes the spare user %d", number, user)
			}
			if owner, taken := owners[user]; taken && owner != number {
				t.Fatalf("user %d belongs to the workers %d and %d", user, owner, number)
			}
			owners[user] = number
		}
	}
	if len(owners) != session.plan.changeable() {
		t.Errorf("%d users are ever changed, want %d", len(owners), session.plan.changeable())
	}
}

func TestOpenRefusesOtherMachines(t *testing.T) {
	plan := Plan{Users: 20, Groups: 1, Members: 1, Workers: 1}
	for address, fine := range map[string]bool{
		"http://127.0.0.1:8080/scim/v2": true, "http://[::1]:80": true, "http://localhost": true,
		"https://scim.contoso.example": false, "http://10.0.0.1": false, "127.0.0.1:80": false, "": false,
	} {
		_, err := Open(address, "t", "t", dialects()[0], plan)
		if (err == nil) != fine {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestPage(t *testing.T) {
	for _, test := range []struct {
		name               string
		start, total, here int
		fine               bool
	}{
		{"a full page", 1, 500, 3, true},
		{"the last, shorter page", 499, 500, 2, true},
		{"a short page that is not the last", 1, 500, 2, false},
		{"a longer page than asked for", 1, 500, 4, false},
		{"fewer in all than were loaded", 1, 399, 3, false},
	} {
		body := fmt.Sprintf(`{"totalResults":%d,"Resources":[%s]}`, test.total, strings.Trim(strings.Repeat("{},", test.here), ","))
		if err := page(test.start, 3, 400)([]byte(body)); (err == nil) != test.fine {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
