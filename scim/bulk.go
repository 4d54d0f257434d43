package scim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"usher/scim/fault"
	"usher/scim/wire"
)

const (
	messageBulkResponse = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
	messagePatch        = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

// The bounds of a bulk request (RFC 7644 §3.7.4), as ServiceProviderConfig tells them.
const (
	maxBulkOperations = 1000
	// bulkTime is how long operations are begun: provisioning services give a request up after 60 seconds, and one that they
	// gave up is sent again.
	bulkTime = 45 * time.Second
)

// maxBulkPayload is the largest bulk request in bytes.
func (h *Handler) maxBulkPayload() int64 { return 8 * h.opt.MaxBody }

// operation is one operation of a bulk request.
type operation struct {
	method  string // in capitals
	bulkID  string
	path    string
	version string
	data    any // as package wire gives it; nil where there is none
	// bad says what is wrong with the operation by itself.
	bad *fault.Error
}

// bulk takes operations on users and groups together (RFC 7644 §3.7). Each goes through the endpoint that it names, in a
// transaction of its own, one after the other.
func (h *Handler) bulk(c *call) (answer, error) {
	c.maxBody = h.maxBulkPayload()
	body, err := c.body()
	if err != nil {
		return answer{}, err
	}
	ops, accepted, err := readBulk(body, c.note)
	if err != nil {
		return answer{}, err
	}
	job := newBulkJob(h, c, ops, accepted)
	job.work()
	text, err := json.Marshal(map[string]any{"schemas": []string{messageBulkResponse}, "Operations": job.results()})
	return answer{status: http.StatusOK, body: text}, err
}

// readBulk reads the envelope. What is wrong with one operation alone is left in the operation; accepted is failOnErrors, 0
// where any number of errors is.
func readBulk(body wire.Body, note func(string)) (ops []operation, accepted int, err error) {
	envelope, ok := body.Value.(*wire.Object)
	if !ok {
		return nil, 0, fault.Syntax("the body is %s; a JSON object with Operations is expected", wire.Describe(body.Value))
	}
	if body.Bad != nil {
		return nil, 0, fault.Value(body.Bad.Path(0), "%s", body.Bad.Reason)
	}
	if accepted, err = failOnErrors(envelope); err != nil {
		return nil, 0, err
	}
	value, sent := envelope.Get("Operations")
	list, ok := value.([]any)
	if !sent {
		return nil, 0, fault.Syntax("the body has no Operations")
	}
	if !ok {
		return nil, 0, fault.Syntax("Operations is %s; a list of operations is expected", wire.Describe(value))
	}
	if len(list) > maxBulkOperations {
		return nil, 0, fault.TooLarge("the request has %d operations; at most %d (maxOperations) are possible", len(list), maxBulkOperations)
	}
	ops = make([]operation, len(list))
	for i := range list {
		ops[i] = readOperation("Operations["+strconv.Itoa(i)+"]", list[i], note)
	}
	unique(ops)
	return ops, accepted, nil
}

func failOnErrors(envelope *wire.Object) (int, error) {
	value, _ := envelope.Get("failOnErrors")
	if value == nil {
		return 0, nil
	}
	number, _ := value.(json.Number)
	n, err := strconv.Atoi(number.String())
	if err != nil || n < 0 {
		return 0, fault.Value("failOnErrors", "must be a whole number, the number of errors after which no operation is begun")
	}
	return n, nil
}

func readOperation(where string, v any, note func(string)) operation {
	o, ok := v.(*wire.Object)
	if !ok {
		return operation{bad: fault.Syntax("%s is %s; an object is expected", where, wire.Describe(v))}
	}
	var op operation
	text := func(name string) string {
		value, _ := o.Get(name)
		s, isText := value.(string)
		if value != nil && !isText && op.bad == nil {
			op.bad = fault.Syntax("%s.%s is %s; a string is expected", where, name, wire.Describe(value))
		}
		return s
	}
	op.method, op.bulkID, op.path, op.version = strings.ToUpper(text("method")), text("bulkId"), text("path"), text("version")
	op.data, _ = o.Get("data")
	if op.bad == nil {
		op.bad = op.check(where, note)
	}
	return op
}

// check says what is wrong with an operation by itself.
func (op *operation) check(where string, note func(string)) *fault.Error {
	switch op.method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	case "":
		return fault.Syntax("%s has no method; POST, PUT, PATCH or DELETE is expected", where)
	default:
		return fault.Syntax("%s has the method %q; POST, PUT, PATCH or DELETE is expected", where, clip(op.method))
	}
	switch {
	case op.path == "":
		return fault.Syntax("%s has no path; one such as /Users or /Groups/{id} is expected", where)
	case strings.ContainsRune(op.path, '?'):
		return fault.Syntax("%s.path has a query; operations of a bulk request have none", where)
	case op.data == nil && op.method != http.MethodDelete:
		return fault.Syntax("%s has no data, which %s needs", where, op.method)
	case op.bulkID == "" && op.method == http.MethodPost:
		note("POST without bulkId") // nothing can refer to it; otherwise it does no harm
	}
	if op.version != "" {
		if _, err := parseVersions(where+".version", []string{op.version}); err != nil {
			return err
		}
	}
	return nil
}

// unique refuses a bulkId that an operation before has: which of the two a reference means cannot be known.
func unique(ops []operation) {
	first := make(map[string]int, len(ops))
	for i := range ops {
		id := ops[i].bulkID
		if id == "" {
			continue
		}
		if j, twice := first[id]; !twice {
			first[id] = i
		} else if ops[i].bad == nil {
			ops[i].bad = fault.Value("bulkId", "Operations[%d] has the bulkId %q already; each operation needs its own", j, clip(id))
		}
	}
}
