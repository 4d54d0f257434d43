package scim_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"usher/model/store"
	"usher/model/store/storetest"
	"usher/scim"
)

// update is a flag of this package's tests: with it the answers in the stories are rewritten from what the server says.
// Read the difference before you keep it.
func update(t *testing.T) bool {
	t.Helper()
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

// TestMain declares the flag; package variables are not needed for it.
func TestMain(m *testing.M) {
	flag.Bool("update", false, "rewrite the answers in testdata from what the server says")
	flag.Parse()
	os.Exit(m.Run())
}

// TestStories plays every file below testdata; testdata/README.md says how they are written.
func TestStories(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	if update(t) {
		playAll(t, files, storetest.OpenSQLite)
		return
	}
	for _, db := range storetest.Databases() {
		t.Run(db.Name, func(t *testing.T) {
			t.Parallel()
			playAll(t, files, db.Open)
		})
	}
}

// playAll plays every story in an organization of its own, and one that moves the time, which is everybody's, in a
// database of its own.
func playAll(t *testing.T, files []string, open storetest.Open) {
	t.Helper()
	db := open(t)
	for _, file := range files {
		name := strings.TrimPrefix(strings.TrimSuffix(filepath.ToSlash(file), ".txtar"), "testdata/")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			mine := db
			if slices.ContainsFunc(archive.Files, func(f txtar.File) bool { return strings.HasPrefix(f.Name, "day ") }) {
				mine = open(t)
			}
			play(t, file, archive, mine)
		})
	}
}

func play(t *testing.T, file string, archive *txtar.Archive, db *store.Store) {
	t.Helper()
	w := newWorld(t, db)
	s := story{
		t: t, world: w, handler: w.handler(scim.Options{}), update: update(t), ids: map[string]string{}, looked: map[string]int{},
	}
	for i := range archive.Files {
		s.section(&archive.Files[i])
	}
	s.mustHaveSucceeded()
	if s.answers == 0 {
		t.Error("the story expects nothing")
	}
	if s.update {
		if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

type story struct {
	t       *testing.T
	world   world
	handler http.Handler
	update  bool
	got     *httptest.ResponseRecorder
	ids     map[string]string // by name
	answers int
	request string
	looked  map[string]int // how many changes there were when the story last looked, by account
	refusal error          // of the step before, that the story has not spoken of yet
}

func (s *story) section(f *txtar.File) {
	s.t.Helper()
	word, rest, _ := strings.Cut(f.Name, " ")
	if word != "refused" {
		s.mustHaveSucceeded()
	}
	switch word {
	case "request":
		s.send(rest, string(f.Data))
	case "repeat":
		s.repeat(rest, string(f.Data))
	case "discoverable":
		s.answers++
		s.discoverable(string(f.Data))
	case "together":
		s.together(rest, string(f.Data))
	case "answer":
		s.answers++
		if s.update {
			s.record(f)
			return
		}
		if want, err := strconv.Atoi(rest); err != nil || s.got.Code != want {
			s.t.Fatalf("%s\nstatus %d, want %s\n%s", s.request, s.got.Code, rest, s.got.Body)
		}
		s.check(string(f.Data))
	case "settings":
		s.refusal = s.set(rest, string(f.Data))
	case "by-hand":
		s.refusal = s.byHand(string(f.Data))
	case "day":
		s.refusal = s.day(rest)
	default:
		s.expect(f, s.look(word, rest))
	}
}

// look gives what a section that expects something is compared with.
func (s *story) look(word, rest string) string {
	s.t.Helper()
	switch word {
	case "changes":
		return s.changes()
	case "refused":
		if s.refusal == nil {
			s.t.Fatal("nothing was refused")
		}
		text := s.refusal.Error() + "\n"
		s.refusal = nil
		return text
	case "account":
		return s.told(rest)
	case "accounts":
		return s.accounts()
	case "directory-user":
		return s.mirrored(rest)
	case "run":
		return s.run()
	}
	s.t.Fatalf("unknown section %q", word)
	return ""
}

// expect compares what there is with what the section says, or rewrites the section.
func (s *story) expect(f *txtar.File, got string) {
	s.t.Helper()
	if s.update {
		f.Data = []byte(got)
	} else if want := strings.TrimSpace(string(f.Data)); strings.TrimSpace(got) != want {
		s.t.Errorf("%s:\n%s\nwant:\n%s", f.Name, got, want)
	}
}

// mustHaveSucceeded fails the story when the step before was refused and the story does not say so.
func (s *story) mustHaveSucceeded() {
	s.t.Helper()
	if s.refusal != nil {
		s.t.Fatalf("refused: %v", s.refusal)
	}
}

// changes gives the change feed of the story, one entry a line: the type, and the id of the subject where the story
// has a name for it.
func (s *story) changes() string {
	var out strings.Builder
	changes, _ := s.world.changes(s.t)
	for _, c := range changes {
		out.WriteString(string(c.Type))
		for name, id := range s.ids {
			if id == c.SubjectID {
				out.WriteString(" {{id:" + name + "}}")
			}
		}
		out.WriteByte('\n')
	}
	return out.String()
}

// fill puts in what placeholders of a request stand for.
func (s *story) fill(text string) string {
	text = strings.ReplaceAll(text, "{{base}}", publicURL+"/scim/v2/"+s.world.integration)
	for name, id := range s.ids {
		text = strings.ReplaceAll(text, "{{id:"+name+"}}", id)
	}
	return text
}

func (s *story) send(integration, text string) {
	s.t.Helper()
	request := s.build(s.world.enter(s.t, integration), text)
	s.got = httptest.NewRecorder()
	s.handler.ServeHTTP(s.got, request)
	if got := s.got.Header().Get("Content-Type"); got != "application/scim+json; charset=utf-8" {
		s.t.Fatalf("%s: Content-Type %q", s.request, got)
	}
}

// build makes the request that a section holds.
func (s *story) build(w world, text string) *http.Request {
	s.t.Helper()
	head, body, _ := strings.Cut(s.fill(text), "\n\n")
	first, headers, _ := strings.Cut(strings.TrimSpace(head), "\n")
	method, path, _ := strings.Cut(first, " ")
	if strings.Contains(first, "{{id:") {
		s.t.Fatalf("the request names an id that no answer gave: %s", first)
	}
	var reader *bytes.Reader
	if body = strings.TrimSpace(body); body != "" {
		reader = bytes.NewReader([]byte(body))
	} else {
		reader = bytes.NewReader(nil)
	}
	request := httptest.NewRequest(method, "/scim/v2/"+w.integration+path, reader)
	request.Header.Set("Authorization", "Bearer "+w.token)
	for line := range strings.SplitSeq(headers, "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			request.Header.Set(name, strings.TrimSpace(value))
		}
	}
	s.request = first
	return request
}

// split takes the header lines, which begin with a capital letter, from the JSON below them.
func split(text string) (headers []string, body string) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if line == "" || line[0] < 'A' || line[0] > 'Z' {
			return lines[:i], strings.TrimSpace(strings.Join(lines[i:], "\n"))
		}
	}
	return lines, ""
}

func (s *story) check(text string) {
	s.t.Helper()
	headers, body := split(text)
	defer func() { // after the body, which gives ids their names
		for _, line := range headers {
			name, want, _ := strings.Cut(line, ":")
			if got := s.got.Header().Get(name); got != s.fill(strings.TrimSpace(want)) {
				s.t.Errorf("%s\n%s: %q, want %q", s.request, name, got, strings.TrimSpace(want))
			}
		}
	}()
	if body == "" {
		if s.got.Body.Len() > 0 {
			s.t.Errorf("%s\nno body is wanted, but there is\n%s", s.request, s.got.Body)
		}
		return
	}
	var want, got any
	if err := json.Unmarshal([]byte(body), &want); err != nil {
		s.t.Fatalf("%s\nthe wanted answer is not JSON: %v", s.request, err)
	}
	if err := json.Unmarshal(s.got.Body.Bytes(), &got); err != nil {
		s.t.Fatalf("%s\nthe answer is not JSON: %v\n%s", s.request, err, s.got.Body)
	}
	if err := s.match("", want, got); err != nil {
		s.t.Errorf("%s\n%v\nanswer: %s", s.request, err, s.got.Body)
	}
}

// record rewrites an answer from what the server says, with placeholders for ids and without meta unless the story
// asked for it.
func (s *story) record(f *txtar.File) {
	headers, body := split(string(f.Data))
	f.Name = "answer " + strconv.Itoa(s.got.Code)
	var got any
	if err := json.Unmarshal(s.got.Body.Bytes(), &got); err != nil {
		f.Data = []byte(strings.Join(headers, "\n"))
		return
	}
	if strings.Contains(body, `"..."`) {
		s.check(string(f.Data))
		return
	}
	s.name(got)
	if !strings.Contains(body, `"meta"`) {
		dropMeta(got)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(got); err != nil {
		s.t.Fatal(err)
	}
	text := strings.ReplaceAll(out.String(), publicURL+"/scim/v2/"+s.world.integration, "{{base}}")
	for name, id := range s.ids {
		text = strings.ReplaceAll(text, id, "{{id:"+name+"}}")
	}
	text = regexp.MustCompile(`"20\d\d-\d\d-\d\dT[0-9:.]+Z"(,?)\n`).ReplaceAllString(text, "\"{{any}}\"$1\n")
	f.Data = []byte(strings.Join(append(headers, text), "\n"))
}

// name gives ids that are new a name from the userName or displayName.
func (s *story) name(v any) {
	m, ok := v.(map[string]any)
	if !ok {
		return
	}
	id, _ := m["id"].(string)
	label, ok := m["userName"].(string)
	if !ok {
		label, _ = m["displayName"].(string)
	}
	if id == "" || label == "" || slices.Contains(mapValues(s.ids), id) {
		return
	}
	label, _, _ = strings.Cut(strings.ToLower(label), "@")
	s.ids[strings.Trim(regexp.MustCompile("[^a-z0-9]+").ReplaceAllString(label, "-"), "-")] = id
}

func dropMeta(v any) {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "meta")
		for _, inner := range v {
			dropMeta(inner)
		}
	case []any:
		for _, inner := range v {
			dropMeta(inner)
		}
	}
}
