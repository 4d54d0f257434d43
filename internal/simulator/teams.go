package simulator

import (
	"fmt"
	"math/rand/v2"
)

// nestedTeam is how many teams there are to one that holds the team before it.
const nestedTeam = 25

// formTeams adds groups until there are so many, and spreads members over them until there are so many memberships in all.
func (t *Tenant) formTeams(staff []string, groups, memberships int) {
	var teams []*groupRecord
	for i := 0; len(t.groups) < groups; i++ {
		g := t.form(Group{DisplayName: fmt.Sprintf("Team %04d", i+1), Description: fmt.Sprintf("The people of team %d", i+1), SecurityEnabled: true})
		teams = append(teams, g)
	}
	for _, g := range t.groups {
		memberships -= len(g.position)
	}
	for i, g := range teams {
		share := memberships / (len(teams) - i)
		if i%nestedTeam == nestedTeam-1 && share > 0 {
			t.join(g, teams[i-1].ID)
			share, memberships = share-1, memberships-1
		}
		memberships -= t.staffTeam(g, staff, min(share, len(staff)), t.random(teamStream, uint64(i)))
	}
}

// staffTeam lets n different people join, and says how many that were.
func (t *Tenant) staffTeam(g *groupRecord, staff []string, n int, r *rand.Rand) int {
	if n <= 0 {
		return 0
	}
	step := stride(len(staff))
	at := r.IntN(len(staff))
	for range n {
		t.join(g, staff[at])
		at = (at + step) % len(staff)
	}
	return n
}

// stride is a step that meets everyone of n before it meets anyone again.
func stride(n int) int {
	for _, prime := range []int{7919, 7907, 7901, 7883} {
		if n%prime != 0 {
			return prime
		}
	}
	return 1
}
