package entraid

import (
	"context"

	"usher/model/entra"
	"usher/model/outlook"
)

// Instantiate makes an application from a gallery template.
func (c *Client) Instantiate(ctx context.Context, templateID, displayName string) (entra.Application, error) {
	return c.session.Instantiate(ctx, templateID, displayName)
}

// ApplicationsNamed finds the applications of exactly that display name.
func (c *Client) ApplicationsNamed(ctx context.Context, displayName string) ([]entra.Application, error) {
	return c.session.Applications(ctx, func(a entra.Application) bool { return a.DisplayName == displayName })
}

// ServicePrincipal reads a service principal by object id.
func (c *Client) ServicePrincipal(ctx context.Context, id string) (entra.ServicePrincipal, error) {
	return c.session.ServicePrincipal(ctx, id)
}

// ServicePrincipalOf finds the service principal of an application by its client id.
func (c *Client) ServicePrincipalOf(ctx context.Context, appID string) (entra.ServicePrincipal, error) {
	list, err := c.session.ServicePrincipals(ctx, func(sp entra.ServicePrincipal) bool { return sp.AppID == appID })
	if err == nil && len(list) == 0 {
		err = failure(outlook.NotFound, 0, "", "the application has no service principal in the tenant")
	}
	if err != nil {
		return entra.ServicePrincipal{}, err
	}
	return list[0], nil
}

// Templates gives the ids of the synchronization templates of a service principal.
func (c *Client) Templates(ctx context.Context, servicePrincipal string) ([]string, error) {
	return c.session.Templates(ctx, servicePrincipal)
}

// Jobs gives the provisioning jobs of a service principal.
func (c *Client) Jobs(ctx context.Context, servicePrincipal string) ([]entra.Job, error) {
	return c.session.Jobs(ctx, servicePrincipal)
}

// CreateJob makes a provisioning job from a synchronization template.
func (c *Client) CreateJob(ctx context.Context, servicePrincipal, templateID string) (entra.Job, error) {
	return c.session.CreateJob(ctx, servicePrincipal, templateID)
}

// Job reads how a provisioning job is getting on.
func (c *Client) Job(ctx context.Context, servicePrincipal, job string) (entra.Job, error) {
	return c.session.Job(ctx, servicePrincipal, job)
}

// ValidateCredentials has Entra call the endpoint with the credentials.
func (c *Client) ValidateCredentials(ctx context.Context, servicePrincipal, job string, secrets []entra.Secret) error {
	return c.session.ValidateCredentials(ctx, servicePrincipal, job, secrets)
}

// PutSecrets replaces all stored credentials.
func (c *Client) PutSecrets(ctx context.Context, servicePrincipal string, secrets []entra.Secret) error {
	return c.session.PutSecrets(ctx, servicePrincipal, secrets)
}

// JobSchema reads the mappings.
func (c *Client) JobSchema(ctx context.Context, servicePrincipal, job string) (entra.Schema, error) {
	return c.session.JobSchema(ctx, servicePrincipal, job)
}

// PutJobSchema replaces the mappings as a whole.
func (c *Client) PutJobSchema(ctx context.Context, servicePrincipal, job string, schema entra.Schema) error {
	return c.session.PutJobSchema(ctx, servicePrincipal, job, schema)
}

// Assign gives a group or user a role of the application.
func (c *Client) Assign(ctx context.Context, servicePrincipal, principal, role string) error {
	_, err := c.session.Assign(ctx, servicePrincipal, principal, role)
	return err
}

// StartJob starts a job.
func (c *Client) StartJob(ctx context.Context, servicePrincipal, job string) error {
	return c.session.StartJob(ctx, servicePrincipal, job)
}

// PauseJob pauses a job.
func (c *Client) PauseJob(ctx context.Context, servicePrincipal, job string) error {
	return c.session.PauseJob(ctx, servicePrincipal, job)
}

// RestartJob begins anew what the scope says.
func (c *Client) RestartJob(ctx context.Context, servicePrincipal, job, scope string) error {
	return c.session.RestartJob(ctx, servicePrincipal, job, scope)
}

// DeleteJob deletes a job.
func (c *Client) DeleteJob(ctx context.Context, servicePrincipal, job string) error {
	return c.session.DeleteJob(ctx, servicePrincipal, job)
}

// DeleteServicePrincipal deletes a service principal, and with it all that was granted to it.
func (c *Client) DeleteServicePrincipal(ctx context.Context, id string) error {
	return c.session.DeleteServicePrincipal(ctx, id)
}

// DeleteApplication deletes an application by its object id.
func (c *Client) DeleteApplication(ctx context.Context, objectID string) error {
	return c.session.DeleteApplication(ctx, objectID)
}

// Grants lists what the administrator has granted a service principal.
func (c *Client) Grants(ctx context.Context, servicePrincipal string) ([]entra.Grant, error) {
	return c.session.Grants(ctx, servicePrincipal)
}

// DeleteGrant takes back what was granted.
func (c *Client) DeleteGrant(ctx context.Context, _ string, grant entra.Grant) error {
	return c.session.Revoke(ctx, grant.ID)
}
