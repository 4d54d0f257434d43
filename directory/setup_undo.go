package directory

import (
	"context"
	"errors"
	"fmt"

	"usher/model"
	"usher/model/store"
)

// duplicates takes away applications that were made by requests whose answers were lost.
func (w *setupWork) duplicates() (string, error) {
	e := w.row.Entra
	if e.Tries < 2 || w.row.Options.Adopted != "" {
		return "", nil
	}
	list, err := w.api.ApplicationsNamed(w.ctx, e.DisplayName)
	if err != nil {
		return "", err
	}
	n := 0
	for _, a := range list {
		if a.AppID == e.AppID {
			continue
		}
		if err := w.deleteApplication(a.ObjectID, a.ServicePrincipalID); err != nil {
			return "", err
		}
		n++
	}
	return fmt.Sprintf("%d applications that were made twice are deleted", n), nil
}

// deleteApplication deletes a service principal and its application; whatever is gone already is well.
func (w *setupWork) deleteApplication(objectID, servicePrincipal string) error {
	return deleteApplication(w.ctx, w.api, objectID, servicePrincipal)
}

func (w *setupWork) undoPause() (string, error) {
	e := w.row.Entra
	if e.JobID == "" {
		return "there was no job", nil
	}
	if err := w.api.PauseJob(w.ctx, e.ServicePrincipal, e.JobID); err != nil && !notInEntra(err) {
		return "", err
	}
	return "the job is paused", nil
}

func (w *setupWork) undoJob() (string, error) {
	e := w.row.Entra
	switch {
	case e.JobID == "":
		return "there was no job", nil
	case !e.OwnJob:
		return "the job was there before Usher, and stays", nil
	}
	if err := w.api.DeleteJob(w.ctx, e.ServicePrincipal, e.JobID); err != nil && !notInEntra(err) {
		return "", err
	}
	return "the job is deleted", nil
}

func (w *setupWork) undoApplication() (string, error) {
	e := w.row.Entra
	if w.row.Options.Adopted != "" {
		return "the application was there before Usher, and stays", nil
	}
	if e.Tries > 0 {
		list, err := w.api.ApplicationsNamed(w.ctx, e.DisplayName)
		if err != nil {
			return "", err
		}
		for _, a := range list {
			if err := w.deleteApplication(a.ObjectID, a.ServicePrincipalID); err != nil {
				return "", err
			}
		}
		if len(list) == 0 && e.AppID == "" && e.TriedAt != nil && w.svc.Now().Before(e.TriedAt.Add(applicationWait)) {
			return "", setupWaits(replicationLook, "an application may have been made; Entra takes a while to show it")
		}
	}
	if err := w.deleteApplication(e.ApplicationID, e.ServicePrincipal); err != nil {
		return "", err
	}
	return "the application is deleted; Entra keeps it among the deleted ones for 30 days", nil
}

func (w *setupWork) undoToken() (string, error) {
	err := w.save(func(tx *store.Tx, row *model.Setup) error {
		err := w.dropPending(tx, row)
		if row.TokenID != "" {
			err = errors.Join(err, unlessRemoved(tx.DeleteSCIMToken(row.Ref(), row.TokenID)))
		}
		row.TokenID, row.Stored = "", ""
		return err
	})
	w.svc.tokens.forget()
	return "the token that Entra had is revoked", err
}

// deleteApplication deletes a service principal and its application, of which either may be unknown or gone already. Deleting the
// application does not reliably delete the service principal.
func deleteApplication(ctx context.Context, api Provisioning, objectID, servicePrincipal string) error {
	if servicePrincipal != "" {
		if err := api.DeleteServicePrincipal(ctx, servicePrincipal); err != nil && !notInEntra(err) {
			return err
		}
	}
	if objectID == "" {
		return nil
	}
	if err := api.DeleteApplication(ctx, objectID); err != nil && !notInEntra(err) {
		return err
	}
	return nil
}
