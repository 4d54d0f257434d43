// Package assertion checks the JSON Web Tokens by which another identity provider, Entra above all, vouches for a SCIM client
// (RFC 7523 §3, RFC 7519), and fetches the keys that they are signed with (RFC 7517). It knows nothing of clients or of the
// database, and imports go-jose and nothing of Usher.
package assertion

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Trust is what an assertion must say to be taken.
type Trust struct {
	Issuers  []string // iss is exactly one of them
	Subject  string   // sub, exactly
	Audience string   // aud is it, or a list that has it
	JWKSURL  string   // where the issuer's keys are
}

// Claims are what an assertion says of itself before anything of it was proved.
type Claims struct {
	Issuer, Subject string
	Audience        []string
}

// MaxSize bounds an assertion, in bytes. Entra's have about two thousand.
const MaxSize = 16 << 10

// Skew is how far the clocks of the issuer and of this machine may be apart.
const Skew = time.Minute

// minRSABits is the shortest RSA key that is taken (RFC 7518 §3.3).
const minRSABits = 2048

// Refusal says why an assertion is not taken, for the administrator's log.
type Refusal struct{ Reason string }

// Error gives the reason.
func (r *Refusal) Error() string { return "assertion refused: " + r.Reason }

func refuse(format string, args ...any) error { return &Refusal{fmt.Sprintf(format, args...)} }

// ErrKeys says that the issuer's keys could not be had, so that nothing can be said of the assertion.
var ErrKeys = errors.New("the issuer's keys cannot be fetched")

// algorithms are those whose signatures are taken: asymmetric ones alone, so that a public key can never be used as a secret.
func algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256}
}

// Peek reads the claims without any proof, to find out whose trust to check them against. It is a *Refusal where the text is no
// signed JSON Web Token of a permitted algorithm.
func Peek(token string) (Claims, error) {
	_, claims, err := parse(token)
	return Claims{claims.Issuer, claims.Subject, claims.Audience}, err
}

func parse(token string) (*jwt.JSONWebToken, jwt.Claims, error) {
	var claims jwt.Claims
	if len(token) > MaxSize {
		return nil, claims, refuse("it is larger than %d bytes", MaxSize)
	}
	parsed, err := jwt.ParseSigned(token, algorithms())
	if err != nil {
		return nil, claims, refuse("it is no JSON Web Token signed with RS256, PS256 or ES256")
	}
	if len(parsed.Headers) != 1 || parsed.Headers[0].KeyID == "" {
		return nil, claims, refuse("it does not name its key (kid)")
	}
	if err := parsed.UnsafeClaimsWithoutVerification(&claims); err != nil {
		return nil, claims, refuse("its claims cannot be read")
	}
	return parsed, claims, nil
}

// Verify checks everything that an assertion must satisfy: signature by a key of the issuer, issuer, subject, audience, and
// the times, with Skew. It is a *Refusal where one is not satisfied, and wraps ErrKeys where the keys cannot be had.
//
// An assertion may be shown again while it is good: Entra does so itself, and whoever could replay it would get no more than
// another token of the same client.
func (k *Keys) Verify(ctx context.Context, token string, trust Trust) error {
	parsed, claims, err := parse(token)
	if err != nil {
		return err
	}
	if err := check(claims, trust, k.now()); err != nil { // before any key is fetched
		return err
	}
	header := parsed.Headers[0]
	keys, err := k.find(ctx, trust.JWKSURL, header.KeyID)
	if err != nil {
		return err
	}
	for i := range keys {
		if !usable(&keys[i], header.Algorithm) {
			continue
		}
		if parsed.Claims(keys[i].Key, &claims) == nil {
			return nil
		}
	}
	return refuse("no key %q of the issuer proves its signature", clip(header.KeyID))
}

func check(c jwt.Claims, trust Trust, now time.Time) error {
	switch {
	case !slices.Contains(trust.Issuers, c.Issuer):
		return refuse("the issuer is %q, want %q", clip(c.Issuer), trust.Issuers)
	case c.Subject != trust.Subject || c.Subject == "":
		return refuse("the subject is %q, want %q", clip(c.Subject), trust.Subject)
	case !c.Audience.Contains(trust.Audience) || trust.Audience == "":
		return refuse("the audience is %.200q, want %q", c.Audience, trust.Audience)
	case c.Expiry == nil:
		return refuse("it does not say when it expires (exp)")
	case !now.Before(c.Expiry.Time().Add(Skew)):
		return refuse("it expired at %s", c.Expiry.Time().UTC().Format(time.RFC3339))
	case c.NotBefore != nil && now.Add(Skew).Before(c.NotBefore.Time()):
		return refuse("it is not good before %s", c.NotBefore.Time().UTC().Format(time.RFC3339))
	case c.IssuedAt != nil && now.Add(Skew).Before(c.IssuedAt.Time()):
		return refuse("it was issued in the future, at %s", c.IssuedAt.Time().UTC().Format(time.RFC3339))
	}
	return nil
}

// usable says whether a key may prove a signature of the algorithm.
func usable(key *jose.JSONWebKey, algorithm string) bool {
	if key.Use != "" && key.Use != "sig" || key.Algorithm != "" && key.Algorithm != algorithm {
		return false
	}
	switch public := key.Key.(type) {
	case *rsa.PublicKey:
		return algorithm != string(jose.ES256) && public.N.BitLen() >= minRSABits
	case *ecdsa.PublicKey:
		return algorithm == string(jose.ES256) && public.Curve.Params().BitSize == 256
	}
	return false
}

func clip(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
