package webhook

import (
	"fmt"
	"net/netip"
	"syscall"
)

// Guard says which addresses may be called: those of the public internet, and what an operator allows beside them. It is asked
// with the address that is dialled, so that no name server can lead a request astray between a check and its use.
type Guard struct{ Allowed []netip.Prefix }

// PrivateError is why a request was not sent.
type PrivateError struct{ Address netip.Addr }

// Error says what to do.
func (e PrivateError) Error() string {
	return fmt.Sprintf("%s is not an address of the public internet; allow its network with USHER_WEBHOOK_ALLOW if it is meant", e.Address)
}

// special are networks that are not of the public internet beside those that net/netip knows (IANA special-purpose registries).
func special() []string {
	return []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16",
	}
}

// Check refuses an address that may not be called.
func (g Guard) Check(a netip.Addr) error {
	a = a.Unmap().WithZone("")
	for _, p := range g.Allowed {
		if p.Contains(a) {
			return nil
		}
	}
	if !a.IsValid() || !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return PrivateError{a}
	}
	for _, text := range special() {
		if netip.MustParsePrefix(text).Contains(a) {
			return PrivateError{a}
		}
	}
	return nil
}

// control is Check of what a dialer is about to connect to.
func (g Guard) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	return g.Check(to.Addr())
}
