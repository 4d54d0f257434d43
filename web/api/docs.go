package api

import (
	"bytes"
	"compress/gzip"
	_ "embed" // the page and its style sheet
	"encoding/json"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"
)

//go:embed docs.html
var docsTemplate string

//go:embed docs.css
var docsStyle string

// docsPolicy lets the page load its own style sheet and nothing else: no script, no frame, no other host.
const docsPolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// documents are the descriptions of the API, rendered once. They are kept packed: together they have more than a megabyte, and
// are rarely asked for.
type documents struct{ json, yaml, html []byte }

func render(doc *huma.OpenAPI) (documents, error) {
	var d documents
	plain, err := json.Marshal(doc)
	if err != nil {
		return d, err
	}
	d.json = packed(plain)
	if plain, err = doc.YAML(); err != nil {
		return d, err
	}
	d.yaml = packed(plain)
	t, err := template.New("docs.html").Parse(docsTemplate)
	if err != nil {
		return d, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, newDocsPage(doc))
	d.html = packed(out.Bytes())
	return d, err
}

func packed(plain []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(plain) // into memory
	_ = w.Close()
	return bytes.Clone(b.Bytes()) // without the room that the buffer grew by
}

// mountDocuments serves the descriptions of the API, to everybody. They are rendered when one is asked for first, from routes
// that are registered for that alone: those that serve have shed their descriptions. It panics where they cannot be rendered:
// that is a mistake in this package, which no setting can bring about, and a test renders them.
func (a *API) mountDocuments(version string) {
	all := sync.OnceValue(func() documents {
		described := *a
		described.register(version)
		d, err := render(described.huma.OpenAPI())
		if err != nil {
			panic(err)
		}
		return d
	})
	for _, file := range []struct {
		path, kind string
		content    func() []byte
	}{
		{"/openapi.json", "application/openapi+json", func() []byte { return all().json }},
		{"/openapi.yaml", "application/openapi+yaml", func() []byte { return all().yaml }},
		{"/docs", "text/html; charset=utf-8", func() []byte { return all().html }},
	} {
		a.echo.GET(Base+file.path, func(c echo.Context) error {
			plain, err := gzip.NewReader(bytes.NewReader(file.content()))
			if err != nil {
				return err
			}
			return document(c, file.kind, plain)
		})
	}
	a.echo.GET(Base+"/docs/style.css", func(c echo.Context) error {
		return document(c, "text/css; charset=utf-8", strings.NewReader(docsStyle))
	})
}

func document(c echo.Context, kind string, content io.Reader) error {
	c.Response().Header().Set("Content-Security-Policy", docsPolicy)
	c.Response().Header().Set("Referrer-Policy", "no-referrer")
	return c.Stream(http.StatusOK, kind, content)
}

// docsPage is what the page shows.
type docsPage struct {
	Title, Version, Description, Server string
	Tags                                []docsTag
	Schemas                             []docsSchema
}

type docsTag struct {
	ID, Name, Description string
	Operations            []docsOperation
}

type docsOperation struct {
	ID, Method, Path, Summary string
	Description               []string
	Parameters                []docsField
	Bodies, Answers           []docsBody
}

// docsField is a parameter or a property. Ref, where set, names a schema of the page.
type docsField struct {
	Name, In, Type, Ref, Description string
	Required                         bool
}

// docsBody is what a request or an answer may consist of.
type docsBody struct{ Status, Description, Media, Type, Ref string }

type docsSchema struct {
	Name   string
	Fields []docsField
}

func newDocsPage(doc *huma.OpenAPI) docsPage {
	p := docsPage{Title: doc.Info.Title, Version: doc.Info.Version, Description: doc.Info.Description, Server: doc.Servers[0].URL}
	byTag := map[string][]docsOperation{}
	for _, path := range sortedKeys(doc.Paths) {
		for _, op := range operationsOf(doc.Paths[path]) {
			byTag[op.Tags[0]] = append(byTag[op.Tags[0]], newDocsOperation(op))
		}
	}
	for _, tag := range doc.Tags {
		p.Tags = append(p.Tags, docsTag{strings.ReplaceAll(tag.Name, " ", "-"), tag.Name, tag.Description, byTag[tag.Name]})
	}
	schemas := doc.Components.Schemas.Map()
	for _, name := range sortedKeys(schemas) {
		s := docsSchema{Name: name}
		for _, property := range sortedKeys(schemas[name].Properties) {
			s.Fields = append(s.Fields, newDocsField(property, "", schemas[name].Properties[property],
				slices.Contains(schemas[name].Required, property)))
		}
		p.Schemas = append(p.Schemas, s)
	}
	return p
}

func newDocsOperation(op *huma.Operation) docsOperation {
	d := docsOperation{
		ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary,
		Description: strings.Split(strings.ReplaceAll(op.Description, "`", ""), "\n\n"),
	}
	for _, p := range op.Parameters {
		field := newDocsField(p.Name, p.In, p.Schema, p.Required)
		if p.Description != "" {
			field.Description = strings.ReplaceAll(p.Description, "`", "")
		}
		d.Parameters = append(d.Parameters, field)
	}
	if op.RequestBody != nil {
		d.Bodies = newDocsBodies("", "", op.RequestBody.Content)
	}
	for _, status := range sortedKeys(op.Responses) {
		r := op.Responses[status]
		d.Answers = append(d.Answers, newDocsBodies(status, r.Description, r.Content)...)
	}
	return d
}

func newDocsBodies(status, description string, content map[string]*huma.MediaType) []docsBody {
	if len(content) == 0 {
		return []docsBody{{Status: status, Description: description}}
	}
	var list []docsBody
	for _, media := range sortedKeys(content) {
		kind, ref := typeOf(content[media].Schema)
		list = append(list, docsBody{status, description, media, kind, ref})
	}
	return list
}

func newDocsField(name, in string, s *huma.Schema, required bool) docsField {
	kind, ref := typeOf(s)
	return docsField{Name: name, In: in, Type: kind, Ref: ref, Description: s.Description, Required: required}
}

// typeOf says in words what a schema takes, and which schema of the page says more.
func typeOf(s *huma.Schema) (kind, ref string) {
	switch {
	case s == nil:
		return "anything", ""
	case s.Ref != "":
		name := s.Ref[strings.LastIndex(s.Ref, "/")+1:]
		return name, name
	case s.Type == huma.TypeArray:
		kind, ref = typeOf(s.Items)
		return "list of " + kind, ref
	case s.Type == "":
		kind = "anything"
	default:
		kind = s.Type
	}
	if s.Format != "" {
		kind += " (" + s.Format + ")"
	}
	if len(s.Enum) > 0 {
		var values []string
		for _, v := range s.Enum {
			if text, ok := v.(string); ok {
				values = append(values, text)
			}
		}
		kind = strings.Join(values, " | ")
	}
	if s.Nullable {
		kind += " or null"
	}
	return kind, ""
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
