package graph

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/authentication"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	kiota "github.com/microsoft/kiota-http-go"
	kiotajson "github.com/microsoft/kiota-serialization-json-go"
	"github.com/microsoftgraph/msgraph-sdk-go/users"
	"golang.org/x/time/rate"

	"usher/model/outlook"
)

// Names of operations that decide something; the others stand where they are used.
const (
	opUser      = "users.get"
	opMembers   = "groups.members"
	opCancel    = "events.cancel"
	opSubscribe = "subscriptions.create"
)

// What is asked of every read of events: ids that stay when an event is moved, and bodies as HTML.
const (
	preferImmutable = `IdType="ImmutableId"`
	preferHTML      = `outlook.body-content-type="html"`
	preferUTC       = `outlook.timezone="UTC"`
)

// mostPages bounds what is followed where a whole list is wanted.
const mostPages = 200

// Client is one tenant of Microsoft 365, as an application's credentials reach it. It may be used by many goroutines.
type Client struct {
	adapter  abstractions.RequestAdapter
	pipeline *pipeline
	tokens   *tokens
	root     *url.URL
	pageSize int // of events
	listSize int // of people, groups and members
	now      func() time.Time
	log      *slog.Logger
}

// New makes a client; it sends nothing. What is wrong with the options is a *model.Error that names the field.
func New(o Options) (*Client, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	where, err := o.addresses()
	if err != nil {
		return nil, err
	}
	o = o.withDefaults()
	tokens, err := newTokens(o, where)
	if err != nil {
		return nil, err
	}
	p := &pipeline{
		base:      newTransport(o),
		root:      where.graph,
		token:     tokens.get,
		gate:      newGate(o.MailboxConcurrency, o.LongestWait),
		budget:    newBudget(o.Units, o.Writes, o.LongestWait),
		rate:      rate.NewLimiter(rate.Limit(o.Rate), o.Burst),
		retries:   max(o.Retries, 0),
		longest:   o.LongestWait,
		timeout:   o.AttemptTimeout,
		maxBytes:  o.MaxAnswer,
		now:       o.Now,
		monotonic: time.Now,
		sleep:     sleep,
		jitter:    rand.Float64,
		log:       o.Logger,
		observe:   o.Observe,
	}
	// The pipeline authenticates: the SDK's own way sends no token, and says nothing, where it does not know the host.
	adapter, err := kiota.NewNetHttpRequestAdapterWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		&authentication.AnonymousAuthenticationProvider{}, kiotajson.NewJsonParseNodeFactory(),
		kiotajson.NewJsonSerializationWriterFactory(), &http.Client{Transport: p})
	if err != nil {
		return nil, err
	}
	adapter.SetBaseUrl(where.graph.String())
	return &Client{
		adapter: adapter, pipeline: p, tokens: tokens, root: where.graph, pageSize: o.PageSize, listSize: o.ListSize, now: o.Now,
		log: o.Logger,
	}, nil
}

// newTransport is Go's own with room for many requests to one host. It asks for compressed answers and sends none.
func newTransport(o Options) *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if o.GraphURL != "" {
		transport.TLSClientConfig.RootCAs = o.RootCAs
	}
	return transport
}

// Permissions gives the application permissions that the administrator has granted, sorted: the roles of the token.
func (c *Client) Permissions(ctx context.Context) ([]string, error) {
	token, err := c.tokens.get(ctx, "")
	if err != nil {
		return nil, err
	}
	return roles(token)
}

// users gives the SDK's builder of requests below /users. Its map is filled by the adapter, so that each request has its own.
func (c *Client) users() *users.UsersRequestBuilder {
	return users.NewUsersRequestBuilderInternal(map[string]string{}, c.adapter)
}

// do hands a request to the SDK and puts what comes back in order: the SDK wraps what the pipeline says, and panics on some
// answers that are JSON but not what they should be.
func (c *Client) do(ctx context.Context, call call, send func(context.Context) error) error {
	err := caught(func() error { return send(context.WithValue(ctx, callKey{}, call)) })
	if err == nil {
		return nil
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // its own text has the URL, which holds personal data
	}
	if _, ok := errors.AsType[*outlook.Error](err); ok {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.log.InfoContext(ctx, "the Graph SDK could not read an answer", "operation", call.operation)
	return unreadable("the answer is not what Graph documents")
}

// caught makes a panic of the SDK an error. Its value is dropped, because it may quote the answer.
func caught(read func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = unreadable("the Graph SDK cannot read the answer")
		}
	}()
	return read()
}

// fetch sends a request whose answer is an object.
func fetch[T any](ctx context.Context, c *Client, call call, info *abstractions.RequestInformation, err error, factory serialization.ParsableFactory) (T, error) {
	var result T
	if err != nil {
		return result, badValue("the request cannot be written")
	}
	err = c.do(ctx, call, func(ctx context.Context) error {
		parsed, err := c.adapter.Send(ctx, info, factory, nil)
		if err != nil {
			return err
		}
		typed, ok := parsed.(T)
		if !ok {
			return unreadable("the answer is empty")
		}
		result = typed
		return nil
	})
	return result, err
}

// fetchBytes sends a request whose answer is read without the SDK's models.
func (c *Client) fetchBytes(ctx context.Context, call call, info *abstractions.RequestInformation, err error) ([]byte, error) {
	if err != nil {
		return nil, badValue("the request cannot be written")
	}
	var body []byte
	err = c.do(ctx, call, func(ctx context.Context) error {
		answer, err := c.adapter.SendPrimitive(ctx, info, "[]byte", nil)
		if err != nil {
			return err
		}
		body, _ = answer.([]byte)
		return nil
	})
	return body, err
}

// push sends a request whose answer has nothing in it.
func (c *Client) push(ctx context.Context, call call, info *abstractions.RequestInformation, err error) error {
	if err != nil {
		return badValue("the request cannot be written")
	}
	return c.do(ctx, call, func(ctx context.Context) error {
		return c.adapter.SendNoContent(ctx, info, nil)
	})
}

// follow makes a request lead to a page's link instead, if the link is this Graph's: a token must go nowhere else.
func (c *Client) follow(info *abstractions.RequestInformation, link string) error {
	if link == "" || info == nil {
		return nil
	}
	u, err := url.Parse(link)
	if err != nil || !c.pipeline.owns(u) {
		return &outlook.Error{Kind: outlook.Invalid, Code: codeForeign, Message: "the link does not lead to this Graph"}
	}
	info.SetUri(*u)
	return nil
}

// link takes a link out of an answer. One that leads elsewhere is not handed on.
func (c *Client) link(link *string) (string, error) {
	text := value(link)
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	if err != nil || !c.pipeline.owns(u) {
		return "", &outlook.Error{Kind: outlook.Unavailable, Code: codeForeign, Message: "the answer has a link that does not lead to this Graph"}
	}
	return text, nil
}

// quote writes a text as a literal of OData's filters.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func value[T any](pointer *T) T {
	var zero T
	if pointer == nil {
		return zero
	}
	return *pointer
}
