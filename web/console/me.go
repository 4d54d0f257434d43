package console

import (
	"strings"

	"usher/model"
)

func (c *Console) meRoutes() []route {
	return []route{
		get("/me", "", (*visit).showMe),
		post("/me/password", "", (*visit).changePassword),
		post("/me/sessions/end", "", (*visit).endOtherSessions),
		post("/sign-out", "", (*visit).signOut),
	}
}

// meView is the operator's own page.
type meView struct {
	Email, Name  string
	Rights       []string
	Sessions     []sessionRow
	Form         *form
	Present, New field
	HasPassword  bool
}

type sessionRow struct {
	Here              bool
	Method, Address   string
	Browser           string
	CreatedAt, SeenAt any
	ExpiresAt         any
}

func (v *visit) showMe() error { return v.mePage(v.newForm("/me/password", "Change the password")) }

// mePage shows the operator's own page with the form of the password as it stands.
func (v *visit) mePage(f *form) error {
	o := v.who.Operator
	view := meView{Email: o.Email, Name: o.Name, Form: f, HasPassword: o.PasswordHash != ""}
	for _, r := range o.Rights {
		view.Rights = append(view.Rights, rightName(r))
	}
	sessions, err := v.read.OperatorSessions(v.org, o.ID, 50)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		view.Sessions = append(view.Sessions, sessionRow{
			Here: s.ID == v.who.Session.ID, Method: methodName(s.Method), Address: s.RemoteAddress, Browser: browser(s.UserAgent),
			CreatedAt: s.CreatedAt, SeenAt: s.SeenAt, ExpiresAt: s.ExpiresAt,
		})
	}
	view.Present = f.field("password", "present", "Present password")
	view.New = f.field("password", "password", "New password")
	view.Present.Autocomplete, view.New.Autocomplete = "current-password", "new-password"
	view.New.Help = "At least 12 characters. A sentence of some words is good."
	f.rest()
	return v.render("me", page{Title: "Your account", Body: view})
}

func methodName(m model.SignInMethod) string {
	switch m {
	case model.SignInEntra:
		return "Microsoft Entra"
	case model.SignInLink:
		return "a link"
	case model.SignInPassword:
		return "a password"
	}
	return string(m)
}

// browser gives the browser and the system that a user agent claims, as far as a person cares.
func browser(agent string) string {
	pick := func(pairs ...string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if strings.Contains(agent, pairs[i]) {
				return pairs[i+1]
			}
		}
		return ""
	}
	name := pick("Edg/", "Edge", "OPR/", "Opera", "Firefox/", "Firefox", "Chrome/", "Chrome", "Safari/", "Safari")
	system := pick("Windows", "Windows", "Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "Mac OS", "macOS", "Linux", "Linux")
	switch {
	case name == "":
		return "another program"
	case system == "":
		return name
	}
	return name + " on " + system
}

func (v *visit) changePassword() error {
	if err := v.svc.ChangeOwnPassword(v.ctx, v.who, v.r.PostForm.Get("present"), v.r.PostForm.Get("password")); err != nil {
		f := v.newForm("/me/password", "Change the password")
		if err := f.fail(err); err != nil {
			return err
		}
		return v.mePage(f)
	}
	return v.done("/me", "Your password is changed. You are signed out everywhere else.")
}

func (v *visit) endOtherSessions() error {
	if err := v.svc.EndOtherSessions(v.ctx, v.who); err != nil {
		return err
	}
	return v.done("/me", "You are signed out everywhere else.")
}
