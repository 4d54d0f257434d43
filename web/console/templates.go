package console

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"sync"
	"time"

	"usher/model"
)

//go:embed *.html
var templateFiles embed.FS

// frames are the files that every page is parsed with: the frame around it, and the components that pages are made of.
func frames() []string { return []string{"layout.html", "components.html", "charts.html", "live.html"} }

// pages are the parsed templates by name: people for people.html. Each is parsed when it is asked for first, since all of them
// would hold memory in a process whose console nobody looks at; a test parses every one.
type pages struct {
	mu     sync.Mutex
	parsed map[string]*template.Template
}

// template gives the templates of a page: its own, those of the frame around it, and the components.
func (c *Console) template(name string) (*template.Template, error) {
	c.pages.mu.Lock()
	defer c.pages.mu.Unlock()
	if t, ok := c.pages.parsed[name]; ok {
		return t, nil
	}
	t, err := template.New("layout.html").Funcs(c.functions()).ParseFS(templateFiles, append(frames(), name+".html")...)
	if err != nil {
		return nil, err
	}
	if c.pages.parsed == nil {
		c.pages.parsed = map[string]*template.Template{}
	}
	c.pages.parsed[name] = t
	return t, nil
}

// functions are what templates can ask.
func (c *Console) functions() template.FuncMap {
	return template.FuncMap{
		"asset": c.assets.url,
		"icon":  c.assets.icon,
		"base":  func(path string) string { return Base + strings.TrimSuffix(path, "/") },
		"with":  with,
		"time":  func(t any) (moment, error) { return momentOf(t, c.now()) },
		"right": rightName,
		"count": count,
		"plural": func(n int, one, many string) string {
			if n == 1 {
				return count(n) + " " + one
			}
			return count(n) + " " + many
		},
		"list":   func(items ...any) []any { return items },
		"status": accountStatus,
		"join":   func(list []string) string { return strings.Join(list, ", ") },
	}
}

// page is what the frame needs around the body of a page. A handler sets Title, Body and, where it is not the path's, Crumbs.
type page struct {
	Title  string
	Lead   string // a sentence under the title
	Crumbs []crumb
	Body   any // the view model of the page's template

	// What follows is set by the frame.
	Me      me
	Nav     []navItem
	Notice  string
	Theme   string // light, dark or "" for the system's
	Query   string // what is searched for
	Path    string // of this page with its query, to come back to
	Version string
	Bare    bool // without navigation: nobody is signed in
}

// crumb is one step of the way to a page. Path is below Base.
type crumb struct{ Name, Path string }

// me is who is signed in.
type me struct{ Name, Email, Initials, Organization string }

func (v *visit) me() me {
	o := v.who.Operator
	m := me{Name: o.Name, Email: o.Email}
	if m.Name == "" {
		m.Name = o.Email
	}
	m.Initials = initials(m.Name)
	if org, err := v.read.Organization(v.org); err == nil && org.Slug != model.DefaultOrganization {
		m.Organization = org.Name
	}
	return m
}

// render answers with a whole page: the frame around the template "content" of the file.
func (v *visit) render(name string, p page) error { return v.status(http.StatusOK, name, p) }

// status is render with another status than 200.
func (v *visit) status(status int, name string, p page) error {
	p.Me, p.Nav, p.Theme, p.Version = v.me(), v.nav(v.r.URL.Path), theme(v.r), v.version
	p.Notice, p.Path = v.takeNotice(), v.r.URL.RequestURI()
	if v.r.URL.Path == Base+"/people" {
		p.Query = v.query("q")
	}
	if p.Title == "" {
		return fmt.Errorf("page %s has no title", name)
	}
	return v.write(v.w, status, name, "layout.html", p)
}

// fragment answers with one template of a file alone, for htmx.
func (v *visit) fragment(name, part string, body any) error {
	return v.write(v.w, http.StatusOK, name, part, body)
}

// part executes one template of a file.
func (c *Console) part(name, part string, data any) ([]byte, error) {
	t, err := c.template(name)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.ExecuteTemplate(&b, part, data)
	return b.Bytes(), err
}

// write executes a template before anything is sent, so that one that fails is a failure and not half a page.
func (c *Console) write(w http.ResponseWriter, status int, name, part string, data any) error {
	html, err := c.part(name, part, data)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Vary", "HX-Request")
	w.WriteHeader(status)
	_, _ = w.Write(html) // the browser is gone where this fails
	return nil
}

// plainPage answers where nobody is known to be signed in.
func (c *Console) plainPage(w http.ResponseWriter, r *http.Request, status int, title, detail string) {
	p := page{Title: title, Bare: true, Theme: theme(r), Version: c.version, Body: problem{status, title, detail, "alert-circle", 0}}
	if err := c.write(w, status, "problem", "layout.html", p); err != nil {
		c.log.Error("page failed", "err", err)
		http.Error(w, detail, http.StatusInternalServerError)
	}
}

// moment is a time as pages tell it: how long ago, and exactly.
type moment struct{ Ago, Exact, Machine string }

func momentOf(t any, now time.Time) (moment, error) {
	var at time.Time
	switch t := t.(type) {
	case time.Time:
		at = t
	case *time.Time:
		if t != nil {
			at = *t
		}
	default:
		return moment{}, fmt.Errorf("%T is no time", t)
	}
	if at.IsZero() {
		return moment{Ago: "never"}, nil
	}
	return moment{ago(now.Sub(at)), at.UTC().Format("2 Jan 2006 15:04:05 UTC"), at.UTC().Format(time.RFC3339)}, nil
}

// ago says how long something is past or ahead.
func ago(d time.Duration) string {
	past := d >= 0
	if !past {
		d = -d
	}
	var text string
	switch {
	case d < 45*time.Second:
		if past {
			return "just now"
		}
		return "in a moment"
	case d < 90*time.Minute:
		text = quantity(int((d+30*time.Second)/time.Minute), "minute")
	case d < 36*time.Hour:
		text = quantity(int((d+30*time.Minute)/time.Hour), "hour")
	default:
		text = quantity(int((d+12*time.Hour)/(24*time.Hour)), "day")
	}
	if past {
		return text + " ago"
	}
	return "in " + text
}

func quantity(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return count(n) + " " + unit + "s"
}

// count writes a number with its thousands apart.
func count(n int) string {
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0 && text[at-1] != '-'; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// initials gives up to two letters of a name.
func initials(name string) string {
	var letters []rune
	for _, word := range strings.Fields(name) {
		letters = append(letters, []rune(word)[0])
	}
	if len(letters) > 2 {
		letters = []rune{letters[0], letters[len(letters)-1]}
	}
	return strings.ToUpper(string(letters))
}

// rightName says what a right allows.
func rightName(r model.Right) string {
	switch r {
	case model.RightAll:
		return "everything"
	case model.RightRead:
		return "view"
	case model.RightManageAccounts:
		return "manage people's accounts"
	case model.RightManageSettings:
		return "edit mappings, exclusions, roles and sites"
	case model.RightManageIntegrations:
		return "manage integrations"
	case model.RightRemoveIntegrations:
		return "remove integrations"
	case model.RightRun:
		return "run imports and previews"
	case model.RightManageKeys:
		return "manage API keys"
	case model.RightManageEntra:
		return "manage people in Entra"
	case model.RightManageCalendars:
		return "manage calendars"
	case model.RightManageOperators:
		return "manage operators"
	}
	return string(r)
}

// actorName gives who acted, in words.
func actorName(actor string) string {
	switch kind, name, _ := strings.Cut(actor, ":"); kind {
	case "operator":
		return name
	case "api-key":
		return "API key " + name
	case "entra":
		return "Entra"
	case "cli":
		return "the command line"
	case "system":
		return "Usher"
	case "run":
		return "a run"
	case "installation-key":
		return "the installation's key"
	}
	return actor
}
