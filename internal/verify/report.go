package verify

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// Outcome says how a check ended.
type Outcome string

// The outcomes. A check is skipped when the endpoint does not advertise what it is about, or when the options forbid it.
const (
	Passed  Outcome = "pass"
	Failed  Outcome = "fail"
	Skipped Outcome = "skip"
)

// Result is one check with its outcome. Every text is fit to be shown: cut, printable and without the token.
type Result struct {
	Name         string    `json:"name"`
	Asserts      string    `json:"asserts"`
	Source       string    `json:"source"`
	Severity     Severity  `json:"severity"`
	Outcome      Outcome   `json:"outcome"`
	Reason       string    `json:"reason,omitempty"`
	Exchange     *Exchange `json:"exchange,omitempty"` // the offending request with its answer
	Milliseconds int64     `json:"milliseconds"`
}

// Report is what a run found.
type Report struct {
	URL         string     `json:"url"`
	Started     time.Time  `json:"started_at"`
	Finished    time.Time  `json:"finished_at"`
	ReadOnly    bool       `json:"read_only"`
	Interrupted bool       `json:"interrupted"`
	Results     []Result   `json:"checks"`
	Left        []Leftover `json:"left_behind"` // what was made and could not be removed
}

// Count gives how many checks ended so.
func (r *Report) Count(o Outcome) int {
	n := 0
	for i := range r.Results {
		if r.Results[i].Outcome == o {
			n++
		}
	}
	return n
}

// Broken gives how many failed of those that Entra or the standard requires.
func (r *Report) Broken() int {
	n := 0
	for i := range r.Results {
		if r.Results[i].Outcome == Failed && r.Results[i].Severity.Required() {
			n++
		}
	}
	return n
}

// Err is nil where the endpoint answered everything well that is required, the run came to its end, and nothing was left behind.
func (r *Report) Err() error {
	switch {
	case r.Broken() > 0:
		return fmt.Errorf("%d checks failed that Entra or the standard requires", r.Broken())
	case r.Interrupted:
		return fmt.Errorf("interrupted after %d checks", len(r.Results))
	case len(r.Left) > 0:
		return fmt.Errorf("%d resources could not be removed", len(r.Left))
	case r.Count(Passed) == 0:
		return fmt.Errorf("no check was run to its end")
	}
	return nil
}

// Summary is the outcome in one line.
func (r *Report) Summary() string {
	return fmt.Sprintf("%d passed, %d failed (%d of them required), %d skipped, in %s",
		r.Count(Passed), r.Count(Failed), r.Broken(), r.Count(Skipped), r.Finished.Sub(r.Started).Round(time.Millisecond))
}

// Line is a result as the text format shows it.
func (r *Result) Line() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s  %s", r.Outcome, r.Name)
	switch r.Outcome {
	case Skipped:
		fmt.Fprintf(&out, ": %s", r.Reason)
	case Failed:
		fmt.Fprintf(&out, " (%s)\n      expected: %s\n      found: %s\n      source: %s", r.Severity, r.Asserts, r.Reason, r.Source)
		if x := r.Exchange; x != nil {
			out.WriteString("\n" + x.indented())
		}
	case Passed:
	}
	return out.String()
}

func (x *Exchange) indented() string {
	text := "      request: " + x.Request
	if x.Sent != "" {
		text += "\n               " + x.Sent
	}
	if x.Status == 0 {
		return text + "\n      answer: none"
	}
	text += fmt.Sprintf("\n      answer: %s %s", statusText(x.Status), x.Type)
	if x.Received != "" {
		text += "\n               " + x.Received
	}
	return text
}

// WriteSummary writes what follows the results in the text format.
func (r *Report) WriteSummary(w io.Writer) error {
	text := "\n" + r.Summary() + "\n"
	for _, l := range r.Left {
		text += fmt.Sprintf("left behind: %s %s %s: %s\n", l.Type, l.Name, l.ID, l.Reason)
	}
	_, err := io.WriteString(w, text)
	return err
}

// WriteJSON writes the report as one JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	shown := *r
	if shown.Left == nil {
		shown.Left = []Leftover{}
	}
	if shown.Results == nil {
		shown.Results = []Result{}
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		*Report
		Summary map[string]int `json:"summary"`
	}{&shown, map[string]int{
		"passed": r.Count(Passed), "failed": r.Count(Failed), "failed_required": r.Broken(), "skipped": r.Count(Skipped),
	}})
}

// The elements of a JUnit report, as build servers read them.
type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     string      `xml:"time,attr"`
		Stamp    string      `xml:"timestamp,attr"`
		Cases    []junitCase `xml:"testcase"`
		Left     string      `xml:"system-err,omitempty"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitMessage `xml:"failure"`
		Skipped *junitMessage `xml:"skipped"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes the report as JUnit XML. Failures of checks that nothing requires are shown as skipped there, since
// a build server knows nothing between.
func (r *Report) WriteJUnit(w io.Writer) error {
	suite := junitSuite{
		Name: "usher verify " + r.URL, Tests: len(r.Results), Failures: r.Broken(), Skipped: len(r.Results) - r.Count(Passed) - r.Broken(),
		Time: fmt.Sprintf("%.3f", r.Finished.Sub(r.Started).Seconds()), Stamp: r.Started.Format("2006-01-02T15:04:05"),
	}
	for i := range r.Results {
		result := &r.Results[i]
		family, name, _ := strings.Cut(result.Name, "/")
		c := junitCase{Class: "scim." + family, Name: name, Time: fmt.Sprintf("%.3f", float64(result.Milliseconds)/1000)}
		switch message := (&junitMessage{Message: result.Reason, Type: string(result.Severity)}); {
		case result.Outcome == Failed && result.Severity.Required():
			message.Text = result.Line()
			c.Failure = message
		case result.Outcome != Passed:
			c.Skipped = message
		}
		suite.Cases = append(suite.Cases, c)
	}
	for _, l := range r.Left {
		suite.Left += fmt.Sprintf("left behind: %s %s %s: %s\n", l.Type, l.Name, l.ID, l.Reason)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(suite); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
