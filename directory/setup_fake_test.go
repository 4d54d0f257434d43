package directory_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"usher/directory"
	entraid "usher/model/entra"
	"usher/model/outlook"
)

// setupFault is what becomes of one call of a fakeProvisioning.
type setupFault int

const (
	noFault     setupFault = iota
	crashBefore            // the process dies before Entra hears of it
	crashAfter             // the process dies before it hears of the answer
	lostAnswer             // Entra has done it, and the answer says otherwise
	throttled
)

func (f setupFault) String() string {
	return [...]string{"no setupFault", "crash before", "crash after", "lost answer", "throttled"}[f]
}

// setupCrash is what a process dies of here.
type setupCrash struct{}

// fakeProvisioning is as much of Entra's synchronization API as a set-up needs. It keeps what it was told, as Entra does.
type fakeProvisioning struct {
	mu      sync.Mutex
	calls   []string
	faultAt func(n int, call string) setupFault
	refuse  map[string]error
	hidden  int // how many looks it takes until a new application is seen
	apps    []*fakeApp
	shared  map[string]string // service principals that are there already, by client id
	deleted []string
	grants  []entraid.Grant
	try     func(address, token string) error // Entra signs in
	roles   []entraid.AppRole
	job     entraid.JobStatus
}

type fakeApp struct {
	entraid.Application
	hidden   int
	jobs     []*entraid.Job
	secrets  []entraid.Secret
	schema   entraid.Schema
	assigned map[string]string
	gone     bool // its service principal
	started  bool
}

var _ directory.Provisioning = (*fakeProvisioning)(nil)

func provisioningError(kind outlook.Kind, status int, code, message string) error {
	return &outlook.Error{Kind: kind, Status: status, Code: code, Message: message}
}

func noSuchObject() error {
	return provisioningError(outlook.NoUser, 404, "Request_ResourceNotFound", "Resource does not exist or one of its queried reference-property objects are not present.")
}

// do is every call: it is noted, fails as the test wants, and has its effect.
func (f *fakeProvisioning) do(call string, effect func() error) error {
	f.mu.Lock()
	n := len(f.calls)
	f.calls = append(f.calls, call)
	what := noFault
	if f.faultAt != nil {
		what = f.faultAt(n, call)
	}
	refused := f.refuse[call]
	if what == crashBefore || what == throttled || refused != nil {
		f.mu.Unlock()
		switch {
		case refused != nil:
			return refused
		case what == throttled:
			return &outlook.Error{Kind: outlook.Throttled, Status: 429, Code: "TooManyRequests", After: 7 * time.Second}
		}
		panic(setupCrash{})
	}
	err := effect()
	f.mu.Unlock()
	switch {
	case what == crashAfter:
		panic(setupCrash{})
	case what == lostAnswer && err == nil:
		return provisioningError(outlook.Unavailable, 504, "GatewayTimeout", "")
	}
	return err
}

// app finds an application by its service principal; one that is new is seen after some looks alone.
func (f *fakeProvisioning) app(id string) (*fakeApp, error) {
	for _, a := range f.apps {
		if a.ServicePrincipalID == id && !a.gone {
			if a.hidden > 0 {
				a.hidden--
				return nil, noSuchObject()
			}
			return a, nil
		}
	}
	return nil, noSuchObject()
}

func (f *fakeProvisioning) Instantiate(_ context.Context, templateID, displayName string) (out entraid.Application, err error) {
	return out, f.do("Instantiate", func() error {
		if templateID != "8adf8e6e-67b2-4cf2-a259-e3dc5476c621" {
			return noSuchObject()
		}
		n := len(f.apps) + 1
		a := &fakeApp{Application: entraid.Application{
			ObjectID: fmt.Sprintf("object-%d", n), AppID: fmt.Sprintf("app-%d", n), ServicePrincipalID: fmt.Sprintf("sp-%d", n), DisplayName: displayName,
		}, hidden: f.hidden, assigned: map[string]string{}}
		f.apps = append(f.apps, a)
		out = a.Application
		return nil
	})
}

func (f *fakeProvisioning) ApplicationsNamed(_ context.Context, name string) (list []entraid.Application, err error) {
	return list, f.do("ApplicationsNamed", func() error {
		list = nil
		for _, a := range f.apps {
			if a.DisplayName == name && !slices.Contains(f.deleted, a.ObjectID) {
				found := a.Application
				if a.gone {
					found.ServicePrincipalID = ""
				}
				list = append(list, found)
			}
		}
		return nil
	})
}

func (f *fakeProvisioning) ServicePrincipal(_ context.Context, id string) (p entraid.ServicePrincipal, err error) {
	return p, f.do("ServicePrincipal", func() error {
		a, err := f.app(id)
		if err == nil {
			p = entraid.ServicePrincipal{ID: id, AppID: a.AppID, DisplayName: a.DisplayName, Roles: f.roles}
		}
		return err
	})
}

func (f *fakeProvisioning) ServicePrincipalOf(_ context.Context, appID string) (p entraid.ServicePrincipal, err error) {
	return p, f.do("ServicePrincipalOf", func() error {
		id, ok := f.shared[appID]
		if !ok {
			return noSuchObject()
		}
		p = entraid.ServicePrincipal{ID: id, AppID: appID}
		return nil
	})
}

func (f *fakeProvisioning) Templates(_ context.Context, id string) (list []string, err error) {
	return list, f.do("Templates", func() error {
		_, err := f.app(id)
		if err == nil {
			list = []string{"customappsso", "scim"}
		}
		return err
	})
}

func (f *fakeProvisioning) Jobs(_ context.Context, id string) (list []entraid.Job, err error) {
	return list, f.do("Jobs", func() error {
		list = nil
		a, err := f.app(id)
		if err == nil {
			for _, j := range a.jobs {
				list = append(list, *j)
			}
		}
		return err
	})
}

func (f *fakeProvisioning) CreateJob(_ context.Context, id, template string) (j entraid.Job, err error) {
	return j, f.do("CreateJob", func() error {
		a, err := f.app(id)
		if err != nil {
			return err
		}
		made := &entraid.Job{ID: fmt.Sprintf("scim.%s.%d", id, len(a.jobs)+1), TemplateID: template, State: "Disabled"}
		a.jobs, a.schema, j = append(a.jobs, made), entraid.Schema(defaultSchema), *made
		return nil
	})
}

// with runs the effect on a job that is there.
func (f *fakeProvisioning) with(call, id, job string, effect func(*fakeApp, *entraid.Job) error) error {
	return f.do(call, func() error {
		a, err := f.app(id)
		if err != nil {
			return err
		}
		for _, j := range a.jobs {
			if j.ID == job {
				return effect(a, j)
			}
		}
		return provisioningError(outlook.NotFound, 404, "ResourceNotFound", "The job does not exist.")
	})
}

func (f *fakeProvisioning) Job(_ context.Context, id, job string) (out entraid.Job, err error) {
	return out, f.with("Job", id, job, func(_ *fakeApp, j *entraid.Job) error { out = *j; out.Status = f.job; return nil })
}

func (f *fakeProvisioning) ValidateCredentials(_ context.Context, id, job string, secrets []entraid.Secret) error {
	return f.with("ValidateCredentials", id, job, func(*fakeApp, *entraid.Job) error {
		return f.try(secretOf(secrets, "BaseAddress"), secretOf(secrets, "SecretToken"))
	})
}

func secretOf(list []entraid.Secret, key string) string {
	for _, s := range list {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

func (f *fakeProvisioning) PutSecrets(_ context.Context, id string, secrets []entraid.Secret) error {
	return f.do("PutSecrets", func() error {
		a, err := f.app(id)
		if err == nil {
			a.secrets = secrets
		}
		return err
	})
}

func (f *fakeProvisioning) JobSchema(_ context.Context, id, job string) (out entraid.Schema, err error) {
	return out, f.with("JobSchema", id, job, func(a *fakeApp, _ *entraid.Job) error { out = a.schema; return nil })
}

func (f *fakeProvisioning) PutJobSchema(_ context.Context, id, job string, schema entraid.Schema) error {
	return f.with("PutJobSchema", id, job, func(a *fakeApp, _ *entraid.Job) error {
		if !json.Valid(schema) {
			return provisioningError(outlook.Invalid, 400, "InvalidSchema", "")
		}
		a.schema = schema
		return nil
	})
}

func (f *fakeProvisioning) Assign(_ context.Context, id, principal, role string) error {
	return f.do("Assign", func() error {
		a, err := f.app(id)
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(principal, "bad"):
			return provisioningError(outlook.Invalid, 400, "Request_BadRequest", "Not a valid reference update.")
		case a.assigned[principal] != "":
			return provisioningError(outlook.Duplicate, 400, "Request_BadRequest", "Permission being assigned already exists on the object")
		}
		a.assigned[principal] = role
		return nil
	})
}

func (f *fakeProvisioning) StartJob(_ context.Context, id, job string) error {
	return f.with("StartJob", id, job, func(a *fakeApp, j *entraid.Job) error { a.started, j.State = true, "Active"; return nil })
}

func (f *fakeProvisioning) PauseJob(_ context.Context, id, job string) error {
	return f.with("PauseJob", id, job, func(a *fakeApp, j *entraid.Job) error { a.started, j.State = false, "Paused"; return nil })
}

func (f *fakeProvisioning) RestartJob(_ context.Context, id, job, scope string) error {
	return f.with("RestartJob "+scope, id, job, func(a *fakeApp, _ *entraid.Job) error { a.started = true; return nil })
}

func (f *fakeProvisioning) DeleteJob(_ context.Context, id, job string) error {
	return f.with("DeleteJob", id, job, func(a *fakeApp, j *entraid.Job) error {
		a.jobs = slices.DeleteFunc(a.jobs, func(other *entraid.Job) bool { return other.ID == j.ID })
		return nil
	})
}

func (f *fakeProvisioning) DeleteServicePrincipal(_ context.Context, id string) error {
	return f.do("DeleteServicePrincipal", func() error {
		for appID, known := range f.shared {
			if known == id {
				delete(f.shared, appID)
				return nil
			}
		}
		a, err := f.app(id)
		if err == nil {
			a.gone = true
		}
		return err
	})
}

func (f *fakeProvisioning) DeleteApplication(_ context.Context, id string) error {
	return f.do("DeleteApplication", func() error {
		if slices.Contains(f.deleted, id) {
			return noSuchObject()
		}
		f.deleted = append(f.deleted, id)
		return nil
	})
}

func (f *fakeProvisioning) Grants(context.Context, string) (list []entraid.Grant, err error) {
	return list, f.do("Grants", func() error { list = slices.Clone(f.grants); return nil })
}

func (f *fakeProvisioning) DeleteGrant(_ context.Context, _ string, g entraid.Grant) error {
	return f.do("DeleteGrant", func() error {
		f.grants = slices.DeleteFunc(f.grants, func(other entraid.Grant) bool { return other == g })
		return nil
	})
}

// alive gives the applications that are there.
func (f *fakeProvisioning) alive() []*fakeApp {
	var list []*fakeApp
	for _, a := range f.apps {
		if !a.gone || !slices.Contains(f.deleted, a.ObjectID) {
			list = append(list, a)
		}
	}
	return list
}

// defaultSchema is what Entra gives a new job, with things that Usher knows nothing of.
const defaultSchema = `{"id":"schema","version":"v1","unheardOf":{"kept":[1,2.50,12345678901234567890]},
"directories":[
 {"id":"1","name":"Azure Active Directory","discoverabilities":"None","objects":[{"name":"User","attributes":[
   {"name":"objectId","type":"String"},{"name":"userPrincipalName","type":"String"},{"name":"extensionAttribute3","type":"String"},{"name":"mailNickname","type":"String"}]}]},
 {"id":"2","name":"customappsso","objects":[{"name":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","attributes":[{"name":"externalId","type":"String"}]}]}],
"synchronizationRules":[{"id":"rule","name":"USER_OUTBOUND_USER","sourceDirectoryName":"Azure Active Directory","targetDirectoryName":"customappsso","objectMappings":[
 {"name":"Provision <Users> & more","enabled":true,"flowTypes":"Add, Update, Delete","sourceObjectName":"User","targetObjectName":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","attributeMappings":[
  {"targetAttributeName":"userName","matchingPriority":1,"source":{"type":"Attribute","name":"userPrincipalName","expression":"[userPrincipalName]"}},
  {"targetAttributeName":"active","matchingPriority":0,"source":{"type":"Function","name":"Switch","expression":"Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")"}},
  {"targetAttributeName":"displayName","matchingPriority":0,"source":{"type":"Attribute","name":"displayName","expression":"[displayName]"}},
  {"targetAttributeName":"externalId","matchingPriority":0,"flowBehavior":"FlowWhenChanged","secretSauce":7,"source":{"type":"Attribute","name":"mailNickname","expression":"[mailNickname]"}}]},
 {"name":"Provision Groups","enabled":false,"sourceObjectName":"Group","targetObjectName":"urn:ietf:params:scim:schemas:core:2.0:Group","attributeMappings":[
  {"targetAttributeName":"displayName","matchingPriority":1,"source":{"type":"Attribute","name":"displayName","expression":"[displayName]"}},
  {"targetAttributeName":"externalId","matchingPriority":0,"source":{"type":"Attribute","name":"objectId","expression":"[objectId]"}},
  {"targetAttributeName":"members","matchingPriority":0,"source":{"type":"Attribute","name":"members","expression":"[members]"}}]}]}]}`

func noRight() error {
	return provisioningError(outlook.Forbidden, 403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
}
