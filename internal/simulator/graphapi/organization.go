package graphapi

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"usher/model/entra"
)

func authentication(d entra.Domain) string {
	if d.Federated {
		return "Federated"
	}
	return "Managed"
}

// organization answers GET /organization.
func (s *Server) organization(ctx context.Context, c *call) (answer, error) {
	names, err := c.selected("organization", "id", "displayName", "verifiedDomains", "onPremisesSyncEnabled", "tenantType", "countryLetterCode", "createdDateTime")
	if err != nil {
		return answer{}, err
	}
	org, err := s.as(c).Organization(ctx)
	if err != nil {
		return answer{}, err
	}
	domains := make([]object, 0, len(org.Domains))
	for _, d := range org.Domains {
		domains = append(domains, object{
			"name": d.Name, "isDefault": d.IsDefault, "isInitial": d.Initial, "type": authentication(d), "capabilities": "Email, OfficeCommunicationsOnline",
		})
	}
	o := object{
		"id": org.ID, "displayName": org.DisplayName, "verifiedDomains": domains, "onPremisesSyncEnabled": nil, "tenantType": "AAD",
		"countryLetterCode": "DK", "createdDateTime": "2020-01-01T08:00:00Z",
	}
	if org.OnPremisesSync {
		o["onPremisesSyncEnabled"] = true
	}
	return jsonAnswer(http.StatusOK, s.collection(c, "organization", []object{project(o, names)}, ""))
}

// domains answers GET /domains.
func (s *Server) domains(ctx context.Context, c *call) (answer, error) {
	list, err := s.as(c).Domains(ctx)
	if err != nil {
		return answer{}, err
	}
	values := make([]object, 0, len(list))
	for _, d := range list {
		values = append(values, object{
			"id": d.Name, "isDefault": d.IsDefault, "isInitial": d.Initial, "isVerified": true, "isRoot": true,
			"authenticationType": authentication(d), "supportedServices": []string{"Email", "OfficeCommunicationsOnline"},
		})
	}
	return jsonAnswer(http.StatusOK, s.collection(c, "domains", values, ""))
}

// extensions answers POST /directoryObjects/getAvailableExtensionProperties.
func (s *Server) extensions(ctx context.Context, c *call) (answer, error) {
	list, err := s.as(c).Extensions(ctx)
	if err != nil {
		return answer{}, err
	}
	return jsonAnswer(http.StatusOK, s.collection(c, "directoryObjects", extensionValues(list), ""))
}

func extensionValues(list []entra.Extension) []object {
	values := make([]object, 0, len(list))
	for _, e := range list {
		values = append(values, object{
			"id": e.Name, "appDisplayName": e.Application, "name": e.Name, "dataType": e.DataType, "isMultiValued": e.MultiValued,
			"isSyncedFromOnPremises": false, "targetObjects": []string{"User"}, "deletedDateTime": nil,
		})
	}
	return values
}

// applicationExtensions answers GET /applications/{id}/extensionProperties.
func (s *Server) applicationExtensions(ctx context.Context, c *call) (answer, error) {
	app, err := s.as(c).Application(ctx, c.vars["application"])
	if err != nil {
		return answer{}, err
	}
	list, err := s.as(c).Extensions(ctx)
	if err != nil {
		return answer{}, err
	}
	prefix := "extension_" + strings.ReplaceAll(app.AppID, "-", "") + "_"
	list = slices.DeleteFunc(list, func(e entra.Extension) bool { return !strings.HasPrefix(e.Name, prefix) })
	return jsonAnswer(http.StatusOK, s.collection(c, "applications/extensionProperties", extensionValues(list), ""))
}
