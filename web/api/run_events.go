package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"usher/model"
)

// runPoll is how often a followed run is read. Its progress changes once a page, so that more often would show no more.
const runPoll = 500 * time.Millisecond

// writeWithin is how long a client may take to accept a piece of a stream.
const writeWithin = 15 * time.Second

func (a *API) runEvents() {
	o := operation{tag: tagRuns, right: model.RightRead, responses: map[string]*huma.Response{"200": {
		Description: "Server-sent events; the data of each is the run.",
		Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}}
	register(a, o.with(http.MethodGet, "/runs/{id}/events", "Follow a run").
		says("Events `progress` while it is queued or runs, `held` when it waits for an operator, `finished` once, at the end. "+
			"Send Last-Event-ID to get only what is newer."), a.followRun)
}

func (a *API) followRun(ctx context.Context, in *struct {
	IDInput
	LastEventID string `header:"Last-Event-ID" doc:"Id of the last event that was seen."`
},
) (*huma.StreamResponse, error) {
	run, err := a.store.Read(ctx).Run(org(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", "text/event-stream")
		hc.SetHeader("X-Accel-Buffering", "no") // a proxy must pass events on as they come
		hc.SetStatus(http.StatusOK)
		s := &stream{ctx: hc, control: http.NewResponseController(humaecho.Unwrap(hc).Response()), last: in.LastEventID}
		a.follow(ctx, s, run)
	}}, nil
}

// follow sends the run whenever it has changed, until it has ended, the client is gone or the server stops.
func (a *API) follow(ctx context.Context, s *stream, run model.Run) {
	poll, alive := time.NewTicker(runPoll), time.NewTicker(a.heartbeat)
	defer poll.Stop()
	defer alive.Stop()
	if !s.write(": connected\n\n") {
		return
	}
	for s.run(run) && !run.State.Finished() {
		select {
		case <-ctx.Done():
			return
		case <-a.stopping.Done():
			return // the client comes again, with the id of the last event
		case <-alive.C:
			if !s.write(": still here\n\n") {
				return
			}
		case <-poll.C:
			var err error
			if run, err = a.store.Read(ctx).Run(run.OrganizationID, run.ID); err != nil {
				if model.KindOf(err) != model.NotFound { // it goes with its integration
					_ = a.failure(ctx, err)
				}
				return
			}
		}
	}
}

// stream is a response of server-sent events.
type stream struct {
	ctx     huma.Context
	control *http.ResponseController
	last    string // id of the last event that the client has
}

// run sends the state of a run unless the client has it, and says whether the client is still there.
func (s *stream) run(run model.Run) bool {
	id := strconv.FormatInt(run.UpdatedAt.UnixMicro(), 10)
	if id == s.last {
		return true
	}
	data, err := json.Marshal(run)
	if err != nil {
		return false
	}
	name := "progress"
	switch {
	case run.State.Finished():
		name = "finished"
	case run.State == model.RunHeld:
		name = "held"
	}
	s.last = id
	return s.write(fmt.Sprintf("event: %s\nid: %s\ndata: %s\n\n", name, id, data))
}

func (s *stream) write(text string) bool {
	_ = s.control.SetWriteDeadline(time.Now().Add(writeWithin)) // a writer without deadlines has none to keep
	if _, err := s.ctx.BodyWriter().Write([]byte(text)); err != nil {
		return false
	}
	return s.control.Flush() == nil
}
