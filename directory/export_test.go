package directory

// SetRunPage makes the pages of runs so small that a handful of people fills several.
func SetRunPage(s *Service, n int) { s.runPage = n }

// RunPage tells it.
func RunPage(s *Service) int { return s.runPage }
