package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"usher/calendarbridge"
	"usher/directory"
	"usher/internal/jobs"
	"usher/internal/webhook"
	"usher/migrations"
	"usher/model/store"
)

// App is one Usher: opened by New, running during Run, closed by Close.
type App struct {
	Config    Config
	Store     *store.Store
	Service   *directory.Service
	Calendars *calendarbridge.Service

	doors    *doors
	log      *slog.Logger
	queue    *jobs.Queue
	metrics  *metrics
	webhooks *webhook.Dispatcher
	scimLog  *directory.RequestLog // where HTTP is answered
	listener net.Listener
	http     *http.Server
	scrape   *http.Server
	stopping context.Context // ends when stopping begins: what waits for news answers at once, what works goes on
	halt     context.CancelFunc
}

// New opens everything that Run needs and binds the address, so that URL is known and a taken address is told at once.
// It refuses a schema that is behind, unless the configuration says to migrate.
func New(ctx context.Context, cfg Config, log *slog.Logger) (*App, error) {
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	a, err := Open(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	if err := a.prepare(ctx); err != nil {
		_ = a.Close()
		return nil, err
	}
	return a, nil
}

// Open opens the database and makes the service, without a server: what a subcommand needs.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (*App, error) {
	keys, err := cfg.keyring()
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	st, err := store.Open(ctx, store.Options{URL: cfg.DatabaseURL, MaxConns: cfg.DatabaseConns, Logger: log})
	if err != nil {
		return nil, err
	}
	a := &App{Config: cfg, Store: st, log: log, metrics: newMetrics(cfg.Version)}
	a.metrics.registry.MustRegister(newCalendarStats(st, time.Now, log))
	guard := webhook.Guard{Allowed: cfg.WebhookAllow}
	a.webhooks = webhook.New(webhook.Options{Store: st, Keys: keys, Guard: guard, Version: cfg.Version, Log: log, Observe: a.metrics.webhookAttempt})
	a.stopping, a.halt = context.WithCancel(context.WithoutCancel(ctx))
	a.Service = directory.New(directory.Options{
		Store: st, Keys: keys, Log: log, Observe: a.metrics.directoryEvent, LoginURL: cfg.LoginURL, IntegrationSaved: discover,
		Tenants: a.tenant, Provisionings: a.provisioning, Redeem: a.redeem, EndSubscriptions: a.endSubscriptions, EndTheirs: a.endTheirs,
		CheckWebhookAddress: guard.Check, PlainWebhooks: len(cfg.WebhookAllow) > 0,
	})
	a.doors = &doors{svc: a.Service, cfg: &a.Config, log: log, observe: a.metrics.graphRequest}
	a.Calendars = a.newBridge()
	if a.queue, err = jobs.New(jobs.Options{
		Store: st, DatabaseURL: cfg.DatabaseURL, Work: a.work(), Periodic: a.periodic(), Logger: log,
	}); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	st.SetQueue(a.queue)
	return a, nil
}

// work is the table of every job and who works it.
func (a *App) work() *jobs.Work {
	w := jobs.NewWork()
	jobs.Add(w, background(a.Service.Work))
	jobs.Add(w, a.Service.Resume)
	jobs.Add(w, a.Service.Retire)
	jobs.Add(w, a.Service.TrimSCIMLog)
	jobs.Add(w, a.Service.TrimFeed)
	jobs.Add(w, a.Service.NumberFeed)
	jobs.Add(w, a.Service.TrimJournals)
	jobs.Add(w, a.Service.Warn)
	jobs.Add(w, a.Service.WorkOperation)
	jobs.Add(w, a.Service.OperationsDue)
	jobs.Add(w, a.Service.FollowAccounts)
	jobs.Add(w, a.Service.SetUp)
	jobs.Add(w, background(a.Service.WatchSetup))
	jobs.Add(w, a.Service.WatchSetups)
	jobs.Add(w, background(a.Service.EndIntegration))
	jobs.Add(w, background(a.Service.EndLeft))
	jobs.Add(w, a.Service.ScheduleImports)
	jobs.Add(w, a.Service.SweepPhotos)
	jobs.Add(w, background(a.Service.ReadPhotos))
	jobs.Add(w, a.Service.Tidy)
	a.calendarWork(w)
	return w
}

// periodic is the table of what happens by itself.
func (a *App) periodic() []jobs.Periodic {
	return append(a.calendarPeriodic(), []jobs.Periodic{
		{Every: a.Config.ResumeEvery, Job: directory.ResumeRuns{}},
		{Every: a.Config.EmployeesEvery, Job: directory.RetireEmployees{}},
		{Every: warnEvery, Job: directory.WarnExpiring{}},
		{Every: watchEvery, Job: directory.WatchSetups{}},
		{Every: operationsEvery, Job: directory.OperationsDue{}},
		{Every: followEvery, Job: directory.FollowAccounts{}},
		{Every: min(importsEvery, a.Config.ImportEvery), Job: directory.StartImports{Every: a.Config.ImportEvery}},
		{Every: photosEvery, Job: directory.SweepPhotos{}},
		{Every: trimEvery, Job: directory.TidyRuns{}},
		{Every: trimEvery, Job: directory.TrimSCIMLog{Days: a.Config.SCIMLogDays}},
		{Every: numberEvery, Job: directory.NumberFeed{}},
		{Every: trimEvery, Job: directory.TrimFeed{Days: a.Config.FeedDays}},
		{Every: trimEvery, Job: directory.TrimJournals{ActivityDays: a.Config.ActivityDays}},
	}...)
}

// How often integrations are looked for whose import is due, and people whose pictures were not looked at for long.
const (
	importsEvery = time.Minute
	photosEvery  = time.Hour
)

// operationsEvery is how often operations in Entra are looked for that nobody works.
const operationsEvery = time.Minute

// watchEvery is how often Entra is asked how its provisioning is getting on.
const watchEvery = 20 * time.Minute

// warnEvery is how often tokens and secrets are looked at that are about to expire.
const warnEvery = time.Hour

// numberEvery is how often changes are given their positions that nobody has read.
const numberEvery = 5 * time.Minute

// trimEvery is how often what is too old of logs and journals is deleted.
const trimEvery = time.Hour

// MigrateUp brings the schema of the store and of the queue up to date.
func (a *App) MigrateUp(ctx context.Context) error {
	if err := migrations.Up(ctx, a.Store.DB(), a.Store.Dialect()); err != nil {
		return err
	}
	return jobs.Migrate(ctx, a.Store.DB(), a.Store.Dialect())
}

// CheckSchema gives an error that says what to do, unless the schema is up to date.
func (a *App) CheckSchema(ctx context.Context) error {
	if err := migrations.Check(ctx, a.Store.DB(), a.Store.Dialect()); err != nil {
		return err
	}
	return jobs.Check(ctx, a.Store.DB(), a.Store.Dialect())
}

func (a *App) prepare(ctx context.Context) error {
	schema := a.CheckSchema
	if a.Config.Migrate {
		schema = a.MigrateUp
	}
	if err := schema(ctx); err != nil {
		return err
	}
	if err := a.Service.EnsureDefault(ctx); err != nil {
		return fmt.Errorf("default organization: %w", err)
	}
	if a.Config.NoHTTP {
		return nil
	}
	var err error
	if a.listener, err = net.Listen("tcp", a.Config.Listen); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if a.Config.PublicURL == "" {
		a.Config.PublicURL = "http://" + a.listener.Addr().String()
		a.Calendars.PublicURL = a.Config.PublicURL
	}
	a.scimLog = directory.NewRequestLog(directory.RequestLogOptions{
		Store: a.Store, Mode: directory.SCIMLogMode(a.Config.SCIMLog), Log: a.log, Observe: a.metrics.directoryEvent,
	})
	room := newGate(a.Config.bounds(), a.metrics.limited)
	a.http, a.listener = room.server(a.routes(room), a.log), room.conns.listen(a.listener)
	a.http.BaseContext = urgent
	return nil
}

// URL is where the server answers on this machine, without a trailing slash.
func (a *App) URL() string { return "http://" + a.listener.Addr().String() }

// The time that each part of the program gets to finish its work when it is told to stop.
const (
	drainHTTP = 10 * time.Second
	drainJobs = 20 * time.Second
	drainLog  = 5 * time.Second
)

// Run serves until ctx ends, then stops taking requests, lets those under way and the jobs finish, and returns. It gives
// an error when a part failed, not when it was told to stop.
func (a *App) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	if !a.Config.NoWorkers {
		if err := a.queue.Start(ctx); err != nil {
			return err
		}
		if err := a.Service.Resume(ctx, directory.ResumeRuns{Starting: true}); err != nil {
			return errors.Join(err, a.stopJobs(ctx))
		}
		group.Go(func() error { a.webhooks.Run(ctx); return nil })
	}
	if a.http != nil {
		group.Go(func() error { return ignoreClosed(a.http.Serve(a.listener)) })
		a.log.InfoContext(ctx, "listening", "url", a.URL(), "public_url", a.Config.PublicURL)
	}
	if a.Config.MetricsListen != "" {
		room := newGate(a.Config.bounds(), a.metrics.limited)
		a.scrape = room.server(a.metrics.handler(), a.log)
		group.Go(func() error {
			listener, err := net.Listen("tcp", a.Config.MetricsListen)
			if err != nil {
				return fmt.Errorf("metrics: %w", err)
			}
			return ignoreClosed(a.scrape.Serve(room.conns.listen(listener)))
		})
	}
	group.Go(func() error {
		<-ctx.Done()
		return a.stop(ctx)
	})
	return group.Wait()
}

func (a *App) stop(ctx context.Context) error {
	a.halt()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainHTTP)
	defer cancel()
	var errs []error
	for _, server := range []*http.Server{a.http, a.scrape} {
		if server == nil {
			continue
		}
		if err := server.Shutdown(ctx); err != nil {
			_ = server.Close() // what is still open is a client that does not read
		}
	}
	a.closeLog()
	if !a.Config.NoWorkers {
		errs = append(errs, a.stopJobs(ctx))
	}
	return errors.Join(errs...)
}

// closeLog writes what the request log still holds. Nobody is answered any more, so that nothing comes after it.
func (a *App) closeLog() {
	if a.scimLog == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainLog)
	defer cancel()
	a.scimLog.Close(ctx)
}

func (a *App) stopJobs(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainJobs)
	defer cancel()
	return a.queue.Stop(ctx)
}

// Close releases the database; it is called when Run has returned, or was never called.
func (a *App) Close() error {
	a.halt()
	if a.listener != nil {
		_ = a.listener.Close()
	}
	a.closeLog()
	return a.Store.Close()
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
