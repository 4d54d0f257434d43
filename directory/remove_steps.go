package directory

import (
	"fmt"
	"strings"

	"usher/model"
	"usher/model/outlook"
	"usher/model/store"
)

// subscriptions ends the subscriptions of calendars. What cannot be ended ends by itself, and what it tells until then is ignored.
func (w *removalWork) subscriptions() (string, []model.Leftover, error) {
	n := w.row.Removed["subscriptions"]
	if w.svc.EndSubscriptions == nil {
		if n == 0 {
			return "there were none", nil, nil
		}
		return "", nil, model.Errorf(model.Refused, "this process has no access to Microsoft Graph")
	}
	refused, err := w.svc.EndSubscriptions(w.ctx, w.row.Ref())
	if err != nil {
		return "", nil, err
	}
	if refused > 0 {
		return "", []model.Leftover{w.leftOf("subscriptions", fmt.Sprintf("Microsoft 365 refused to end %d of them", refused))}, nil
	}
	return fmt.Sprintf("%d subscriptions are ended", n), nil, nil
}

// api gives what Entra is asked with, unless the integration may not write there, or it was asked to leave everything.
func (w *removalWork) api() (Provisioning, error) {
	i := w.row.Plan.Integration
	switch {
	case w.row.Plan.Keep:
		return nil, model.Errorf(model.Refused, "it was asked to stay")
	case i.ReadOnly:
		return nil, model.Errorf(model.Refused, "the integration only read from Entra, and so deletes nothing there")
	case w.svc.Provisionings == nil:
		return nil, model.Errorf(model.Refused, "this process has no access to Microsoft Graph")
	}
	access, err := w.svc.openAccess(&w.row)
	if err != nil {
		return nil, err
	}
	token := ""
	if w.svc.Now().Before(access.AccessUntil) {
		token = access.AccessToken
	}
	return w.svc.Provisionings(w.ctx, w.row.Ref(), token)
}

// provisioning pauses and deletes the job and the application that Usher set up.
func (w *removalWork) provisioning() (string, []model.Leftover, error) {
	e := w.row.Plan.Entra
	if e.ServicePrincipal == "" && e.Tries == 0 {
		return "Usher had set up none", nil, nil
	}
	api, err := w.api()
	if err != nil {
		return "", nil, err
	}
	if e.JobID != "" {
		if err := api.PauseJob(w.ctx, e.ServicePrincipal, e.JobID); err != nil && !notInEntra(err) {
			return "", nil, err
		}
		if e.OwnJob {
			if err := api.DeleteJob(w.ctx, e.ServicePrincipal, e.JobID); err != nil && !notInEntra(err) {
				return "", nil, err
			}
		}
	}
	if w.row.Plan.Adopted {
		return "application " + e.DisplayName + " was there before Usher, and stays; its job sends nothing more", nil, nil
	}
	if err := deleteApplication(w.ctx, api, e.ApplicationID, e.ServicePrincipal); err != nil {
		return "", nil, err
	}
	if e.Tries > 0 { // an answer may have been lost
		list, err := api.ApplicationsNamed(w.ctx, e.DisplayName)
		if err != nil {
			return "", nil, err
		}
		for _, a := range list {
			if err := deleteApplication(w.ctx, api, a.ObjectID, a.ServicePrincipalID); err != nil {
				return "", nil, err
			}
		}
	}
	return "the job and application " + e.DisplayName + " are deleted; Entra keeps the application among the deleted ones for 30 days", nil, nil
}

// consent takes the integration's application out of the tenant, and all that was granted to it. Another integration that reaches the
// tenant as the same application needs it still.
func (w *removalWork) consent() (string, []model.Leftover, error) {
	i := w.row.Plan.Integration
	if i.Graph.ClientID == "" || i.TenantID == "" {
		return "there was no application", nil, nil
	}
	others, err := w.svc.Store.Read(w.ctx).IntegrationsOfApp(i.TenantID, i.Graph.ClientID)
	if err != nil {
		return "", nil, err
	}
	if others > 0 {
		return "kept: another integration reaches the tenant as the same application", nil, nil
	}
	api, err := w.api()
	if err != nil {
		return "", nil, err
	}
	p, err := api.ServicePrincipalOf(w.ctx, i.Graph.ClientID)
	if notInEntra(err) {
		return "the application was not in the tenant any more", nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	err = api.DeleteServicePrincipal(w.ctx, p.ID)
	switch {
	case err == nil || notInEntra(err):
		return "the application is taken out of the tenant, and its permissions with it", nil, nil
	case outlook.KindOf(err) != outlook.Forbidden:
		return "", nil, err
	}
	grants, err := api.Grants(w.ctx, p.ID)
	if err != nil {
		return "", nil, err
	}
	for _, g := range grants {
		if err := api.DeleteGrant(w.ctx, p.ID, g); err != nil && !notInEntra(err) {
			return "", nil, err
		}
	}
	return fmt.Sprintf("%d permissions are taken back; the application itself stays in the tenant, without any", len(grants)), nil, nil
}

// logPage is how many lines of the request log are deleted at once.
const logPage = 5000

func (w *removalWork) requestLog() (string, []model.Leftover, error) {
	for more := true; more; {
		err := w.save(func(tx *store.Tx, r *model.Removal) (err error) {
			more, err = tx.DeleteSCIMLog(r.Ref(), logPage)
			return err
		})
		if err != nil {
			return "", nil, err
		}
		if w.ctx.Err() != nil {
			return "", nil, w.ctx.Err()
		}
	}
	return "the log of its SCIM requests is deleted", nil, nil
}

func (w *removalWork) credentials() (string, []model.Leftover, error) {
	return "its credentials are deleted", nil, w.save(func(_ *store.Tx, r *model.Removal) error {
		r.KeyID, r.Access = "", nil
		return nil
	})
}

// leftOf says what of a step is left, and how it is done by hand.
func (w *removalWork) leftOf(step, why string) model.Leftover {
	i, e := w.row.Plan.Integration, w.row.Plan.Entra
	l := model.Leftover{Why: why, Portal: enterprisePortal(i.Graph.Cloud, "", "")}
	const connect = "Connect-MgGraph -Scopes 'Application.ReadWrite.All'"
	switch step {
	case "subscriptions":
		l.What = "subscriptions for changes of calendars, which end by themselves within a week"
		l.Portal = ""
	case "provisioning":
		l.What = "enterprise application " + e.DisplayName + " with its provisioning job"
		l.Portal = enterprisePortal(i.Graph.Cloud, e.ServicePrincipal, e.AppID)
		switch {
		case w.row.Plan.Adopted:
			l.What = "the provisioning job of enterprise application " + e.DisplayName
			l.PowerShell = psLines(connect, "Invoke-MgGraphRequest -Method POST -Uri "+quotePowerShell("v1.0/servicePrincipals/"+e.ServicePrincipal+"/synchronization/jobs/"+e.JobID+"/pause"))
		case e.ServicePrincipal == "":
			l.PowerShell = psLines(connect, "Get-MgApplication -Filter "+quotePowerShell("displayName eq '"+strings.ReplaceAll(e.DisplayName, "'", "''")+"'")+
				" | ForEach-Object { Remove-MgApplication -ApplicationId $_.Id }")
		default:
			l.PowerShell = psLines(connect, "Remove-MgServicePrincipal -ServicePrincipalId "+quotePowerShell(e.ServicePrincipal),
				"Remove-MgApplication -ApplicationId "+quotePowerShell(e.ApplicationID))
		}
	case "consent":
		l.What = "the application " + i.Graph.ClientID + " in tenant " + i.TenantID + ", with the permissions that were granted to it"
		l.PowerShell = psLines(connect, "Get-MgServicePrincipal -Filter "+quotePowerShell("appId eq '"+strings.ReplaceAll(i.Graph.ClientID, "'", "''")+"'")+
			" | ForEach-Object { Remove-MgServicePrincipal -ServicePrincipalId $_.Id }")
	default:
		l.What, l.Portal = step, ""
	}
	return l
}

func psLines(list ...string) string { return strings.Join(list, "\n") }
