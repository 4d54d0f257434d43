package console

import (
	"encoding/csv"
	"net/http"
	"slices"
	"strings"
	"time"

	"usher/directory"
	"usher/model"
	"usher/model/store"
)

func (c *Console) runRoutes() []route {
	const one = "/runs/{run}"
	return []route{
		get("/runs", model.RightRead, (*visit).showRuns),
		post("/runs/start", model.RightRun, (*visit).startRun),
		get(one, model.RightRead, (*visit).showRun),
		get(one+"/events", model.RightRead, (*visit).followRun),
		get(one+"/export", model.RightRead, (*visit).exportRun),
		post(one+"/apply", model.RightRun, (*visit).applyRun),
		post(one+"/discard", model.RightRun, (*visit).discardRun),
		post(one+"/cancel", model.RightRun, (*visit).cancelRun),
		post(one+"/undo", model.RightRun, (*visit).undoRun),
	}
}

// runsView is the list of runs.
type runsView struct {
	Integration, Kind, State field
	Runs                     []runRow
	Empty                    *empty
	Pager                    pager
	Start                    []startChoice
	Chosen                   string
}

// startChoice is an integration that a run can be started for.
type startChoice struct {
	ID, Name string
	Imports  bool
}

type runRow struct {
	Path, Kind, Integration, Counts, Reason string
	State                                   badge
	At                                      any
}

// runsPage is how many runs one page shows, and planPage how many people of a plan.
const (
	runsPage = 40
	planPage = 100
)

func (v *visit) showRuns() error {
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	view := runsView{Integration: v.integrationFilter(settings)}
	view.Kind = field{ID: "kind", Name: "kind", Value: v.query("kind")}
	view.Kind = view.Kind.choose(option{Name: "Every kind"}, option{Value: "import", Name: "Imports"}, option{Value: "reevaluation", Name: "Re-evaluations"}, option{Value: "preview", Name: "Previews"}, option{Value: "undo", Name: "Undone"})
	view.State = field{ID: "state", Name: "state", Value: v.query("state")}
	view.State = view.State.choose(option{Name: "Every state"}, option{Value: "held", Name: "Held"}, option{Value: "running", Name: "Running"}, option{Value: "failed", Name: "Failed"}, option{Value: "succeeded", Name: "Succeeded"}, option{Value: "cancelled", Name: "Cancelled"})
	filter := store.RunFilter{Integration: view.Integration.Value, Kind: model.RunKind(view.Kind.Value), State: model.RunState(view.State.Value)}
	list, err := v.read.RunsBefore(v.org, filter, v.query("after"), runsPage+1)
	if err != nil {
		return err
	}
	next := ""
	if len(list) > runsPage {
		list = list[:runsPage]
		next = list[runsPage-1].ID
	}
	names := map[string]string{}
	for _, i := range sortedIntegrations(settings) {
		names[i.ID] = i.Name
		if v.can(model.RightRun) {
			view.Start = append(view.Start, startChoice{i.ID, i.Name, i.Ingress == model.IngressGraph})
		}
	}
	for _, r := range list {
		view.Runs = append(view.Runs, runRow{
			Path: Base + "/runs/" + r.ID, Kind: runKind(r.Kind), Integration: orWord(names[r.IntegrationID], "removed"), Counts: progressOf(r).Counts,
			Reason: runReason(r), State: runState(r), At: r.CreatedAt,
		})
	}
	view.Pager = v.paged(next, len(list), "runs")
	if len(list) == 0 {
		none := emptyYet("player-play", "Nothing has run yet", "Imports, previews and re-evaluations show here, with what they would do before they do it.", link{})
		if filter != (store.RunFilter{}) {
			none = emptyFiltered("No runs like that", Base+"/runs")
		}
		view.Empty = &none
	}
	if v.partial() {
		return v.fragment("runs", "run-list", view)
	}
	return v.render("runs", page{Title: "Runs", Lead: "What was decided about everyone at once: planned first, then guarded, then applied.", Body: view})
}

func runKind(k model.RunKind) string {
	switch k {
	case model.RunImport:
		return "Import"
	case model.RunPreview:
		return "Preview"
	case model.RunReevaluation:
		return "Re-evaluation"
	case model.RunUndo:
		return "Undo"
	}
	return string(k)
}

func runState(r model.Run) badge {
	switch r.State {
	case model.RunHeld:
		return badge{warn, "alert-triangle", "Held"}
	case model.RunRunning:
		return badge{fresh, "loader", "Running"}
	case model.RunQueued:
		return badge{calm, "clock", "Queued"}
	case model.RunFailed:
		return badge{bad, "alert-circle", "Failed"}
	case model.RunCancelled:
		return badge{calm, "x", "Cancelled"}
	case model.RunSucceeded:
		return badge{good, "circle-check", "Succeeded"}
	}
	return badge{calm, "circle-dashed", string(r.State)}
}

// actionWords are the actions of decisions in the order in which people want to see them.
func actionWords() []option {
	return []option{
		{Value: "deactivate", Name: "Deactivate"},
		{Value: "reactivate", Name: "Reactivate"},
		{Value: "create", Name: "Create"},
		{Value: "link", Name: "Link"},
		{Value: "update", Name: "Update"},
		{Value: "skip", Name: "Leave out"},
	}
}

// countsInWords says what a plan does, without those of whom nothing changes.
func countsInWords(counts map[model.Action]int) string {
	var parts []string
	for _, a := range actionWords() {
		if n := counts[model.Action(a.Value)]; n > 0 {
			parts = append(parts, count(n)+" "+strings.ToLower(a.Name))
		}
	}
	if len(parts) == 0 {
		return "nothing to change"
	}
	return strings.Join(parts, ", ")
}

func (v *visit) startRun() error {
	ref := model.Ref{OrganizationID: v.org, IntegrationID: v.field("integration")}
	kind := model.RunKind(v.field("kind"))
	var run model.Run
	var err error
	switch kind {
	case model.RunImport, model.RunReevaluation, model.RunPreview:
		run, err = v.svc.StartRun(v.ctx, ref, kind)
	default:
		err = model.FieldErrorf(model.Invalid, "kind", "%q is no kind of run that can be started", kind)
	}
	if err != nil {
		return err
	}
	return v.done("/runs/"+run.ID, "The run is queued.")
}

// runReason says why a run is there, with actors in words.
func runReason(r model.Run) string {
	begin, actor, found := strings.Cut(r.Reason, "asked for by ")
	if !found {
		return sentence(r.Reason)
	}
	who, rest, _ := strings.Cut(actor, ",")
	text := begin + "asked for by " + actorName(who)
	if rest != "" {
		text += "," + rest
	}
	return sentence(text)
}

// runView is one run with its plan.
type runView struct {
	runProgress
	ID, Kind, Integration  string
	Held, Finished, Manage bool
	Undoable               int
	Alert                  *alert
	Supposed               *supposedView
	Tabs                   []tab
	People                 []planRow
	Pager                  pager
	Empty                  *empty
	Expired                bool
	Export, Hash           string
}

type planRow struct {
	ID, Name, Email, Reason, Note string
	Action                        badge
	State                         string
	Planned                       bool
	Changes                       []changeLine
}

type changeLine struct{ Field, Before, After, Reason string }

func (v *visit) run() (model.Run, error) { return v.read.Run(v.org, v.r.PathValue("run")) }

func (v *visit) showRun() error {
	r, err := v.run()
	if err != nil {
		return err
	}
	view, err := v.runView(r)
	if err != nil {
		return err
	}
	if err := v.plan(&view); err != nil {
		return err
	}
	return v.render("run", page{Title: view.Kind + " of " + view.Integration, Lead: runReason(r), Crumbs: []crumb{{"Runs", "/runs"}}, Body: view})
}

func (v *visit) runView(r model.Run) (runView, error) {
	view := runView{
		runProgress: progressOf(r), ID: r.ID, Kind: runKind(r.Kind), Integration: "a removed integration", Manage: v.can(model.RightRun),
		Held: r.State == model.RunHeld, Finished: r.State.Finished(), Export: Base + "/runs/" + r.ID + "/export", Hash: r.Hash,
		Expired: r.ExpiresAt != nil && r.ExpiresAt.Before(v.now()),
	}
	i, err := v.read.Integration(r.Ref())
	if err != nil && model.KindOf(err) != model.NotFound {
		return view, err
	}
	view.Integration = orWord(i.Name, view.Integration)
	switch {
	case r.State == model.RunFailed:
		view.Alert = &alert{Tone: bad, Icon: "alert-circle", Title: "It failed", Text: sentence(r.Error)}
	case view.Held:
		view.Alert = &alert{Tone: warn, Icon: "alert-triangle", Title: "It is held, and nothing of it was applied", Text: sentence(r.HeldBecause)}
	}
	if view.Finished && view.Manage && r.Kind != model.RunPreview {
		view.Undoable, err = v.read.CountUndoable(v.org, r.ID)
	}
	if err == nil {
		view.Supposed, err = v.supposed(&r)
	}
	return view, err
}

// choice gives whom the form names: those who are ticked, or everyone.
func (v *visit) choice() directory.PlanChoice {
	c := directory.PlanChoice{Hash: v.field("hash"), LeaveMoved: v.checked("leave_moved")}
	if v.field("who") == "chosen" {
		c.Subjects = slices.Clone(v.r.PostForm["subject"])
	}
	return c
}

func (v *visit) chosenNobody(c directory.PlanChoice) error {
	if v.field("who") == "chosen" && len(c.Subjects) == 0 {
		return model.FieldErrorf(model.Invalid, "subject", "nobody is ticked; tick the people you mean")
	}
	return nil
}

func (v *visit) applyRun() error {
	c := v.choice()
	err := v.chosenNobody(c)
	if err == nil {
		_, err = v.svc.ApplyRun(v.ctx, v.org, v.r.PathValue("run"), c)
	}
	if err != nil {
		return err
	}
	return v.done("/runs/"+v.r.PathValue("run"), "What you chose of the plan is being applied.")
}

func (v *visit) discardRun() error {
	c := v.choice()
	c.LeaveMoved = false
	err := v.chosenNobody(c)
	if err == nil {
		_, err = v.svc.DiscardRun(v.ctx, v.org, v.r.PathValue("run"), c)
	}
	if err != nil {
		return err
	}
	return v.done("/runs/"+v.r.PathValue("run"), "What you chose of the plan is discarded; nobody of it is changed.")
}

func (v *visit) cancelRun() error {
	if _, err := v.svc.CancelRun(v.ctx, v.org, v.r.PathValue("run")); err != nil {
		return err
	}
	return v.done("/runs/"+v.r.PathValue("run"), "The run ends after the page that it is at.")
}

func (v *visit) undoRun() error {
	run, err := v.svc.UndoRun(v.ctx, v.org, v.r.PathValue("run"))
	if err != nil {
		return err
	}
	return v.done("/runs/"+run.ID, "Everyone who has not changed since is being put back.")
}

// exportRun answers with the plan as CSV, in pages, so that memory stays constant.
func (v *visit) exportRun() error {
	r, err := v.run()
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	v.w.Header().Set("Content-Disposition", `attachment; filename="plan.csv"`)
	out := csv.NewWriter(v.w)
	_ = out.Write([]string{"action", "email", "name", "field", "before", "after", "reason", "state", "note"})
	control := http.NewResponseController(v.w)
	for after := ""; ; {
		_ = control.SetWriteDeadline(time.Now().Add(time.Minute))
		list, err := v.read.RunDecisionsAfter(v.org, r.ID, "", after, planPage)
		if err != nil {
			v.log.ErrorContext(v.ctx, "export broken off", "err", err)
			panic(http.ErrAbortHandler) // half a file must not look like a whole one
		}
		for _, d := range list {
			row := planRowOf(d)
			if len(row.Changes) == 0 {
				row.Changes = []changeLine{{Reason: row.Reason}}
			}
			for _, c := range row.Changes {
				_ = out.Write(plain(row.Action.Text, row.Email, row.Name, c.Field, c.Before, c.After, c.Reason, row.State, row.Note))
			}
		}
		out.Flush()
		if len(list) < planPage || out.Error() != nil {
			return nil
		}
		after = store.DecisionCursor(list[len(list)-1])
	}
}
