package directory

import (
	"errors"
	"strings"

	"usher/directory/assertion"
	"usher/model"
	"usher/model/store"
)

// The bounds of what a federation names, in characters.
const (
	maxIdentifier = 500
	maxURL        = 1000
)

// cloud is where a cloud's tenants sign in.
type cloud struct {
	login string // of tokens of version 2
	sts   string // issuer of tokens of version 1
}

func clouds() map[string]cloud {
	return map[string]cloud{
		"global": {"https://login.microsoftonline.com", "https://sts.windows.net"},
		"usgov":  {"https://login.microsoftonline.us", "https://sts.windows.net"},
		"dod":    {"https://login.microsoftonline.us", "https://sts.windows.net"},
		"china":  {"https://login.partner.microsoftonline.cn", "https://sts.chinacloudapi.cn"},
	}
}

// checkFederation brings a federation into the form that is stored, or refuses it.
func checkFederation(f *model.SCIMClientFederation) error {
	f.TenantID = strings.ToLower(f.TenantID)
	switch {
	case (f.TenantID == "") == (f.Issuer == ""):
		return model.FieldErrorf(model.Invalid, "tenant_id", "either tenant_id or issuer is required, not both")
	case f.TenantID != "" && !store.ValidID(f.TenantID):
		return model.FieldErrorf(model.Invalid, "tenant_id", "must be the directory (tenant) id, such as 5f9e1b1c-3d6a-4b52-9e0a-0a1b2c3d4e5f")
	case f.TenantID != "" && clouds()[f.Cloud] == cloud{}:
		return model.FieldErrorf(model.Invalid, "cloud", "must be global, usgov, dod or china")
	case f.Issuer != "" && f.Cloud != "":
		return model.FieldErrorf(model.Invalid, "cloud", "belongs to tenant_id, not to issuer")
	case f.Issuer != "" && f.JWKSURL == "":
		return model.FieldErrorf(model.Invalid, "jwks_url", "is required with issuer")
	}
	for _, c := range []struct{ field, value string }{{"subject", f.Subject}, {"audience", f.Audience}} {
		if c.value == "" {
			return model.FieldErrorf(model.Invalid, c.field, "is required")
		}
		if err := checkText(c.field, c.value, maxIdentifier); err != nil {
			return err
		}
	}
	return errors.Join(checkURL("issuer", f.Issuer), checkURL("jwks_url", f.JWKSURL))
}

func checkURL(field, text string) error {
	if text == "" {
		return nil
	}
	if err := checkText(field, text, maxURL); err != nil {
		return err
	}
	if err := assertion.CheckURL(text); err != nil {
		return model.FieldErrorf(model.Invalid, field, "%s", err)
	}
	return nil
}

// trust says what an assertion must be for a federation. A tenant's issuer has three names, by the version of its tokens.
func (s *Service) trust(f *model.SCIMClientFederation) assertion.Trust {
	t := assertion.Trust{Issuers: []string{f.Issuer}, Subject: f.Subject, Audience: f.Audience, JWKSURL: f.JWKSURL}
	if f.TenantID == "" {
		return t
	}
	c := clouds()[f.Cloud]
	if s.LoginURL != "" {
		c.login = strings.TrimRight(s.LoginURL, "/")
	}
	tenant := c.login + "/" + f.TenantID
	t.Issuers = []string{tenant + "/v2.0", tenant, tenant + "/", c.sts + "/" + f.TenantID + "/", c.sts + "/" + f.TenantID}
	if t.JWKSURL == "" {
		t.JWKSURL = tenant + "/discovery/v2.0/keys"
	}
	return t
}
