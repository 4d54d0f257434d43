package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"usher/bench/floor"
	"usher/bench/meter"
)

// The floor's process learns these from its environment: arguments are for
// everybody to read.
const (
	envFloorDatabase = "BENCH_FLOOR_DATABASE_URL"
	envFloorToken    = "BENCH_FLOOR_TOKEN"
)

// startFloor runs this very program as the floor.
func (b *bench) startFloor(ctx context.Context) (*server, error) {
	databaseURL, err := b.cluster.CreateDatabase(ctx, "floor")
	if err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	token := rand.Text()
	environment := append(os.Environ(), envFloorDatabase+"="+databaseURL, envFloorToken+"="+token)
	program, err := b.launch("floor", environment, self, "-floor-serve", address)
	if err != nil {
		return nil, err
	}
	if err := program.awaitReady(ctx, "http://"+address+"/", http.StatusUnauthorized); err != nil {
		return nil, err
	}
	return &server{
		name: "floor", base: "http://" + address, token: token, databaseURL: databaseURL, program: program,
		probe: &meter.Probe{Cluster: b.cluster, Database: "floor", Process: program.command.Process.Pid},
	}, nil
}

// serveFloor is the floor's process.
func serveFloor(ctx context.Context, address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("-floor-serve %s is not a loopback address", address)
	}
	handler, err := floor.New(ctx, os.Getenv(envFloorDatabase), os.Getenv(envFloorToken))
	if err != nil {
		return err
	}
	defer handler.Close()
	httpServer := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: time.Minute}
	stopped := context.AfterFunc(ctx, func() { _ = httpServer.Close() })
	defer stopped()
	if err := httpServer.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
