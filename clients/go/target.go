package chatbridge

import (
	"fmt"
	"net"
	"strings"

	"google.golang.org/grpc/resolver"
)

// listScheme marks a target that is a list of servers.
const listScheme = "chatbridge-list"

// target is a target as gRPC takes it, and what its scheme says of TLS.
type target struct {
	name string
	// Where it begins with http:// or https://.
	plaintext, encrypted bool
	// The servers, where there are several.
	resolver *serverList
}

// parseTarget reads what New takes.
func parseTarget(given string) (target, error) {
	var parsed target
	addresses := strings.Split(given, ",")
	for i, address := range addresses {
		address = strings.TrimSpace(address)
		port := "443"
		if rest, cut := strings.CutPrefix(address, "http://"); cut {
			address, port, parsed.plaintext = rest, "80", true
		} else if rest, cut := strings.CutPrefix(address, "https://"); cut {
			address, parsed.encrypted = rest, true
		} else if len(addresses) == 1 {
			// gRPC's own form.
			if address == "" {
				return target{}, fmt.Errorf("chatbridge: the target is empty")
			}
			return target{name: address}, nil
		}
		address = strings.TrimSuffix(address, "/")
		if address == "" || strings.Contains(address, "/") {
			return target{}, fmt.Errorf("chatbridge: %q in the target is no HOST:PORT", address)
		}
		if _, _, err := net.SplitHostPort(address); err != nil {
			address = net.JoinHostPort(strings.Trim(address, "[]"), port)
		}
		addresses[i] = address
	}
	if parsed.plaintext && parsed.encrypted {
		return target{}, fmt.Errorf("chatbridge: the target mixes http and https")
	}
	parsed.name = "dns:///" + addresses[0]
	if len(addresses) > 1 {
		parsed.resolver = &serverList{addresses: addresses}
		parsed.name = listScheme + ":///" + addresses[0]
	}
	return parsed, nil
}

// serverList resolves a target to a fixed list of servers.
type serverList struct {
	addresses []string
}

// Scheme is of the targets that it resolves.
func (l *serverList) Scheme() string {
	return listScheme
}

// Build tells the channel of the servers, which do not change.
func (l *serverList) Build(_ resolver.Target, channel resolver.ClientConn, _ resolver.BuildOptions) (resolver.Resolver, error) {
	var state resolver.State
	for _, address := range l.addresses {
		// Each server's certificate is checked for the server's own name.
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		state.Endpoints = append(state.Endpoints,
			resolver.Endpoint{Addresses: []resolver.Address{{Addr: address, ServerName: host}}})
	}
	return l, channel.UpdateState(state)
}

// ResolveNow has nothing to find out.
func (l *serverList) ResolveNow(resolver.ResolveNowOptions) {}

// Close has nothing to close.
func (l *serverList) Close() {}
