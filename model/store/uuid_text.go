package store

import "github.com/jackc/pgx/v5/pgtype"

// uuidText is an id as PostgreSQL's binary uuid. Without it pgx would try a list of ids in that form, describe in an error what
// all of them are, and then send them as text.
type uuidText string

// UUIDValue implements pgtype.UUIDValuer.
func (t uuidText) UUIDValue() (id pgtype.UUID, err error) {
	err = id.Scan(string(t))
	return id, err
}

// uuidTextPlan has a text encoded by the plan for an uuidText.
type uuidTextPlan struct{ next pgtype.EncodePlan }

// wrapUUIDText is a pgtype.TryWrapEncodePlanFunc.
func wrapUUIDText(value any) (pgtype.WrappedEncodePlanNextSetter, any, bool) {
	text, ok := value.(string)
	return &uuidTextPlan{}, uuidText(text), ok
}

// SetNext implements pgtype.WrappedEncodePlanNextSetter.
func (p *uuidTextPlan) SetNext(next pgtype.EncodePlan) { p.next = next }

// Encode implements pgtype.EncodePlan.
func (p *uuidTextPlan) Encode(value any, buf []byte) ([]byte, error) {
	text, _ := value.(string) // as wrapUUIDText has seen
	return p.next.Encode(uuidText(text), buf)
}
