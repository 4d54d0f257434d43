package console

import (
	"slices"
	"strings"

	"usher/model"
)

// siteView is who has which level in which module at a site, by group.
type siteView struct {
	Tabs    []tab
	Site    field
	Inherit string // where the site takes its mappings from
	Modules []string
	Rows    []siteRow
	Empty   *empty
}

// siteRow is a group that a mapping gives permissions at the site to.
type siteRow struct {
	Group, Integration, Path string
	From                     string // the site above that it comes from
	Levels                   []siteLevel
}

// siteLevel is one cell: the level in a module, "" for none.
type siteLevel struct{ Module, Level string }

func (v *visit) showSite() error {
	settings, err := v.read.Settings(v.org)
	if err != nil {
		return err
	}
	view := siteView{Tabs: groupTabs("/groups/sites"), Site: field{ID: "site", Name: "site", Label: "Site", Type: "select", Value: v.query("site")}}
	choices := catalogue(settings.Sites, func(s model.Site) string { return s.Name })
	if len(choices) > 0 && !slices.ContainsFunc(choices, func(o option) bool { return o.Value == view.Site.Value }) {
		view.Site.Value = choices[0].Value
	}
	view.Site = view.Site.choose(choices...)
	modules := catalogue(settings.Modules, func(m model.Module) string { return m.Name })
	for _, m := range modules {
		view.Modules = append(view.Modules, m.Name)
	}
	above := sitesAbove(settings, view.Site.Value)
	if len(above) > 1 {
		view.Inherit = siteName(settings, above[1])
	}
	for _, i := range sortedIntegrations(settings) {
		var here []*model.GroupMapping
		var ids []string
		for n := range settings.Integrations[i.ID].GroupMappings {
			if m := &settings.Integrations[i.ID].GroupMappings[n]; len(m.Permissions) > 0 && slices.Contains(above, m.Site) {
				here, ids = append(here, m), append(ids, m.Group.ExternalID)
			}
		}
		known, err := v.read.GroupsByExternalID(i.Ref(), ids)
		if err != nil {
			return err
		}
		for _, m := range here {
			view.Rows = append(view.Rows, siteLine(settings, known, i, m, modules, view.Site.Value))
		}
	}
	view.Empty = noSite(settings, view.Rows)
	return v.render("sites", page{Title: "Sites", Lead: "Which groups give which level in which module at a site.", Body: view})
}

// sitesAbove gives the site and those that it takes its mappings from, the nearest first.
func sitesAbove(settings *model.Settings, key string) []string {
	var list []string
	for site, ok := settings.Sites[key]; ok && !slices.Contains(list, site.Key); site, ok = settings.Sites[site.Parent] {
		list = append(list, site.Key)
		if !site.Inherits() {
			break
		}
	}
	return list
}

func siteLine(settings *model.Settings, known []model.DirectoryGroup, i model.Integration, m *model.GroupMapping, modules []option, at string) siteRow {
	row := siteRow{Group: m.Group.String(), Integration: i.Name, Path: with("/groups", "integration", i.ID, "q", m.Group.DisplayName)}
	if n := slices.IndexFunc(known, func(g model.DirectoryGroup) bool {
		return m.Group.ExternalID != "" && g.ExternalID == m.Group.ExternalID
	}); n >= 0 {
		row.Group, row.Path = orWord(known[n].DisplayName, known[n].ExternalID), Base+"/groups/"+i.ID+"/"+known[n].ID // by its present name
	}
	if m.Site != at {
		row.From = siteName(settings, m.Site)
	}
	for _, module := range modules {
		cell := siteLevel{Module: module.Name}
		for _, p := range m.Permissions {
			if p.Module == module.Value {
				cell.Level = string(p.Level)
			}
		}
		row.Levels = append(row.Levels, cell)
	}
	return row
}

func noSite(settings *model.Settings, rows []siteRow) *empty {
	var missing []string
	if len(settings.Sites) == 0 {
		missing = append(missing, "sites")
	}
	if len(settings.Modules) == 0 {
		missing = append(missing, "modules")
	}
	switch {
	case len(missing) > 0:
		e := emptyYet("map-pin", "No "+strings.Join(missing, " and ")+" yet", "The application says which there are, with the management API. Then groups can give levels in modules at sites.", link{})
		return &e
	case len(rows) == 0:
		e := emptyYet("users-group", "No group gives anything here", "Map a group to this site to fill the matrix.", link{"See the groups", Base + "/groups", ""})
		return &e
	}
	return nil
}
