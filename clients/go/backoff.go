package chatbridge

import (
	"math/rand/v2"
	"time"
)

// Backoff is how long streams wait before they connect again: exponential with full jitter, so that many clients of one
// server do not return together. A field that is zero has its default.
type Backoff struct {
	// Initial bounds the first wait, which is a random part of it; each further one has twice the bound. Default: 0.2 s.
	Initial time.Duration
	// Max bounds every wait, except where the server asks for a longer one. Default: 10 s.
	Max time.Duration
	// StableAfter is how long a connection has to hold for the next wait to be a first one again. Default: 5 s.
	StableAfter time.Duration
}

// callBackoff is between the attempts of a call.
var callBackoff = Backoff{Initial: 100 * time.Millisecond, Max: 2 * time.Second}

func (b Backoff) withDefaults() Backoff {
	if b.Initial <= 0 {
		b.Initial = 200 * time.Millisecond
	}
	if b.Max <= 0 {
		b.Max = 10 * time.Second
	}
	if b.StableAfter <= 0 {
		b.StableAfter = 5 * time.Second
	}
	return b
}

// bound is the longest wait before attempt, which counts from 0.
func (b Backoff) bound(attempt int) time.Duration {
	// Bounds the exponent as well, or a long outage would overflow.
	bound := b.Initial << min(attempt, 16)
	return min(bound, b.Max)
}

// wait is a random part of bound.
func (b Backoff) wait(attempt int) time.Duration {
	return rand.N(b.bound(attempt) + 1)
}
