package directory

import (
	"encoding/pem"
	"strings"
	"unicode/utf8"

	"usher/model"
)

// How long an integration's client id and secrets may be.
const (
	maxClientID     = 200
	maxClientSecret = 4_000
	maxCertificate  = 100_000
)

// CheckGraphSecrets refuses secrets that are too long, and a certificate that has not both parts, as long as somebody looks at it: the
// door to Graph would, hours later. An empty one is to be forgotten.
func CheckGraphSecrets(secrets map[string]string) error {
	for _, x := range []struct {
		name string
		most int
	}{{SecretClientSecret, maxClientSecret}, {SecretCertificatePEM, maxCertificate}} {
		if utf8.RuneCountInString(secrets[x.name]) > x.most {
			return model.FieldErrorf(model.Invalid, "graph."+x.name, "has at most %d characters", x.most)
		}
	}
	return checkCertificate(secrets[SecretCertificatePEM])
}

func checkCertificate(text string) error {
	const field = "graph." + SecretCertificatePEM
	certificate, key := false, false
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		certificate = certificate || block.Type == "CERTIFICATE"
		key = key || strings.HasSuffix(block.Type, "PRIVATE KEY")
	}
	switch {
	case text == "" || certificate && key:
		return nil
	case certificate:
		return model.FieldErrorf(model.Invalid, field, "has a certificate without its private key: add the part that begins with -----BEGIN PRIVATE KEY-----")
	case key:
		return model.FieldErrorf(model.Invalid, field, "has a private key without its certificate: add the part that begins with -----BEGIN CERTIFICATE-----")
	}
	return model.FieldErrorf(model.Invalid, field, "is no PEM: it begins with -----BEGIN CERTIFICATE-----")
}
