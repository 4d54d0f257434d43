package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"usher/directory"
	"usher/model"
	"usher/model/store"
)

// Room is the attention that all requests share; internal/app has it.
type Room interface {
	// Begin waits until the request may be worked on, and gives model.Throttled where that takes too long.
	Begin(ctx context.Context) error
}

// visit is one request of an operator who is signed in and has the right that the route asks for.
type visit struct {
	*Console
	w    http.ResponseWriter
	r    *http.Request
	ctx  context.Context //nolint:containedctx // one request, one context; it names the operator as the actor
	who  directory.SignedInOperator
	org  string // id of the operator's organization: every read and write names it
	read *store.Reader
}

// behind lets a request through to its route if somebody is signed in who has the right.
func (c *Console) behind(route route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, err := c.svc.OperatorSession(r.Context(), c.sessionToken(r))
		if err != nil {
			c.notSignedIn(w, r, err)
			return
		}
		ctx := directory.WithActor(r.Context(), who.Operator.Actor())
		v := &visit{Console: c, w: w, r: r, ctx: ctx, who: who, org: who.Operator.OrganizationID, read: c.store.Read(ctx)}
		if route.right != "" && !who.Operator.Has(route.right) {
			err = model.Errorf(model.Forbidden, "This needs the right “%s”, which you do not have. An operator who manages operators can give it to you.", rightName(route.right))
		} else if err = v.parseForm(); err == nil && c.room != nil {
			err = c.room.Begin(ctx)
		}
		if err == nil {
			err = route.serve(v)
		}
		if err != nil {
			v.fail(err)
		}
	}
}

// The largest body of a form, and of one with a file in it.
const maxForm = 1 << 20

// parseForm reads the form, so that one that is too large or broken is the client's failure.
func (v *visit) parseForm() error {
	if v.r.Method != http.MethodPost {
		return nil
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
	err := v.r.ParseForm()
	if strings.HasPrefix(v.r.Header.Get("Content-Type"), "multipart/form-data") {
		err = v.r.ParseMultipartForm(maxForm)
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return model.Errorf(model.TooLarge, "The form has more than %d KiB.", maxForm>>10)
	}
	if err != nil {
		return model.Errorf(model.Invalid, "The form cannot be read.")
	}
	return nil
}

// can says whether the operator has a right, for what a page offers.
func (v *visit) can(right model.Right) bool { return v.who.Operator.Has(right) }

// query gives one value of the address, without space around it; values of absurd length are cut.
func (v *visit) query(name string) string {
	value := strings.TrimSpace(v.r.URL.Query().Get(name))
	return strings.ToValidUTF8(value[:min(len(value), maxQuery)], "")
}

// maxQuery is how much of a value of an address is looked at, in bytes.
const maxQuery = 256

// field gives one value of the form, without space around it.
func (v *visit) field(name string) string { return strings.TrimSpace(v.r.PostForm.Get(name)) }

// checked says whether a box of the form is ticked.
func (v *visit) checked(name string) bool { return v.r.PostForm.Get(name) != "" }

// number gives a number of the form, or an error that names the field.
func (v *visit) number(name string) (int, error) {
	n, err := strconv.Atoi(v.field(name))
	if err != nil {
		return 0, model.FieldErrorf(model.Invalid, name, "%q is not a whole number", v.field(name))
	}
	return n, nil
}

// ref names the integration of the path, which is of the operator's organization or not there.
func (v *visit) ref() model.Ref {
	return model.Ref{OrganizationID: v.org, IntegrationID: v.r.PathValue("integration")}
}

// integration reads the integration of the path.
func (v *visit) integration() (model.Integration, error) { return v.read.Integration(v.ref()) }

// partial says whether htmx asks for a part of the page.
func (v *visit) partial() bool {
	return v.r.Header.Get("HX-Request") == "true" && v.r.Header.Get("HX-History-Restore-Request") != "true"
}

// redirect sends the browser to another page, after a change.
func (v *visit) redirect(path string) error {
	target := Base + path
	if v.r.Header.Get("HX-Request") == "true" {
		v.w.Header().Set("HX-Redirect", target)
		v.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(v.w, v.r, target, http.StatusSeeOther)
	return nil
}

// done says on the next page what was done, and goes there.
func (v *visit) done(path, sentence string) error {
	v.setNotice(sentence)
	return v.redirect(path)
}

// fail answers with what went wrong, in a sentence; what is Usher's own fault is logged and not told.
func (v *visit) fail(err error) {
	p := v.problem(err)
	if p.Retry > 0 {
		v.w.Header().Set("Retry-After", strconv.Itoa(p.Retry))
	}
	if v.ctx.Err() != nil && model.KindOf(err) == model.Internal {
		return // the browser is gone
	}
	if err := v.status(p.Status, "problem", page{Title: p.Title, Body: p}); err != nil {
		v.log.ErrorContext(v.ctx, "page failed", "err", err)
		http.Error(v.w, p.Detail, p.Status)
	}
}

// problem is an answer that is no page of its own.
type problem struct {
	Status        int
	Title, Detail string
	Icon          string
	Retry         int
}

func (c *Console) problem(err error) problem {
	if t, ok := errors.AsType[*model.Throttled](err); ok {
		return problem{http.StatusTooManyRequests, "Usher is busy", "Too much is asked of Usher at the moment. Try again in a few seconds.", "clock", max(1, int(t.After.Seconds()))}
	}
	known, _ := errors.AsType[*model.Error](err)
	detail := ""
	if known != nil {
		detail = sentence(known.Detail)
	}
	switch model.KindOf(err) {
	case model.NotFound:
		return problem{http.StatusNotFound, "Not found", detail, "search", 0}
	case model.Forbidden:
		return problem{http.StatusForbidden, "You may not do this", detail, "lock", 0}
	case model.Unauthorized:
		return problem{http.StatusUnauthorized, "Please sign in", detail, "lock", 0}
	case model.Invalid:
		return problem{http.StatusBadRequest, "That cannot be taken", detail, "alert-circle", 0}
	case model.Conflict, model.Refused, model.Precondition:
		return problem{http.StatusConflict, "That cannot be done now", detail, "alert-circle", 0}
	case model.TooLarge:
		return problem{http.StatusRequestEntityTooLarge, "That is too much", detail, "alert-circle", 0}
	default:
		c.log.Error("page failed", "err", err)
		return problem{http.StatusInternalServerError, "Something went wrong", "Something went wrong inside Usher. Its log says what; nothing was changed.", "alert-triangle", 0}
	}
}

// sentence makes a failure's detail one: with a capital letter and a full stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	text = strings.ToUpper(text[:1]) + text[1:]
	if !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "?") && !strings.HasSuffix(text, "!") {
		text += "."
	}
	return text
}

// with gives an address of this console with a query; empty values are left out.
func with(path string, pairs ...string) string {
	query := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			query.Set(pairs[i], pairs[i+1])
		}
	}
	if len(query) == 0 {
		return Base + path
	}
	return Base + path + "?" + query.Encode()
}
