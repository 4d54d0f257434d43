package graph

import (
	"context"
	"encoding/json"
	"regexp"
	"strconv"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"

	"usher/model/entra"
)

// jobJSON is a synchronizationJob as Graph writes it.
type jobJSON struct {
	ID         string `json:"id"`
	TemplateID string `json:"templateId"`
	Schedule   struct {
		State    string `json:"state"`
		Interval string `json:"interval"`
	} `json:"schedule"`
	Status struct {
		Code           string          `json:"code"`
		Failures       int             `json:"countSuccessiveCompleteFailures"`
		Last           *executionJSON  `json:"lastExecution"`
		LastSuccessful *executionJSON  `json:"lastSuccessfulExecution"`
		Quarantine     *quarantineJSON `json:"quarantine"`
		SteadyState    string          `json:"steadyStateLastAchievedTime"`
		Entries        []struct {
			Key   string `json:"key"`
			Value int    `json:"value"`
		} `json:"synchronizedEntryCountByType"`
		Progress []struct {
			Completed int `json:"completedUnits"`
			Total     int `json:"totalUnits"`
		} `json:"progress"`
		Troubleshooting string `json:"troubleshootingUrl"`
	} `json:"status"`
}

type executionJSON struct {
	State    string        `json:"state"`
	Began    string        `json:"timeBegan"`
	Ended    string        `json:"timeEnded"`
	Imported int           `json:"countImported"`
	Exported int           `json:"countExported"`
	Escrowed int           `json:"countEscrowed"`
	Entitled int           `json:"countEntitled"`
	Error    *jobErrorJSON `json:"error"`
}

type quarantineJSON struct {
	Reason      string        `json:"reason"`
	Began       string        `json:"currentBegan"`
	NextAttempt string        `json:"nextAttempt"`
	Error       *jobErrorJSON `json:"error"`
}

type jobErrorJSON struct {
	Code       string          `json:"code"`
	Message    string          `json:"message"`
	Actionable json.RawMessage `json:"tenantActionable"` // documented as the action, and said to be true or false
}

// action says what the tenant can do about it.
func (e *jobErrorJSON) action() string {
	switch text := plain(e.Actionable); text {
	case "true":
		return "an administrator of the tenant can resolve it"
	case "false", "null":
		return ""
	default:
		return text
	}
}

func (j jobJSON) job() entra.Job {
	s := j.Status
	result := entra.Job{
		ID: j.ID, TemplateID: j.TemplateID, State: j.Schedule.State, Interval: period(j.Schedule.Interval),
		Status: entra.JobStatus{
			Code: s.Code, SuccessiveFailures: s.Failures, Last: s.Last.execution(), LastSuccessful: s.LastSuccessful.execution(),
			Quarantine: s.Quarantine.quarantine(), SteadyStateAt: when(s.SteadyState), TroubleshootingURL: s.Troubleshooting,
		},
	}
	for _, e := range s.Entries {
		if result.Status.Synchronized == nil {
			result.Status.Synchronized = map[string]int{}
		}
		result.Status.Synchronized[e.Key] = e.Value
	}
	for _, p := range s.Progress {
		result.Status.Completed += p.Completed
		result.Status.Total += p.Total
	}
	return result
}

// execution reads a cycle; one that never was has no state and no beginning.
func (e *executionJSON) execution() *entra.JobExecution {
	if e == nil || e.State == "" && when(e.Began).IsZero() {
		return nil
	}
	result := &entra.JobExecution{
		State: e.State, Begun: when(e.Began), Ended: when(e.Ended), Imported: e.Imported, Exported: e.Exported, Escrowed: e.Escrowed, Entitled: e.Entitled,
	}
	if e.Error != nil {
		result.ErrorCode, result.ErrorMessage, result.Action = e.Error.Code, e.Error.Message, e.Error.action()
	}
	return result
}

func (q *quarantineJSON) quarantine() *entra.Quarantine {
	if q == nil {
		return nil
	}
	result := &entra.Quarantine{Reason: q.Reason, Begun: when(q.Began), NextAttempt: when(q.NextAttempt)}
	if q.Error != nil {
		result.ErrorCode, result.ErrorMessage = q.Error.Code, q.Error.Message
	}
	return result
}

// isoPeriod is a duration of days, hours, minutes and seconds (ISO 8601): PT40M.
var isoPeriod = regexp.MustCompile(`^P(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})(?:\.\d+)?S)?)?$`)

// period reads a duration; what is none is 0.
func period(text string) time.Duration {
	found := isoPeriod.FindStringSubmatch(text)
	if found == nil {
		return 0
	}
	var sum time.Duration
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		n, _ := strconv.Atoi(found[i+1]) // digits, or nothing, which is 0
		sum += time.Duration(n) * unit
	}
	return sum
}

// Templates gives the ids of the synchronization templates of a service principal.
func (c *Client) Templates(ctx context.Context, servicePrincipal string) ([]string, error) {
	list, err := listed[applicationJSON](ctx, c, call{operation: "synchronization.templates", units: 1},
		principal(servicePrincipal, "/synchronization/templates"))
	ids := make([]string, 0, len(list))
	for _, template := range list {
		ids = append(ids, template.ID)
	}
	return ids, err
}

// Jobs gives the provisioning jobs of a service principal.
func (c *Client) Jobs(ctx context.Context, servicePrincipal string) ([]entra.Job, error) {
	list, err := listed[jobJSON](ctx, c, call{operation: "synchronization.jobs", units: 1}, principal(servicePrincipal, "/synchronization/jobs"))
	jobs := make([]entra.Job, 0, len(list))
	for _, j := range list {
		jobs = append(jobs, j.job())
	}
	return jobs, err
}

// CreateJob makes a provisioning job from a synchronization template. It is never repeated.
func (c *Client) CreateJob(ctx context.Context, servicePrincipal, templateID string) (entra.Job, error) {
	got, err := ask[jobJSON](ctx, c, call{operation: "synchronization.create_job", units: 1}, abstractions.POST,
		principal(servicePrincipal, "/synchronization/jobs"), map[string]string{"templateId": templateID})
	if err == nil && got.ID == "" {
		err = unreadable("the answer is a job without id")
	}
	return got.job(), err
}

// Job reads how a provisioning job is getting on.
func (c *Client) Job(ctx context.Context, servicePrincipal, id string) (entra.Job, error) {
	got, err := ask[jobJSON](ctx, c, call{operation: "synchronization.job", safe: true, units: 1}, abstractions.GET, job(servicePrincipal, id, ""), nil)
	if err == nil && got.ID == "" {
		err = unreadable("the answer is a job without id")
	}
	return got.job(), err
}

// secretJSON is a stored credential.
type secretJSON struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

func secrets(list []entra.Secret) []secretJSON {
	result := make([]secretJSON, 0, len(list))
	for _, s := range list {
		result = append(result, secretJSON(s))
	}
	return result
}

// ValidateCredentials has Entra call the endpoint with the credentials.
func (c *Client) ValidateCredentials(ctx context.Context, servicePrincipal, id string, list []entra.Secret) error {
	return c.tell(ctx, call{operation: "synchronization.validate", safe: true, units: 1}, abstractions.POST, job(servicePrincipal, id, "/validateCredentials"),
		map[string]any{"useSavedCredentials": false, "credentials": secrets(list)})
}

// PutSecrets replaces all stored credentials.
func (c *Client) PutSecrets(ctx context.Context, servicePrincipal string, list []entra.Secret) error {
	return c.tell(ctx, call{operation: "synchronization.secrets", safe: true, units: 1}, abstractions.PUT,
		principal(servicePrincipal, "/synchronization/secrets"), map[string]any{"value": secrets(list)})
}

// JobSchema reads the mappings as Graph has them.
func (c *Client) JobSchema(ctx context.Context, servicePrincipal, id string) (entra.Schema, error) {
	return ask[entra.Schema](ctx, c, call{operation: "synchronization.schema", safe: true, units: 1}, abstractions.GET, job(servicePrincipal, id, "/schema"), nil)
}

// PutJobSchema replaces the mappings as a whole. PATCH, which the SDK has, is answered 404.
func (c *Client) PutJobSchema(ctx context.Context, servicePrincipal, id string, schema entra.Schema) error {
	if len(schema) == 0 || !json.Valid(schema) {
		return badValue("the schema is no JSON")
	}
	return c.tell(ctx, call{operation: "synchronization.put_schema", safe: true, units: 1}, abstractions.PUT, job(servicePrincipal, id, "/schema"), schema)
}

// StartJob starts a job, or goes on with a paused one.
func (c *Client) StartJob(ctx context.Context, servicePrincipal, id string) error {
	return c.tell(ctx, call{operation: "synchronization.start", safe: true, units: 1}, abstractions.POST, job(servicePrincipal, id, "/start"), nil)
}

// PauseJob pauses a job; a cycle under way is finished.
func (c *Client) PauseJob(ctx context.Context, servicePrincipal, id string) error {
	return c.tell(ctx, call{operation: "synchronization.pause", safe: true, units: 1}, abstractions.POST, job(servicePrincipal, id, "/pause"), nil)
}

// RestartJob begins anew what the scope says.
func (c *Client) RestartJob(ctx context.Context, servicePrincipal, id, scope string) error {
	return c.tell(ctx, call{operation: "synchronization.restart", units: 1}, abstractions.POST, job(servicePrincipal, id, "/restart"),
		map[string]any{"criteria": map[string]string{"resetScope": scope}})
}

// DeleteJob deletes a job.
func (c *Client) DeleteJob(ctx context.Context, servicePrincipal, id string) error {
	return c.tell(ctx, call{operation: "synchronization.delete_job", safe: true, units: 1}, abstractions.DELETE, job(servicePrincipal, id, ""), nil)
}
