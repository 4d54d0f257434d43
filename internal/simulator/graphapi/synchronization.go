package graphapi

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"usher/internal/simulator"
	"usher/internal/simulator/entraid"
	"usher/model/entra"
)

func renderJob(j entra.Job) object {
	st := j.Status
	status := object{
		"code": st.Code, "countSuccessiveCompleteFailures": st.SuccessiveFailures, "escrowsPruned": false, "troubleshootingUrl": st.TroubleshootingURL,
		"lastExecution": renderExecution(st.Last), "lastSuccessfulExecution": renderExecution(st.LastSuccessful),
		"lastSuccessfulExecutionWithExports": nil, "quarantine": renderQuarantine(st.Quarantine), "progress": []object{},
		"steadyStateFirstAchievedTime": stamp(st.SteadyStateAt), "steadyStateLastAchievedTime": stamp(st.SteadyStateAt),
	}
	entries := []object{}
	for _, name := range []string{"User", "Group"} {
		if n, ok := st.Synchronized[name]; ok {
			entries = append(entries, object{"key": name, "value": n})
		}
	}
	status["synchronizedEntryCountByType"] = entries
	return object{
		"id": j.ID, "templateId": j.TemplateID, "schedule": object{"state": j.State, "interval": "PT40M", "expiration": nil},
		"status": status, "synchronizationJobSettings": []object{},
	}
}

func renderExecution(e *entra.JobExecution) any {
	if e == nil {
		return nil
	}
	o := object{
		"activityIdentifier": newID(), "state": e.State, "timeBegan": stamp(e.Begun), "timeEnded": stamp(e.Ended), "countImported": e.Imported,
		"countExported": e.Exported, "countEscrowed": e.Escrowed, "countEntitled": e.Entitled, "error": nil,
	}
	if e.ErrorCode != "" {
		o["error"] = object{"code": e.ErrorCode, "message": e.ErrorMessage, "tenantActionable": e.Action != ""}
	}
	return o
}

func renderQuarantine(q *entra.Quarantine) any {
	if q == nil {
		return nil
	}
	return object{
		"reason": q.Reason, "currentBegan": stamp(q.Begun), "nextAttempt": stamp(q.NextAttempt), "seriesBegan": stamp(q.Begun), "seriesCount": 1,
		"error": object{"code": q.ErrorCode, "message": q.ErrorMessage, "tenantActionable": true},
	}
}

// syncTemplates answers GET …/synchronization/templates.
func (s *Server) syncTemplates(ctx context.Context, c *call) (answer, error) {
	ids, err := s.as(c).Templates(ctx, c.vars["principal"])
	if err != nil {
		return answer{}, err
	}
	values := make([]object, 0, len(ids))
	for i, id := range ids {
		values = append(values, object{"id": id, "factoryTag": id, "default": i == 0, "discoverable": false, "metadata": []object{}})
	}
	return jsonAnswer(http.StatusOK, s.collection(c, "templates", values, ""))
}

// syncJobs answers GET …/synchronization/jobs.
func (s *Server) syncJobs(ctx context.Context, c *call) (answer, error) {
	jobs, err := s.as(c).Jobs(ctx, c.vars["principal"])
	if err != nil {
		return answer{}, err
	}
	values := make([]object, 0, len(jobs))
	for _, j := range jobs {
		values = append(values, renderJob(j))
	}
	return jsonAnswer(http.StatusOK, s.collection(c, "jobs", values, ""))
}

// createSyncJob answers POST …/synchronization/jobs.
func (s *Server) createSyncJob(ctx context.Context, c *call) (answer, error) {
	fields, err := c.fields("synchronizationJob", "templateId")
	if err != nil {
		return answer{}, err
	}
	r := &reader{fields: fields}
	template := r.text("templateId")
	if r.err != nil {
		return answer{}, r.err
	}
	j, err := s.as(c).CreateJob(ctx, c.vars["principal"], template)
	if err != nil {
		return answer{}, err
	}
	return jsonAnswer(http.StatusCreated, renderJob(j))
}

// syncJob answers GET …/synchronization/jobs/{id}.
func (s *Server) syncJob(ctx context.Context, c *call) (answer, error) {
	j, err := s.as(c).Job(ctx, c.vars["principal"], c.vars["job"])
	if err != nil {
		return answer{}, err
	}
	return jsonAnswer(http.StatusOK, renderJob(j))
}

// actOnJob answers DELETE …/jobs/{id} and POST …/jobs/{id}/start, pause and restart.
func (s *Server) actOnJob(ctx context.Context, c *call) (answer, error) {
	sp, id, as := c.vars["principal"], c.vars["job"], s.as(c)
	if c.method == http.MethodDelete {
		return noContent(as.DeleteJob(ctx, sp, id))
	}
	switch strings.ToLower(plain(c.segments[len(c.segments)-1])) {
	case "start":
		return noContent(as.StartJob(ctx, sp, id))
	case "pause":
		return noContent(as.PauseJob(ctx, sp, id))
	}
	fields, err := c.fields("restart", "criteria")
	if err != nil {
		return answer{}, err
	}
	criteria := (&reader{fields: fields}).inner("criteria", "synchronizationJobRestartCriteria", "resetScope")
	scope := criteria.text("resetScope")
	if criteria.err != nil {
		return answer{}, criteria.err
	}
	return noContent(as.RestartJob(ctx, sp, id, scope))
}

// readSecrets reads pairs of key and value; nil where there is no such member.
func (r *reader) readSecrets(name string) []entra.Secret {
	var list []entra.Secret
	for _, one := range r.objects(name, "synchronizationSecretKeyStringValuePair", "key", "value") {
		list = append(list, entra.Secret{Key: one.text("key"), Value: one.text("value")})
		r.fail(one.err)
	}
	return list
}

// validateCredentials answers POST …/jobs/{id}/validateCredentials.
func (s *Server) validateCredentials(ctx context.Context, c *call) (answer, error) {
	fields, err := c.fields("validateCredentials", "useSavedCredentials", "credentials", "templateId", "applicationIdentifier")
	if err != nil {
		return answer{}, err
	}
	r := &reader{fields: fields}
	secrets := r.readSecrets("credentials")
	if saved := r.flag("useSavedCredentials"); saved != nil && *saved {
		secrets = nil
	} else if secrets == nil {
		secrets = []entra.Secret{}
	}
	if r.err != nil {
		return answer{}, r.err
	}
	return noContent(s.as(c).ValidateCredentials(ctx, c.vars["principal"], c.vars["job"], secrets))
}

// syncSecrets answers GET and PUT …/synchronization/secrets.
func (s *Server) syncSecrets(ctx context.Context, c *call) (answer, error) {
	if c.method == http.MethodPut {
		fields, err := c.fields("secrets", "value")
		if err != nil {
			return answer{}, err
		}
		r := &reader{fields: fields}
		secrets := r.readSecrets("value")
		if r.err != nil {
			return answer{}, r.err
		}
		return noContent(s.as(c).PutSecrets(ctx, c.vars["principal"], secrets))
	}
	list, err := s.as(c).Secrets(ctx, c.vars["principal"])
	if err != nil {
		return answer{}, err
	}
	values := []object{}
	for _, one := range list {
		values = append(values, object{"key": one.Key, "value": one.Value})
	}
	return jsonAnswer(http.StatusOK, s.collection(c, "secrets", values, ""))
}

// syncSchema answers GET and PUT …/jobs/{id}/schema. The service knows no PATCH, whatever the metadata says.
func (s *Server) syncSchema(ctx context.Context, c *call) (answer, error) {
	switch c.method {
	case http.MethodPut:
		return noContent(s.as(c).PutJobSchema(ctx, c.vars["principal"], c.vars["job"], json.RawMessage(slices.Clone(c.body))))
	case http.MethodPatch:
		a, err := jsonAnswer(http.StatusNotFound, object{
			"Message": "No HTTP resource was found that matches the request URI 'https://syncfabric.windowsazure.com/api/v1.0" + c.path() + "'.",
		})
		return a, err
	}
	raw, err := s.as(c).JobSchema(ctx, c.vars["principal"], c.vars["job"])
	if err != nil {
		return answer{}, err
	}
	return jsonAnswer(http.StatusOK, raw)
}

// onDemand answers POST …/jobs/{id}/provisionOnDemand with one subject. Both strings of the answer hold JSON.
func (s *Server) onDemand(ctx context.Context, c *call) (answer, error) {
	type linked struct {
		ID string `json:"objectId"`
	}
	var body struct {
		Parameters []struct {
			Rule     string `json:"ruleId"`
			Subjects []struct {
				ID    string `json:"objectId"`
				Type  string `json:"objectTypeName"`
				Links struct {
					Members []linked `json:"members"`
				} `json:"links"`
			} `json:"subjects"`
		} `json:"parameters"`
	}
	if json.Unmarshal(c.body, &body) != nil || len(body.Parameters) != 1 || len(body.Parameters[0].Subjects) != 1 {
		return answer{}, badRequest("Exactly one parameter with one subject is required.")
	}
	raw, err := s.as(c).JobSchema(ctx, c.vars["principal"], c.vars["job"])
	if err != nil {
		return answer{}, err
	}
	if rule, err := entraid.RuleID(raw); err != nil || rule != body.Parameters[0].Rule {
		return answer{}, badRequest("The rule " + body.Parameters[0].Rule + " is not one of the schema.")
	}
	subject := body.Parameters[0].Subjects[0]
	var members []string
	for _, m := range subject.Links.Members {
		members = append(members, m.ID)
	}
	report, err := s.as(c).ProvisionOnDemand(ctx, c.vars["principal"], c.vars["job"], subject.ID, members...)
	if err != nil {
		return answer{}, err
	}
	return jsonAnswer(http.StatusOK, onDemandAnswer(report))
}

func onDemandAnswer(report *simulator.Report) object {
	result, steps := "Success", []object{}
	for _, e := range report.Entries {
		switch e.Outcome {
		case simulator.OutcomeFailure:
			result = "Failure"
		case simulator.OutcomeSkipped:
			if result == "Success" {
				result = "Skipped"
			}
		case simulator.OutcomeSuccess:
		}
		steps = append(steps, object{
			"name": string(e.Action), "provisioningStepType": "export", "status": strings.ToLower(string(e.Outcome)), "description": e.String(),
			"details": object{"code": string(e.Code), "reason": e.Reason, "targetId": e.TargetID},
		})
	}
	if report.State != simulator.StateActive {
		result = "Failure"
	}
	key, _ := json.Marshal(object{"result": result, "details": object{"cycle": report.Cycle, "at": report.Ended.UTC().Format(time.RFC3339)}})
	value, _ := json.Marshal(object{"provisioningSteps": steps})
	return object{"key": string(key), "value": string(value)}
}
