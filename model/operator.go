package model

import "time"

// SignInMethod says how an operator proved who it is.
type SignInMethod string

// The ways to sign in to the console.
const (
	SignInPassword SignInMethod = "password"
	SignInLink     SignInMethod = "link"  // a link that works once
	SignInEntra    SignInMethod = "entra" // OpenID Connect
)

// OperatorSession is one place where an operator is signed in. Only a keyed hash of what the browser holds is stored.
type OperatorSession struct {
	ID             string `gorm:"primaryKey"`
	OrganizationID string
	OperatorID     string
	Hash           string
	Method         SignInMethod
	UserAgent      string
	RemoteAddress  string
	CreatedAt      time.Time
	SeenAt         time.Time // to the minute
	ExpiresAt      time.Time // whatever happens
}

// LinkPurpose says what a link that works once is good for.
type LinkPurpose string

// What links are good for.
const (
	LinkFirst    LinkPurpose = "first"    // make the first operator of the organization
	LinkPassword LinkPurpose = "password" // choose a password, and sign in
	LinkSignIn   LinkPurpose = "sign_in"  // sign in
)

// OperatorLink is a link that works once. Only a keyed hash of its secret is stored.
type OperatorLink struct {
	ID             string `gorm:"primaryKey"`
	OrganizationID string
	OperatorID     *string // nil for LinkFirst
	Purpose        LinkPurpose
	Hash           string
	CreatedAt      time.Time
	ExpiresAt      time.Time
}
