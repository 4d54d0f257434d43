package console

import "usher/model"

// acknowledged says of each alarm whether somebody has acknowledged what it tells of, and whether the operator may.
func (v *visit) acknowledged(list []*acknowledge) error {
	known, err := v.read.Acknowledgements(v.org)
	if err != nil {
		return err
	}
	by := map[string]model.Acknowledgement{}
	for _, a := range known {
		by[a.Alarm] = a
	}
	for _, a := range list {
		a.Offer = v.can(model.RightManageIntegrations)
		if is, ok := by[a.Alarm]; ok && is.Occurrence == a.Occurrence {
			a.By, a.At, a.Offer = actorName(is.Actor), is.At, false
		}
	}
	return nil
}

// everyAlarm gives the alarms and the lights of an organization, with who acknowledged what.
func (v *visit) everyAlarm(integrations []model.Integration) (alarms []alarm, lights []light, err error) {
	var all []*acknowledge
	for _, i := range integrations {
		l, err := v.integrationLight(i)
		if err != nil {
			return nil, nil, err
		}
		if l.Attention {
			l.Ack = &acknowledge{Alarm: "integration:" + i.ID, Occurrence: l.Occurrence, Title: i.Name + ": " + l.Sentence}
			all = append(all, l.Ack)
		}
		lights = append(lights, l)
	}
	if alarms, err = v.alarms(integrations); err != nil {
		return nil, nil, err
	}
	for _, a := range alarms {
		all = append(all, a.Ack)
	}
	return alarms, lights, v.acknowledged(all)
}

// acknowledgeAlarm stores that the operator has seen an alarm as it is now: one that has changed meanwhile is to be looked at again.
func (v *visit) acknowledgeAlarm() error {
	integrations, err := v.read.Integrations(v.org)
	if err != nil {
		return err
	}
	alarms, lights, err := v.everyAlarm(integrations)
	if err != nil {
		return err
	}
	var all []*acknowledge
	for _, a := range alarms {
		all = append(all, a.Ack)
	}
	for _, l := range lights {
		if l.Ack != nil {
			all = append(all, l.Ack)
		}
	}
	for _, a := range all {
		if a.Alarm != v.field("alarm") || a.Occurrence != v.field("occurrence") {
			continue
		}
		if a.By == "" {
			err = v.svc.AcknowledgeAlarm(v.ctx, v.org, a.Alarm, a.Occurrence, a.Title)
		}
		if err != nil {
			return err
		}
		return v.done("/", "Acknowledged. It is told of again when it happens anew.")
	}
	return model.Errorf(model.Conflict, "This is over, or something else has happened meanwhile. Go back to Home and look again.")
}
