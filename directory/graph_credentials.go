package directory

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"time"
)

// GraphCredential is what an integration proves to Entra with who it is, as far as it may be told.
type GraphCredential struct {
	IntegrationID string
	Certificate   bool       // else a client secret
	Since         time.Time  // when it was entered
	EndsAt        *time.Time // of a certificate; when a secret ends, Entra alone knows
	// EarlierKey says that it is sealed with another key than the one that seals now.
	EarlierKey bool
}

// GraphCredentials gives the stored credentials of an organization's integrations, the oldest first.
func (s *Service) GraphCredentials(ctx context.Context, organizationID string) ([]GraphCredential, error) {
	sealed, err := s.Store.Read(ctx).SecretsOf(organizationID)
	list := make([]GraphCredential, 0, len(sealed))
	for i := range sealed {
		x := &sealed[i]
		c := GraphCredential{IntegrationID: x.IntegrationID, Since: x.UpdatedAt, Certificate: x.Name == SecretCertificatePEM, EarlierKey: x.KeyID != s.Keys.KeyID()}
		if c.Certificate {
			if text, err := s.Keys.Open(x.KeyID, x.Sealed, x.IntegrationID+"/"+x.Name); err == nil {
				c.EndsAt = certificateEnds(text)
			}
		}
		list = append(list, c)
	}
	return list, err
}

// certificateEnds gives when the first certificate of a PEM text ends, nil where none can be read.
func certificateEnds(text string) *time.Time {
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil
		}
		return new(certificate.NotAfter.UTC())
	}
}

// Expiring says in how many days, begun ones included, something ends that ends within 30 days; 0 of what has ended within the last
// 30. ok is false where nobody needs a warning.
func Expiring(endsAt *time.Time, now time.Time) (days int, ok bool) {
	if endsAt == nil || endsAt.After(now.Add(expiredShown)) || !endsAt.After(now.Add(-expiredShown)) {
		return 0, false
	}
	if left := endsAt.Sub(now); left > 0 {
		days = int((left + day - 1) / day)
	}
	return days, true
}

// ExpiredShown is how long before and after its end a credential is spoken of.
func ExpiredShown() time.Duration { return expiredShown }

// EndsInWords says when something ends or has ended, for a sentence that begins with what it is.
func EndsInWords(endsAt, now time.Time) string {
	days, _ := Expiring(&endsAt, now)
	at := endsAt.UTC().Format("2 January 2006")
	if days == 0 {
		return "has ended on " + at
	}
	return "ends within " + inDays(days) + ", on " + at
}
