package directory

import (
	"context"
	_ "embed"
	"strings"
	"text/template"
	"unicode"

	"usher/model"
)

// The forms in which a set-up can be exported.
const (
	FormatPowerShell = "powershell"
	FormatTerraform  = "terraform"
)

//go:embed setup_powershell.tmpl
var powerShellText string

//go:embed setup_terraform.tmpl
var terraformText string

// exportView is what the templates see. No secret is part of it.
type exportView struct {
	Name, DisplayName, TenantID, TenantURL, TemplateID string
	Environment, TerraformEnvironment                  string // of a national cloud
	Token                                              TokenGuide
	Groups, Delegated                                  []string
	Changes                                            []AttributeMapping
}

// SetupExport gives the set-up by hand as a PowerShell script or as Terraform. It asks for the token, and never holds one.
func (s *Service) SetupExport(ctx context.Context, ref model.Ref, publicURL, format string) (string, error) {
	source := map[string]string{FormatPowerShell: powerShellText, FormatTerraform: terraformText}[format]
	if source == "" {
		return "", model.FieldErrorf(model.Invalid, "format", "%q is not one of json, %s, %s", cut(format, 100), FormatPowerShell, FormatTerraform)
	}
	entry, err := s.Lists(ctx, ref)
	if err != nil {
		return "", err
	}
	guide, err := s.SetupGuide(ctx, ref, publicURL)
	if err != nil {
		return "", err
	}
	i := entry.Integration
	if guide.Provisioning == nil {
		return "", model.FieldErrorf(model.Refused, "ingress", "integration %s pulls people over Graph; there is nothing to be provisioned by Entra", i.Name)
	}
	v := exportView{
		Name: i.Name, DisplayName: i.Name, TenantID: i.TenantID, TenantURL: guide.Provisioning.TenantURL, TemplateID: nonGalleryTemplate,
		Token: guide.Provisioning.Token, Delegated: signInScopes(),
	}
	v.Environment, v.TerraformEnvironment = cloudNames(i.Graph.Cloud)
	for _, m := range entry.GroupMappings {
		if tenantID.MatchString(m.Group.ExternalID) {
			v.Groups = append(v.Groups, strings.ToLower(m.Group.ExternalID))
		}
	}
	for _, row := range guide.Provisioning.Mappings.Users {
		if row.Do != "keep" {
			v.Changes = append(v.Changes, row)
		}
	}
	funcs := template.FuncMap{"ps": quotePowerShell, "hcl": quoteHCL, "comment": oneLine}
	t, err := template.New(format).Option("missingkey=error").Funcs(funcs).Parse(source)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	if err := t.Execute(&out, v); err != nil {
		return "", err
	}
	return out.String(), nil
}

// cloudNames are what Connect-MgGraph and Terraform's provider call a national cloud; "" for the global one.
func cloudNames(cloud string) (powerShell, terraform string) {
	switch cloud {
	case "usgov":
		return "USGov", "usgovernmentl4"
	case "dod":
		return "USGovDoD", "usgovernmentl5"
	case "china":
		return "China", "china"
	}
	return "", ""
}

// oneLine is a text that can stand in a comment: it cannot end one.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}

// quotePowerShell writes a verbatim string, in which the quote alone means anything. PowerShell takes typographic quotes for plain
// ones.
func quotePowerShell(text string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range oneLine(text) {
		if strings.ContainsRune("'‘’‚‛", r) {
			b.WriteRune(r)
		}
		b.WriteRune(r)
	}
	b.WriteByte('\'')
	return b.String()
}

// quoteHCL writes a string of Terraform's language, in which nothing is interpolated.
func quoteHCL(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `${`, `$${`, `%{`, `%%{`).Replace(oneLine(text)) + `"`
}
