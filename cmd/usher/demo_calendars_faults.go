package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"usher/internal/simulator/exchange"
	"usher/internal/simulator/graphapi"
)

// demoFaults is what goes wrong in the pretend Microsoft of a demonstration.
type demoFaults struct {
	mail exchange.Faults
	wire []graphapi.Fault
}

// demoFault is one thing that can go wrong. After a grave one it takes half a minute and more until what it hit is tried again, or it
// never heals while it lasts: these have to be named; all the others are meant by "all".
type demoFault struct {
	says  string
	grave bool
	arm   func(*demoFaults)
}

// faultNames are the faults by the names that --faults takes.
func faultNames() map[string]demoFault {
	mail := func(says string, set func(*exchange.Faults)) demoFault {
		return demoFault{says: says, arm: func(f *demoFaults) { set(&f.mail) }}
	}
	grave := func(f demoFault) demoFault { f.grave = true; return f }
	wire := func(says string, list ...graphapi.Fault) demoFault {
		return demoFault{says: says, arm: func(f *demoFaults) { f.wire = append(f.wire, list...) }}
	}
	const events = "/users/*/events"
	return map[string]demoFault{
		"duplicate":  mail("notifications come two to four times", func(f *exchange.Faults) { f.Duplicate = 0.5 }),
		"spurious":   mail("an \"updated\" follows that nothing is behind", func(f *exchange.Faults) { f.Spurious = 0.5 }),
		"reorder":    mail("notifications overtake one another", func(f *exchange.Faults) { f.Reorder = 0.5 }),
		"late":       mail("notifications are late", func(f *exchange.Faults) { f.Late, f.LateBy = 0.5, 3*time.Second }),
		"missing":    mail("notifications are lost, which \"missed\" says", func(f *exchange.Faults) { f.Missing, f.TellMissed = 0.3, true }),
		"mixed":      mail("calls mix subscriptions, unknown ones and forged ones", func(f *exchange.Faults) { f.Mixed = 0.5 }),
		"early":      mail("a notification comes before the answer to its write", func(f *exchange.Faults) { f.Early = 0.5 }),
		"throttle":   grave(mail("429", func(f *exchange.Faults) { f.Throttle, f.ThrottleAfter = 0.05, time.Second })),
		"outage":     grave(mail("503 before anything is done", func(f *exchange.Faults) { f.Unavailable = 0.05 })),
		"lost":       grave(mail("504 after a write was carried out", func(f *exchange.Faults) { f.LostAnswer = 0.2 })),
		"conflict":   mail("412 without a reason", func(f *exchange.Faults) { f.Conflict, f.ReadConflict = 0.3, 0.05 }),
		"sync-lost":  grave(mail("delta links lead nowhere: 410, 400 or 404", func(f *exchange.Faults) { f.SyncLost = 0.2 })),
		"pages":      mail("empty, repeating and shuffled pages, and removals of what nobody knows", pagesFault),
		"sparse":     mail("a delta leaves out what did not change of a series", func(f *exchange.Faults) { f.Sparse, f.NoMaster = true, true }),
		"lag":        mail("a delta does not know yet what was notified", func(f *exchange.Faults) { f.DeltaLag = time.Second }),
		"short-life": mail("subscriptions live for less than was asked", func(f *exchange.Faults) { f.ShortenTo = 4230 * time.Minute }),
		"validate":   mail("renewals validate the URL again", func(f *exchange.Faults) { f.ValidateRenewals = true }),
		"broken": grave(wire("answers of HTML, empty, cut off or half", graphapi.Page(events, 502).AtMost(1), graphapi.Bare(events, 500, "{}").AtMost(1),
			graphapi.Reset(events).AtMost(1), graphapi.Truncated(events).AtMost(1))),
		"denied":  grave(mail("403, as while permissions spread", func(f *exchange.Faults) { f.Denied = 0.05 })),
		"mute":    grave(mail("subscriptions that never tell anything", func(f *exchange.Faults) { f.Mute = 0.5 })),
		"vanish":  grave(mail("subscriptions that vanish as they are renewed", func(f *exchange.Faults) { f.Vanish = 0.5 })),
		"endless": grave(mail("deltas without an end", func(f *exchange.Faults) { f.Endless = true })),
		"slow":    grave(wire("every answer takes a second", graphapi.Slow("/**", time.Second))),
	}
}

func pagesFault(f *exchange.Faults) {
	f.EmptyPage, f.Repeat, f.Phantom, f.Replay, f.Shuffle = 0.3, 0.3, 0.3, 0.3, true
}

// parseFaults reads names of faults; "all" is every one that is not grave.
func parseFaults(names []string) (demoFaults, error) {
	known, out := faultNames(), demoFaults{}
	wanted := map[string]bool{}
	for _, name := range names {
		f, ok := known[name]
		switch {
		case name == "all":
			for other, f := range known {
				wanted[other] = wanted[other] || !f.grave
			}
		case !ok:
			return out, fmt.Errorf("--faults: %q is none; there are all, %s", name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		default:
			wanted[name] = f.arm != nil
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if wanted[name] {
			known[name].arm(&out)
		}
	}
	return out, nil
}

// goWrong begins with what was asked to go wrong, as the calendars come in.
func (st *story) goWrong(names []string) {
	if len(names) == 0 {
		return
	}
	known := faultNames()
	for _, name := range names {
		if f, ok := known[name]; ok {
			st.say("  fault %-10s  %s", name, f.says)
		}
	}
	st.world.mail.SetFaults(st.world.faults.mail)
	for _, f := range st.world.faults.wire {
		st.world.server.Fail(f)
	}
}
