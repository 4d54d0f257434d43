package app

import "time"

// Hurry makes a server wait for clients no longer than this, wherever it waits for them.
func Hurry(cfg *Config, longest time.Duration) { cfg.hurry = longest }

// Answers counts the requests that were answered, by status.
func (a *App) Answers() (map[string]uint64, error) {
	families, err := a.metrics.registry.Gather()
	counts := map[string]uint64{}
	for _, family := range families {
		if family.GetName() != "usher_http_request_duration_seconds" {
			continue
		}
		for _, m := range family.GetMetric() {
			for _, label := range m.GetLabel() {
				if label.GetName() == "code" {
					counts[label.GetValue()] += m.GetHistogram().GetSampleCount()
				}
			}
		}
	}
	return counts, err
}
