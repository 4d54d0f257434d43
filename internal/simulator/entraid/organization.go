package entraid

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"usher/internal/simulator"
	"usher/model/entra"
)

// Organization gives the tenant itself (Graph: GET /organization).
func (s *Session) Organization(ctx context.Context) (entra.Organization, error) {
	var out entra.Organization
	needs := append(readUsers(), "Organization.Read.All")
	err := s.do(ctx, call{method: "Organization", needs: needs}, func() error {
		d := s.directory
		d.mu.Lock()
		defer d.mu.Unlock()
		out = entra.Organization{ID: d.options.ID, DisplayName: d.options.Name, Domains: slices.Clone(d.domains), OnPremisesSync: d.hybrid}
		return nil
	})
	return out, err
}

// Domains gives the verified domains (Graph: GET /domains).
func (s *Session) Domains(ctx context.Context) ([]entra.Domain, error) {
	var out []entra.Domain
	needs := []string{"Domain.Read.All", "Domain.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	err := s.do(ctx, call{method: "Domains", needs: needs}, func() error {
		s.directory.mu.Lock()
		defer s.directory.mu.Unlock()
		out = slices.Clone(s.directory.domains)
		return nil
	})
	return out, err
}

// Extensions lists the directory extensions (Graph: POST /directoryObjects/getAvailableExtensionProperties).
func (s *Session) Extensions(ctx context.Context) ([]entra.Extension, error) {
	var out []entra.Extension
	needs := []string{"Directory.Read.All", "Directory.ReadWrite.All", "Application.Read.All", "Application.ReadWrite.All"}
	err := s.do(ctx, call{method: "Extensions", needs: needs}, func() error {
		s.directory.mu.Lock()
		defer s.directory.mu.Unlock()
		out = slices.Clone(s.directory.extensions)
		return nil
	})
	return out, err
}

// SetExtension gives a user a value of a directory extension that has been defined; "" takes it away.
func (d *Directory) SetExtension(userID, name, value string) error {
	return d.tenant.Edit(userID, func(u *simulator.User) error {
		setExtension(u, name, value)
		return nil
	})
}

func setExtension(u *simulator.User, name, value string) {
	change(u, func(m *simulator.More) {
		m.Extensions = maps.Clone(m.Extensions)
		if m.Extensions == nil {
			m.Extensions = map[string]string{}
		}
		if m.Extensions[name] = value; value == "" {
			delete(m.Extensions, name)
		}
	})
}

// maxExtension is how many characters the value of a directory extension has.
const maxExtension = 256

// putExtension sets a directory extension from JSON.
func (r rules) putExtension(u *simulator.User, name string, value any) error {
	e, defined := r.extension(name)
	if !defined {
		return Invalid("The following extension properties are not available: %s.", name)
	}
	text, fits := "", true
	switch v := value.(type) {
	case nil:
	case string:
		text = v
		fits = e.DataType == "String" || e.DataType == "Binary"
		if e.DataType == "DateTime" {
			_, err := time.Parse(time.RFC3339, v)
			fits = err == nil
		}
	case bool:
		text, fits = strconv.FormatBool(v), e.DataType == "Boolean"
	case float64:
		text, fits = strconv.FormatFloat(v, 'f', -1, 64), e.DataType == "Integer" || e.DataType == "LargeInteger"
	default:
		fits = false
	}
	if !fits || len(text) > maxExtension {
		return badValue(name)
	}
	setExtension(u, name, text)
	return nil
}

// ExtensionValue gives the value of a directory extension as its type has it in JSON.
func (d *Directory) ExtensionValue(name, text string) any {
	e, _ := d.rules().extension(name)
	switch e.DataType {
	case "Integer", "LargeInteger":
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
	case "Boolean":
		return text == "true"
	}
	return text
}
