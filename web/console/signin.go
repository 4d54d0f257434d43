package console

import (
	"errors"
	"net/http"
	"net/url"

	"usher/directory"
	"usher/model"
)

// door is the page where somebody signs in.
type door struct {
	Form                     *form
	Email, Password, Org     field
	Next                     string
	Entra                    string // address of signing in with Entra; "" without
	Organizations, SignedOut bool
}

// welcome is the page of a link that works once.
type welcome struct {
	Form                   *form
	Purpose                model.LinkPurpose
	Email                  string // of the operator that the link is for
	EmailField, Name, Pass field
	Token                  string
}

// mountSignIn adds what works without being signed in. It is all that does.
func (c *Console) mountSignIn() {
	c.mux.HandleFunc("GET "+Base+"/sign-in", c.open(c.showDoor))
	c.mux.HandleFunc("POST "+Base+"/sign-in", c.open(c.signIn))
	c.mux.HandleFunc("GET "+Base+"/welcome", c.open(c.showWelcome))
	c.mux.HandleFunc("POST "+Base+"/welcome", c.open(c.useLink))
	c.mux.HandleFunc("POST "+Base+"/theme", c.setTheme)
	if c.entra != nil {
		c.mux.HandleFunc("GET "+Base+"/sign-in/entra", c.open(c.toEntra))
		c.mux.HandleFunc("GET "+Base+"/sign-in/entra/return", c.open(c.fromEntra))
	}
}

// open serves somebody who is not signed in.
func (c *Console) open(serve func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxDoor)
		err := r.ParseForm()
		if err != nil {
			err = model.Errorf(model.Invalid, "The form cannot be read.")
		} else if c.room != nil {
			err = c.room.Begin(r.Context())
		}
		if err == nil {
			err = serve(w, r)
		}
		if err != nil && r.Context().Err() == nil {
			p := c.problem(err)
			c.plainPage(w, r, p.Status, p.Title, p.Detail)
		}
	}
}

// maxDoor is the largest form that somebody may send who is not signed in, in bytes.
const maxDoor = 16 << 10

func (c *Console) showDoor(w http.ResponseWriter, r *http.Request) error {
	if _, err := c.svc.OperatorSession(r.Context(), c.sessionToken(r)); err == nil {
		http.Redirect(w, r, ownPath(r.FormValue("next")), http.StatusSeeOther)
		return nil
	}
	return c.door(w, r, http.StatusOK, nil)
}

// door shows where to sign in, with what was wrong the last time.
func (c *Console) door(w http.ResponseWriter, r *http.Request, status int, wrong error) error {
	f := blank("/sign-in", "Sign in", r.Form)
	if wrong != nil {
		if err := f.fail(wrong); err != nil {
			return err
		}
	}
	organizations, err := c.store.Read(r.Context()).OrganizationsAfter("", 2)
	if err != nil {
		return err
	}
	d := door{Form: f, Next: ownPath(r.FormValue("next")), Organizations: len(organizations) > 1, SignedOut: r.FormValue("signed-out") != ""}
	d.Email, d.Password = f.field("email", "email", "E-mail"), f.field("password", "password", "Password")
	d.Email.Autocomplete, d.Password.Autocomplete = "username", "current-password"
	d.Org = f.field("text", "organization", "Organization")
	d.Org.Help, d.Org.Placeholder, d.Org.Autocomplete = "Leave empty for the default organization.", model.DefaultOrganization, "organization"
	if c.entra != nil {
		d.Entra = with("/sign-in/entra", "next", d.Next, "organization", r.FormValue("organization"))
	}
	return c.write(w, status, "signin", "layout.html", page{Title: "Sign in", Bare: true, Theme: theme(r), Version: c.version, Body: d})
}

func (c *Console) signIn(w http.ResponseWriter, r *http.Request) error {
	who, err := c.svc.SignIn(r.Context(), organizationOf(r), r.PostForm.Get("email"), r.PostForm.Get("password"), visitor(r))
	switch {
	case model.KindOf(err) == model.Unauthorized && err != nil:
		return c.door(w, r, http.StatusUnauthorized, err)
	case err != nil:
		return err
	}
	return c.enter(w, r, who, ownPath(r.PostForm.Get("next")))
}

// organizationOf gives the organization that somebody wants to sign in to.
func organizationOf(r *http.Request) string {
	if name := r.FormValue("organization"); name != "" {
		return name
	}
	return model.DefaultOrganization
}

// enter ends the session that the browser had, so that none goes on unseen, and begins the new one.
func (c *Console) enter(w http.ResponseWriter, r *http.Request, who directory.SignedInOperator, next string) error {
	if old, err := c.svc.OperatorSession(r.Context(), c.sessionToken(r)); err == nil {
		if err := c.svc.SignOut(r.Context(), old.Operator.OrganizationID, old.Operator.ID, old.Session.ID); err != nil {
			return err
		}
	}
	c.setSession(w, who.Token)
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// showWelcome shows what a link is for. Looking does not use it up, so that a program that looks at links in mails does no harm.
func (c *Console) showWelcome(w http.ResponseWriter, r *http.Request) error {
	return c.welcome(w, r, http.StatusOK, nil)
}

func (c *Console) welcome(w http.ResponseWriter, r *http.Request, status int, wrong error) error {
	token := r.FormValue("token")
	link, o, err := c.svc.OperatorLink(r.Context(), token)
	if model.KindOf(err) == model.Unauthorized && err != nil {
		known, _ := errors.AsType[*model.Error](err)
		c.plainPage(w, r, http.StatusGone, "This link does not work", known.Detail)
		return nil
	}
	if err != nil {
		return err
	}
	f := blank("/welcome", "Sign in", r.PostForm)
	if wrong != nil {
		if err := f.fail(wrong); err != nil {
			return err
		}
	}
	m := welcome{Form: f, Purpose: link.Purpose, Email: o.Email, Token: token}
	title := "Sign in"
	switch link.Purpose {
	case model.LinkFirst:
		title, f.Submit = "Welcome to Usher", "Make my account"
		m.EmailField, m.Name = f.field("email", "email", "E-mail"), f.field("text", "name", "Name")
		m.EmailField.Autocomplete, m.EmailField.Required, m.Name.Autocomplete = "username", true, "name"
	case model.LinkPassword:
		title, f.Submit = "Choose a password", "Set the password and sign in"
	case model.LinkSignIn:
	}
	m.Pass = f.field("password", "password", "Password")
	m.Pass.Autocomplete, m.Pass.Help, m.Pass.Required = "new-password", "At least 12 characters. A sentence of some words is good.", true
	f.rest()
	return c.write(w, status, "welcome", "layout.html", page{Title: title, Bare: true, Theme: theme(r), Version: c.version, Body: m})
}

func (c *Console) useLink(w http.ResponseWriter, r *http.Request) error {
	who, err := c.svc.UseOperatorLink(r.Context(), r.PostForm.Get("token"), directory.NewOperator{
		Email: r.PostForm.Get("email"), Name: r.PostForm.Get("name"), Password: r.PostForm.Get("password"),
	}, visitor(r))
	if kind := model.KindOf(err); err != nil && kind != model.Internal {
		return c.welcome(w, r, http.StatusUnprocessableEntity, err)
	}
	if err != nil {
		return err
	}
	return c.enter(w, r, who, Base)
}

// setTheme keeps light or dark for this browser; nobody needs to be signed in for that.
func (c *Console) setTheme(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxDoor)
	value := r.PostFormValue("theme")
	if value != "light" && value != "dark" {
		value = ""
	}
	cookie := &http.Cookie{Name: cookieTheme, Value: value, Path: Base, MaxAge: 365 * 24 * 3600, Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if value == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
	http.Redirect(w, r, ownPath(r.PostFormValue("next")), http.StatusSeeOther)
}

// signOut ends the session here.
func (v *visit) signOut() error {
	if err := v.svc.SignOut(v.ctx, v.org, v.who.Operator.ID, v.who.Session.ID); err != nil {
		return err
	}
	v.setSession(v.w, "")
	http.Redirect(v.w, v.r, Base+"/sign-in?"+url.Values{"signed-out": {"1"}}.Encode(), http.StatusSeeOther)
	return nil
}
