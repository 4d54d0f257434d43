package console

import "usher/model"

// Route is a route for tests.
type Route struct {
	Method, Path string
	Right        model.Right
}

// Routes gives the table of every route.
func (c *Console) Routes() []Route {
	var list []Route
	for _, r := range c.routes {
		list = append(list, Route{r.method, r.path, r.right})
	}
	return list
}
