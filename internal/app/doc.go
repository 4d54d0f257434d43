// Package app is the composition root: it turns a Config into a running Usher, with its store, queue, services, routes
// and lifecycle. It owns what the rooms share (the HTTP server, health, metrics) and nothing of what they do. It may
// import every room but cmd/usher; only cmd/usher and tests import it.
package app
