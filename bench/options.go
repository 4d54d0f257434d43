package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"usher/bench/entra"
	"usher/bench/load"
)

// The phases that are not sent by Entra: the benchmarks of the calendar bridge, a run of the rules, and imports.
const (
	phaseCalendars    = "calendars"
	phaseReevaluation = "reevaluation"
	phaseImport       = "import"
)

// options are the flags.
type options struct {
	arguments []string

	users, groups, rounds       int
	concurrency, sizes, batches []int
	phases                      []string
	duration, maxTime           time.Duration
	mapped                      float64
	legacy                      bool
	target, token               string
	skipFloor, noGo             bool
	write                       string
	floorServe                  string
	notes                       []string // what the flags leave out
}

func parse(arguments []string, usage io.Writer) (*options, error) {
	o := &options{arguments: arguments}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.IntVar(&o.users, "users", 50100, "users to load; groups that are larger are left out")
	flags.IntVar(&o.groups, "groups", 100, "ordinary groups to load, of 50 members each")
	flags.IntVar(&o.rounds, "rounds", 3, "times that every operation is measured; the report gives the median")
	flags.DurationVar(&o.duration, "duration", 300*time.Millisecond, "length of one operation in one round")
	flags.DurationVar(&o.maxTime, "max-time", 30*time.Minute, "give up after this")
	flags.Float64Var(&o.mapped, "mapped", 0.25, "share of the ordinary groups that give a role")
	flags.BoolVar(&o.legacy, "legacy", false, "send what Entra sends without the flag aadOptscim062020")
	flags.StringVar(&o.target, "target", "", "measure this SCIM `URL` (a loopback address) in place of Usher")
	flags.StringVar(&o.token, "token", "", "bearer token for -target")
	flags.BoolVar(&o.skipFloor, "skip-floor", false, "do not measure the floor")
	flags.BoolVar(&o.noGo, "no-go", false, "do not run the Go benchmarks")
	flags.StringVar(&o.write, "write", "", "also write the report into this Markdown `file`, between its markers")
	flags.StringVar(&o.floorServe, "floor-serve", "", "be the floor at this `address`; used by the program itself")
	o.concurrency, o.sizes, o.batches = []int{1, 8, 32}, []int{10, 1000, 10000, 50000}, []int{100, 1000}
	o.phases = append(load.Phases(), phaseCalendars)
	flags.Func("concurrency", "requests under way at once (default 1,8,32)", numbers(&o.concurrency))
	flags.Func("sizes", "members of the groups that one member is added to and removed from (default 10,1000,10000,50000)", numbers(&o.sizes))
	flags.Func("batches", "members per PATCH (default 100,1000)", numbers(&o.batches))
	flags.Func("phases", "some of "+strings.Join(allPhases(), ",")+" (default all but the last two)", o.choosePhases)
	if err := flags.Parse(arguments); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return o, o.complete()
}

func allPhases() []string {
	return append(load.Phases(), phaseCalendars, phaseReevaluation, phaseImport)
}

func (o *options) choosePhases(text string) error {
	o.phases = strings.Split(text, ",")
	for _, phase := range o.phases {
		if !slices.Contains(allPhases(), phase) {
			return fmt.Errorf("%q is none of %s", phase, strings.Join(allPhases(), ", "))
		}
	}
	return nil
}

// numbers reads positive numbers separated by commas.
func numbers(into *[]int) func(string) error {
	return func(text string) error {
		*into = nil
		for _, part := range strings.Split(text, ",") {
			value, err := strconv.Atoi(strings.TrimSpace(part))
			if err != nil || value < 1 {
				return fmt.Errorf("%q is not a positive number", part)
			}
			*into = append(*into, value)
		}
		slices.Sort(*into)
		*into = slices.Compact(*into)
		return nil
	}
}

// complete checks what only the whole shows, and leaves out groups that the users do not fill.
func (o *options) complete() error {
	switch {
	case o.rounds < 1, o.duration <= 0, o.maxTime <= 0:
		return errors.New("-rounds, -duration and -max-time must be positive")
	case o.mapped < 0 || o.mapped > 1:
		return errors.New("-mapped must be between 0 and 1")
	case o.target != "" && (o.has(phaseReevaluation) || o.has(phaseImport)):
		return errors.New("-phases reevaluation and import need Usher's management API, which -target does not name")
	}
	if !o.has(load.PhaseMembers) {
		o.sizes, o.batches = nil, nil // nothing needs these groups, and filling them takes long
	}
	plan := o.plan()
	keep := func(size int) bool {
		fits := load.Plan{Users: plan.Users, Groups: 1, Members: 1, Workers: plan.Workers, Sizes: []int{size}}.Validate() == nil
		if !fits {
			o.notes = append(o.notes, fmt.Sprintf("%d users do not fill a group of %d: left out.", o.users, size))
		}
		return fits
	}
	o.sizes = filter(o.sizes, keep)
	o.batches = filter(o.batches, keep)
	return o.plan().Validate()
}

func filter(values []int, keep func(int) bool) []int {
	var kept []int
	for _, value := range values {
		if keep(value) {
			kept = append(kept, value)
		}
	}
	return kept
}

func (o *options) has(phase string) bool { return slices.Contains(o.phases, phase) }

// loadPhases are the chosen ones that Entra drives.
func (o *options) loadPhases() []string {
	return slices.DeleteFunc(slices.Clone(o.phases), func(phase string) bool { return !slices.Contains(load.Phases(), phase) })
}

func (o *options) dialect() entra.Dialect { return entra.Dialect{Legacy: o.legacy} }

// members is the number of members of an ordinary group: few, so that loading is short.
const members = 50

func (o *options) plan() load.Plan {
	return load.Plan{
		Users: o.users, Groups: o.groups, Members: members, Sizes: o.sizes, Batches: o.batches,
		Workers: slices.Max(o.concurrency), Mapped: o.mapped,
	}
}

// command is the line that repeats the run, without the token.
func (o *options) command() string {
	line := "go run ./bench"
	secret := false
	for _, argument := range o.arguments {
		name, _, joined := strings.Cut(argument, "=")
		names := strings.TrimLeft(name, "-") == "token" && strings.HasPrefix(name, "-")
		switch {
		case secret:
			argument = "TOKEN"
		case names && joined:
			argument = name + "=TOKEN"
		case argument == "" || strings.ContainsAny(argument, " '\"$&|;<>()*?`\\"):
			argument = "'" + strings.ReplaceAll(argument, "'", `'\''`) + "'"
		}
		secret = names && !joined && !secret
		line += " " + argument
	}
	return line
}
