package console

import (
	"time"

	"usher/directory"
	"usher/model"
)

// offboardView is what would be done when somebody leaves, with the choice of it.
type offboardView struct {
	Form                               *form
	Sessions, Groups, Licences, Delete field
	At                                 field
	Steps                              []operationStep
	Alert                              *alert
	Empty                              *empty
	Person                             string
	Back                               string
	Later                              bool
}

// offboardParts are the parts of an off-boarding that can be left out, by the field of the form.
func offboardParts() []string { return []string{"revoke_sessions", "remove_groups", "remove_licences"} }

func (v *visit) planOffboarding() error {
	f := v.newForm(v.entraPath()+"/offboard", "Off-board")
	for _, part := range offboardParts() {
		f.set(part, "on")
	}
	return v.offboardPage(f, directory.Offboarding{OffboardPlan: model.OffboardPlan{RevokeSessions: true, RemoveGroups: true, RemoveLicences: true}})
}

// offboardAt is how a browser gives a date and a time.
const offboardAt = "2006-01-02T15:04"

func (v *visit) offboardingOfForm() (directory.Offboarding, error) {
	in := directory.Offboarding{OffboardPlan: model.OffboardPlan{
		RevokeSessions: v.checked("revoke_sessions"), RemoveGroups: v.checked("remove_groups"), RemoveLicences: v.checked("remove_licences"), Delete: v.checked("delete"),
	}}
	if text := v.field("at"); text != "" {
		at, err := time.ParseInLocation(offboardAt, text, time.UTC)
		if err != nil {
			return in, model.FieldErrorf(model.Invalid, "at", "%q is not a date and a time such as 2027-01-31T17:00", text)
		}
		in.At = &at
	}
	return in, nil
}

func (v *visit) offboard() error {
	i, err := v.integration()
	if err != nil {
		return err
	}
	in, err := v.offboardingOfForm()
	var o model.Operation
	if err == nil && v.field("do") == "offboard" {
		o, err = v.svc.OffboardEntraUser(v.ctx, i.Ref(), v.r.PathValue("person"), in)
	}
	if err == nil && o.ID != "" {
		sentence := "The off-boarding has begun."
		if o.State == model.OperationScheduled {
			sentence = "The off-boarding is scheduled; until it begins it can be cancelled."
		}
		return v.done("/entra/operations/"+o.ID, sentence)
	}
	f := v.newForm(v.entraPath()+"/offboard", "Off-board")
	if err != nil {
		if model.KindOf(err) == model.NotFound {
			return err
		}
		if err := f.fail(err); err != nil {
			return err
		}
		in.At = nil
	}
	return v.offboardPage(f, in)
}

func (v *visit) offboardPage(f *form, in directory.Offboarding) error {
	i, err := v.integration()
	if err != nil {
		return err
	}
	person := v.r.PathValue("person")
	view := offboardView{Form: f, Person: person, Back: Base + v.entraPath(), Later: in.At != nil}
	o, err := v.svc.PreviewOffboarding(v.ctx, i.Ref(), person, in)
	if err != nil {
		if model.KindOf(err) == model.NotFound {
			return err
		}
		if formError := f.fail(err); formError != nil || f.Error != "" {
			if view.Empty, err = unreachable(err, i); err != nil {
				return err
			}
			view.Empty.Title = "Nobody can be off-boarded here now"
		}
	}
	view.Person, view.Steps = orWord(o.UserName, person), stepLines(&o)
	if o.Error != nil {
		view.Alert = &alert{Tone: bad, Icon: "alert-circle", Title: "It would fail", Text: sentence(o.Error.Detail)}
	}
	view.Sessions = f.field("checkbox", "revoke_sessions", "End all sign-ins")
	view.Groups = f.field("checkbox", "remove_groups", "Take the person out of every group")
	view.Licences = f.field("checkbox", "remove_licences", "Take every licence away")
	view.Licences.Help = "With its licence a mailbox goes after 30 days."
	view.Delete = f.field("checkbox", "delete", "Delete the user at last")
	view.Delete.Help = "Can be restored for 30 days."
	view.At = f.field("datetime-local", "at", "Begin at (UTC)")
	view.At.Help = "At once where it is empty. Until then it can be cancelled."
	f.rest()
	return v.render("offboard", page{
		Title: "Off-board " + view.Person, Lead: "What would be done, step by step; nothing is done yet.",
		Crumbs: []crumb{{"Entra", "/entra?integration=" + i.ID}, {view.Person, v.entraPath()}}, Body: view,
	})
}
