package console

import (
	"context"
	"strings"

	"usher/model"
	"usher/model/store"
)

// operationsView is what Usher did in Entra, newest first.
type operationsView struct {
	Tabs               []tab
	Integration, State field
	Operations         []operationRow
	Empty              *empty
	Pager              pager
}

// operationRow is one line of the list.
type operationRow struct {
	Path, Kind, Person, Actor, Error string
	State                            badge
	Automatic                        bool
	At                               any
}

// operationsPage is how many operations one page shows.
const operationsPage = 40

func (v *visit) showOperations() error {
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	view := operationsView{Tabs: v.tenantTabs("/entra/operations", v.query("integration")), Integration: v.integrationFilter(settings)}
	view.State = field{ID: "state", Name: "state", Label: "State", Type: "select", Value: v.query("state")}
	view.State = view.State.choose(option{Name: "Every state"}, option{Value: "failed", Name: "Failed"}, option{Value: "scheduled", Name: "Scheduled"}, option{Value: "queued", Name: "Queued"},
		option{Value: "running", Name: "Running"}, option{Value: "succeeded", Name: "Succeeded"}, option{Value: "cancelled", Name: "Cancelled"})
	filter := store.OperationFilter{Integration: view.Integration.Value, State: model.OperationState(view.State.Value)}
	list, err := v.read.OperationsBefore(v.org, filter, v.query("after"), operationsPage+1)
	if err != nil {
		return err
	}
	next := ""
	if len(list) > operationsPage {
		list = list[:operationsPage]
		next = list[operationsPage-1].ID
	}
	for n := range list {
		view.Operations = append(view.Operations, operationLine(&list[n]))
	}
	view.Pager = v.paged(next, len(list), "operations")
	if len(list) == 0 {
		e := emptyYet("cloud", "Usher has done nothing in Entra", "What operators ask for, and what follows from changes of accounts, is kept here with every step.", link{})
		switch {
		case filter != store.OperationFilter{}:
			e = emptyFiltered("No operation fits", Base+"/entra/operations")
		case len(settings.Integrations) == 0:
			e = emptyNotConnected("No directory is connected", "Operations need an integration that reaches a tenant over Microsoft Graph.", link{"Set up an integration", Base + "/integrations/new", "plus"})
		}
		view.Empty = &e
	}
	return v.render("operations", page{Title: "Operations", Lead: "What was done in Entra, by whom, and what became of it.", Body: view})
}

func operationLine(o *model.Operation) operationRow {
	row := operationRow{Path: Base + "/entra/operations/" + o.ID, Kind: operationKind(o.Kind), Person: orWord(o.UserName, o.UserID), Actor: actorName(o.Actor), State: operationState(o.State), Automatic: o.Automatic, At: o.CreatedAt}
	if o.Error != nil {
		row.Error = sentence(o.Error.Detail)
	}
	return row
}

func operationKind(k model.OperationKind) string {
	switch k {
	case model.OperationCreateUser:
		return "On-board"
	case model.OperationUpdateUser:
		return "Change"
	case model.OperationDeleteUser:
		return "Delete"
	case model.OperationRestoreUser:
		return "Restore"
	case model.OperationOffboardUser:
		return "Off-board"
	case model.OperationAddMember:
		return "Put into a group"
	case model.OperationRemoveMember:
		return "Take out of a group"
	case model.OperationAddLicence:
		return "Give a licence"
	case model.OperationRemoveLicence:
		return "Take a licence away"
	}
	return string(k)
}

func operationState(s model.OperationState) badge {
	switch s {
	case model.OperationScheduled:
		return badge{calm, "calendar", "Scheduled"}
	case model.OperationQueued:
		return badge{calm, "clock", "Queued"}
	case model.OperationRunning:
		return badge{fresh, "loader", "Running"}
	case model.OperationSucceeded:
		return badge{good, "circle-check", "Succeeded"}
	case model.OperationFailed:
		return badge{bad, "alert-circle", "Failed"}
	case model.OperationCancelled:
		return badge{calm, "x", "Cancelled"}
	case model.OperationPlanned:
		return badge{calm, "eye", "Planned"}
	}
	return badge{calm, "circle-dashed", string(s)}
}

// operationSteps are the steps of an operation.
type operationSteps struct {
	Going       bool // it is followed
	State       badge
	Steps       []operationStep
	Done, Total int
}

// operationView is one operation with its steps.
type operationView struct {
	operationSteps
	Path             string
	Cancel           bool
	Alert            *alert
	Facts            []labelled
	Account          string
	Entra            string
	At, Begun, Ended any
	Scheduled        any
}

// operationStep is one step, as it is told.
type operationStep struct {
	Lamp                badge
	Title, Text, Detail string
	When                any
}

func (v *visit) showOperation() error {
	o, err := v.svc.Operation(v.ctx, v.org, v.r.PathValue("operation"))
	if err != nil {
		return err
	}
	view := v.operationView(&o)
	title := operationKind(o.Kind)
	if person := orWord(o.UserName, o.UserID); person != "" {
		title += ": " + person
	}
	return v.render("operation", page{Title: title, Crumbs: []crumb{{"Operations", "/entra/operations"}}, Body: view})
}

// followOperation sends the steps of an operation as they are done, until it has ended.
func (v *visit) followOperation() error {
	o, err := v.svc.Operation(v.ctx, v.org, v.r.PathValue("operation"))
	if err != nil {
		return err
	}
	c, org, id := v.Console, v.org, o.ID
	return v.follow("operation/"+id, func(ctx context.Context) (news, error) {
		o, err := c.svc.Operation(ctx, org, id)
		if err != nil {
			return news{}, err
		}
		p := stepsOf(&o)
		html, err := c.part("operation", "operation-steps", p)
		return news{html, !p.Going}, err
	})
}

// stepsOf is the part of an operation's page that changes while it is worked, the same for everyone who looks at it.
func stepsOf(o *model.Operation) operationSteps {
	p := operationSteps{
		State: operationState(o.State), Going: o.State == model.OperationQueued || o.State == model.OperationRunning, Steps: stepLines(o), Total: len(o.Steps),
	}
	for n := range o.Steps {
		if o.Steps[n].State != model.StepPending {
			p.Done++
		}
	}
	return p
}

func (v *visit) operationView(o *model.Operation) operationView {
	view := operationView{
		operationSteps: stepsOf(o), Path: Base + "/entra/operations/" + o.ID, At: o.CreatedAt, Begun: o.StartedAt, Ended: o.FinishedAt,
		Cancel: v.can(model.RightManageEntra) && o.StartedAt == nil && (o.State == model.OperationScheduled || o.State == model.OperationQueued),
		Facts:  []labelled{{"Asked for by", actorName(o.Actor)}},
	}
	if o.At != nil {
		view.Scheduled = o.At
	}
	if o.Automatic {
		view.Facts = append(view.Facts, labelled{"Why", "It follows from a change of an account."})
	}
	if o.AccountID != nil {
		view.Account = Base + "/people/" + *o.AccountID
	}
	if o.UserID != "" {
		view.Entra = Base + "/entra/people/" + o.IntegrationID + "/" + o.UserID
	}
	if o.Error != nil {
		view.Alert = &alert{Tone: bad, Icon: "alert-circle", Title: "It failed", Text: sentence(o.Error.Detail)}
	}
	return view
}

// stepLines tells the steps of an operation.
func stepLines(o *model.Operation) []operationStep {
	var list []operationStep
	begun := false // a pending step behind a begun one is next
	for n := range o.Steps {
		s := &o.Steps[n]
		line := operationStep{Title: stepTitle(s), Text: sentence(s.Outcome), When: s.FinishedAt}
		switch s.State {
		case model.StepDone:
			line.Lamp = badge{good, "check", "Done"}
		case model.StepSkipped:
			line.Lamp = badge{calm, "x", "Left out"}
		case model.StepFailed:
			line.Lamp = badge{bad, "alert-circle", "Failed"}
		case model.StepPending:
			line.Lamp = badge{calm, "circle-dashed", "To do"}
			if !begun && (o.State == model.OperationRunning || o.State == model.OperationQueued) {
				line.Lamp, begun = badge{fresh, "loader", "Next"}, true
			}
		}
		var detail []string
		if s.Attempts > 1 {
			detail = append(detail, count(s.Attempts)+" attempts")
		}
		if s.RequestID != "" {
			detail = append(detail, "Microsoft's request id "+s.RequestID)
		}
		line.Detail = strings.Join(detail, ", ")
		list = append(list, line)
	}
	return list
}

func stepTitle(s *model.OperationStep) string {
	titles := map[model.StepAction]string{
		model.StepDeactivateAccount: "Deactivate the account in the application", model.StepCheck: "Check what can be known before", model.StepCreate: "Create the user",
		model.StepUpdate: "Change the user", model.StepEnable: "Let the user sign in", model.StepDisable: "Keep the user from signing in", model.StepRevokeSessions: "End all sign-ins",
		model.StepReadGroups: "Read the groups", model.StepAddMember: "Put into the group", model.StepRemoveMember: "Take out of the group",
		model.StepReadLicences: "Read the licences", model.StepAddLicence: "Give the licence", model.StepRemoveLicence: "Take the licence away",
		model.StepDelete: "Delete the user", model.StepRestore: "Restore the user",
	}
	title := orWord(titles[s.Action], string(s.Action))
	if name := orWord(s.Name, s.Target); name != "" {
		title += ": " + name
	}
	return title
}

func (v *visit) cancelOperation() error {
	o, err := v.svc.CancelOperation(v.ctx, v.org, v.r.PathValue("operation"))
	if err != nil {
		return err
	}
	return v.done("/entra/operations/"+o.ID, "The operation is cancelled; nothing was done in Entra.")
}
