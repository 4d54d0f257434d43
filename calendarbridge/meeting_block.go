package calendarbridge

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"usher/model"
	"usher/model/outlook"
)

// blockClass is what Exchange marks the invitation to an online meeting with, in the body of its event. An event whose body loses
// it is no online meeting any more (Graph: event-update, "body property and online meetings").
const blockClass = "me-email-text"

// separator is the shortest line of underscores that stands before the invitation.
const separator = 20

// splitBlock takes the invitation to an online meeting out of a body: rest is what people wrote, block the invitation as it stood
// there, "" where there is none. link is where the meeting is joined; "" takes any.
func splitBlock(body, link string) (rest, block string) {
	if !strings.Contains(body, blockClass) {
		return body, ""
	}
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil { // it is nested too deeply to be what Exchange writes
		return body, ""
	}
	var found []*html.Node
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && isBlock(n) && !within(n, found) {
			found = append(found, n)
		}
	}
	if !slices.ContainsFunc(found, func(n *html.Node) bool { return leadsTo(n, link) }) {
		return body, ""
	}
	var out strings.Builder
	for _, n := range found {
		for _, part := range append(before(n), n) {
			part.Parent.RemoveChild(part)
			if html.Render(&out, part) != nil {
				return body, "" // a builder takes everything
			}
		}
	}
	return strings.TrimSpace(inner(doc)), out.String()
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func isBlock(n *html.Node) bool {
	return slices.Contains(strings.Fields(attribute(n, "class")), blockClass)
}

func within(n *html.Node, list []*html.Node) bool {
	for a := range n.Ancestors() {
		if slices.Contains(list, a) {
			return true
		}
	}
	return false
}

// leadsTo says whether the meeting is joined from here.
func leadsTo(n *html.Node, link string) bool {
	for d := range n.Descendants() {
		if to := attribute(d, "href"); d.DataAtom == atom.A && to != "" && (link == "" || to == link) {
			return true
		}
	}
	return false
}

// before gives the line that parts the invitation from what is above it.
func before(n *html.Node) []*html.Node {
	var list []*html.Node
	for p := n.PrevSibling; p != nil; p = p.PrevSibling {
		switch text := strings.TrimSpace(words(p)); {
		case text == "":
			list = append([]*html.Node{p}, list...)
		case len(text) >= separator && strings.Trim(text, "_") == "":
			return append([]*html.Node{p}, list...)
		default:
			return nil
		}
	}
	return nil
}

func words(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var out strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			out.WriteString(d.Data)
		}
	}
	return out.String()
}

// inner gives what a document's body holds.
func inner(doc *html.Node) string {
	var out strings.Builder
	for n := range doc.Descendants() {
		if n.DataAtom != atom.Body {
			continue
		}
		for c := range n.ChildNodes() {
			if html.Render(&out, c) != nil {
				return ""
			}
		}
		break
	}
	return out.String()
}

// written gives what people wrote of an event's body.
func written(e model.Event) string {
	if e.MeetingURL == "" {
		return e.Body
	}
	rest, _ := splitBlock(e.Body, e.MeetingURL)
	return rest
}

// keepMeeting gives the fields of an update as they are to be sent: a new body of an online meeting goes with the invitation that
// the event has now, without which Microsoft 365 would end the meeting.
func (w *work) keepMeeting(a attempt) (Fields, error) {
	f := a.fields
	if f.Body == nil || a.event.MeetingURL == "" && a.event.Sensitivity != private {
		return f, nil // of a private event it is not known whether it is one
	}
	now, err := w.api.Event(w.ctx, w.ref, a.event.GraphID)
	if err != nil || !now.OnlineMeeting && now.OnlineMeetingURL == "" {
		return f, err
	}
	_, block := splitBlock(now.Body.Content, now.OnlineMeetingURL)
	if block == "" {
		return f, &outlook.Error{
			Kind: outlook.Invalid, Code: "MeetingBlockNotFound",
			Message: "the invitation to the online meeting is not where it is expected in the body, and Microsoft 365 would end a meeting that lost it",
		}
	}
	own, _ := splitBlock(*f.Body, now.OnlineMeetingURL)
	whole := own + "\r\n" + block
	f.Body = &whole
	return f, nil
}
