package directory

import (
	"fmt"
	"strings"
	"time"

	"usher/model"
	"usher/model/entra"
	"usher/model/outlook"
	"usher/model/store"
)

// What Microsoft has fixed: the template of an application that is in no gallery, and that of its job; the role of those who are
// assigned to an application that has none (Graph: synchronization API, appRoleAssignment).
const (
	nonGalleryTemplate = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"
	jobTemplate        = "scim"
	defaultRole        = "00000000-0000-0000-0000-000000000000"
)

// How long the parts of Entra take to hear of each other, and how often we look.
const (
	applicationWait = 3 * time.Minute // until an application that was made is found by its name
	replicationWait = 15 * time.Minute
	replicationLook = 5 * time.Second
)

// The names under which a set-up seals what it needs for a while.
const (
	secretAccess  = "setup_access_token" // of the administrator who signed in
	secretSignIn  = "setup_sign_in"      // what the answer to a sign-in is checked with
	secretPending = "setup_scim_token"   // until Entra has it
)

// notInEntra says that Entra does not have the thing (yet, or any more).
func notInEntra(err error) bool {
	kind := outlook.KindOf(err)
	return kind == outlook.NotFound || kind == outlook.NoUser
}

// application makes the enterprise application, once: before it is asked for, that is noted, and where the answer was lost it is
// looked for by its name, which no other has.
func (w *setupWork) application() (string, error) {
	if id := w.row.Options.Adopted; id != "" {
		return w.adopt(id)
	}
	if e := w.row.Entra; e.ServicePrincipal != "" {
		return "application " + e.DisplayName + " exists", nil
	}
	if w.row.Entra.Tries > 0 {
		found, err := w.findApplication()
		if err != nil || found {
			return "application " + w.row.Entra.DisplayName + " was found", err
		}
	}
	err := w.save(func(tx *store.Tx, row *model.Setup) error {
		now := tx.Now()
		row.Entra.Tries++
		row.Entra.TriedAt, row.Entra.DisplayName = &now, markedName(row)
		return nil
	})
	if err != nil {
		return "", err
	}
	made, err := w.api.Instantiate(w.ctx, nonGalleryTemplate, w.row.Entra.DisplayName)
	if err != nil {
		return "", err
	}
	return "application " + w.row.Entra.DisplayName + " was made", w.knowApplication(made)
}

// markedName is the display name of the application: what was asked for, and a mark that tells it from all others.
func markedName(row *model.Setup) string {
	if row.Entra.DisplayName != "" {
		return row.Entra.DisplayName
	}
	id := row.IntegrationID
	return row.Options.DisplayName + " (Usher " + id[len(id)-8:] + ")"
}

func (w *setupWork) knowApplication(a entra.Application) error {
	return w.save(func(_ *store.Tx, row *model.Setup) error {
		row.Entra.ApplicationID, row.Entra.AppID, row.Entra.ServicePrincipal = a.ObjectID, a.AppID, a.ServicePrincipalID
		return nil
	})
}

// findApplication looks for an application whose making was not heard of. It may take a while until Entra finds it.
func (w *setupWork) findApplication() (bool, error) {
	list, err := w.api.ApplicationsNamed(w.ctx, w.row.Entra.DisplayName)
	if err != nil {
		return false, err
	}
	for _, a := range list {
		if a.ServicePrincipalID != "" {
			return true, w.knowApplication(a)
		}
	}
	tried := w.row.Entra.TriedAt
	if len(list) > 0 || tried != nil && w.svc.Now().Before(tried.Add(applicationWait)) {
		return false, setupWaits(replicationLook, "an application may have been made; Entra takes a while to show it")
	}
	return false, nil
}

func (w *setupWork) adopt(id string) (string, error) {
	p, err := w.api.ServicePrincipal(w.ctx, id)
	if notInEntra(err) {
		return "", model.FieldErrorf(model.Refused, "service_principal_id", "Entra has no enterprise application with the object id %s", id)
	}
	if err != nil {
		return "", err
	}
	return "application " + p.DisplayName + " was there", w.save(func(_ *store.Tx, row *model.Setup) error {
		row.Entra.DisplayName, row.Entra.AppID, row.Entra.ServicePrincipal = p.DisplayName, p.AppID, p.ID
		return nil
	})
}

// replication waits until every part of Entra knows the application, and finds the template of its job.
func (w *setupWork) replication() (string, error) {
	id := w.row.Entra.ServicePrincipal
	_, err := w.api.ServicePrincipal(w.ctx, id)
	var templates []string
	if err == nil {
		templates, err = w.api.Templates(w.ctx, id)
	}
	if notInEntra(err) || err == nil && len(templates) == 0 {
		return "", w.notReplicated("Entra has made the application, and its parts are being told of it")
	}
	if err != nil {
		return "", err
	}
	for _, t := range templates {
		if strings.EqualFold(t, jobTemplate) || strings.HasPrefix(strings.ToLower(t), jobTemplate+".") {
			return "Entra knows the application", w.save(func(_ *store.Tx, row *model.Setup) error { row.Entra.TemplateID = t; return nil })
		}
	}
	return "", model.Errorf(model.Refused, "the application cannot be provisioned over SCIM: its templates are %s, and %s is not among them",
		cut(strings.Join(templates, ", "), maxSaid/2), jobTemplate)
}

// notReplicated waits for a bounded time from the beginning of the step that is being done.
func (w *setupWork) notReplicated(why string) error {
	for i := range w.row.Steps {
		at := &w.row.Steps[i]
		if at.State == model.StepPending && at.Begun != nil && w.svc.Now().After(at.Begun.Add(replicationWait)) {
			return model.Errorf(model.Refused, "%s, which has taken longer than %s; ask for the set-up again later", why, replicationWait)
		}
	}
	return setupWaits(replicationLook, "%s", why)
}

// job makes the provisioning job, unless there is one.
func (w *setupWork) job() (string, error) {
	e := w.row.Entra
	list, err := w.api.Jobs(w.ctx, e.ServicePrincipal)
	if notInEntra(err) {
		return "", w.notReplicated("Entra's provisioning does not know the application yet")
	}
	if err != nil {
		return "", err
	}
	for _, j := range list {
		if strings.EqualFold(j.TemplateID, e.TemplateID) || j.ID == e.JobID {
			return "job " + j.ID + " exists", w.save(func(_ *store.Tx, row *model.Setup) error {
				row.Entra.JobID, row.Entra.OwnJob = j.ID, row.Entra.OwnJob || row.Options.Adopted == ""
				return nil
			})
		}
	}
	made, err := w.api.CreateJob(w.ctx, e.ServicePrincipal, e.TemplateID)
	if notInEntra(err) {
		return "", w.notReplicated("Entra's provisioning does not know the application yet")
	}
	if err != nil {
		return "", err
	}
	return "job " + made.ID + " was made", w.save(func(_ *store.Tx, row *model.Setup) error {
		row.Entra.JobID, row.Entra.OwnJob = made.ID, true
		return nil
	})
}

// mappings brings the attribute mappings of the job up to what Usher wants, and leaves everything else as it is.
func (w *setupWork) mappings() (string, error) {
	e := w.row.Entra
	entry, err := w.svc.Lists(w.ctx, w.row.Ref())
	if err != nil {
		return "", err
	}
	schema, err := w.api.JobSchema(w.ctx, e.ServicePrincipal, e.JobID)
	if notInEntra(err) {
		return "", w.notReplicated("the job has no mappings yet")
	}
	if err != nil {
		return "", err
	}
	edited, report, err := editSchema(schema, wantedMappings(entry))
	if err != nil {
		return "", model.Errorf(model.Refused, "the job's mappings cannot be read: %s; set them by hand as GET …/setup says", err)
	}
	if edited == nil {
		return "the mappings are as they should be", nil
	}
	if err := w.api.PutJobSchema(w.ctx, e.ServicePrincipal, e.JobID, edited); err != nil {
		return "", err
	}
	return report, nil
}

// assignPage is after how many groups it is stored how far the step is.
const assignPage = 20

// groups assigns the groups to the application. One that Entra will not have is told and passed over.
func (w *setupWork) groups() (string, error) {
	o := w.row.Options
	if o.Everyone || len(o.Groups) == 0 {
		return map[bool]string{true: "everyone is in scope", false: "no group was named; assign users and groups in the portal"}[o.Everyone], nil
	}
	p, err := w.api.ServicePrincipal(w.ctx, w.row.Entra.ServicePrincipal)
	if err != nil {
		return "", err
	}
	role := assignedRole(p.Roles)
	var problems []string
	for n := stepOf(&w.row, "groups").Cursor; n < len(o.Groups); n++ {
		err := w.api.Assign(w.ctx, p.ID, o.Groups[n], role)
		switch outlook.KindOf(err) {
		case outlook.Invalid, outlook.NotFound, outlook.NoUser:
			problems = append(problems, o.Groups[n]+": "+w.clean(err.Error()))
		case outlook.Duplicate:
		default:
			if err != nil {
				return "", err
			}
		}
		if (n+1)%assignPage != 0 {
			continue
		}
		if err := w.note(func(_ *store.Tx, row *model.Setup) error { stepOf(row, "groups").Cursor = n + 1; return nil }); err != nil {
			return "", err
		}
	}
	detail := fmt.Sprintf("%d groups are assigned", len(o.Groups)-len(problems))
	if len(problems) > 0 {
		detail += "; Entra refused " + strings.Join(problems, "; ")
	}
	return cut(detail, maxSaid), nil
}

// assignedRole picks the role that users and groups get: one that is made for them, else the application's default.
func assignedRole(roles []entra.AppRole) string {
	picked := defaultRole
	for _, r := range roles {
		if !r.Enabled || !r.ForUsers {
			continue
		}
		if !r.Platform {
			return r.ID
		}
		picked = r.ID
	}
	return picked
}

func (w *setupWork) start() (string, error) {
	if w.row.Options.Hold {
		return "the job is not started, as was asked for; POST …/setup/provisioning/start does", nil
	}
	e := w.row.Entra
	return "the job is started; its first cycle may take hours", w.api.StartJob(w.ctx, e.ServicePrincipal, e.JobID)
}
