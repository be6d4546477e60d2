package chatbridge

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"
)

// again says whether a call of method that failed with err may be made again. attempt counts from 0.
func again(method method, err *Error, attempt int) bool {
	switch err.Code {
	case codes.Unavailable:
		// The service gives a reason only where nothing happened or a repeat is harmless. Without one, nobody knows whether
		// the call arrived.
		return err.Reason != "" || method.repeatable
	case codes.DeadlineExceeded:
		return err.Reason == "UPSTREAM_TIMEOUT"
	case codes.ResourceExhausted:
		_, told := err.RetryAfter()
		return told && (err.Reason == "CALLER_RATE_LIMITED" || err.Reason == "UPSTREAM_RATE_LIMITED" ||
			err.Reason == "UPSTREAM_THROTTLED")
	case codes.Aborted:
		// An own attempt may still be running; another's is the caller's to know of.
		return err.Reason == "REQUEST_IN_FLIGHT" && attempt > 0
	default:
		return false
	}
}

// withRetries makes a call up to attempts times, where that is safe. gRPC's own retries, which a service config would turn on,
// cannot look at reasons, so they are off.
func withRetries(ctx context.Context, method method, attempts int, call func() error) error {
	for attempt := 0; ; attempt++ {
		err := call()
		var failed *Error
		if !errors.As(err, &failed) || attempt+1 >= attempts || !again(method, failed, attempt) {
			return err
		}
		atLeast, _ := failed.RetryAfter()
		wait := atLeast + callBackoff.wait(attempt)
		if deadline, has := ctx.Deadline(); has && time.Until(deadline) <= wait {
			return err
		}
		if !sleep(ctx, wait) {
			return err
		}
	}
}

// sleep waits; false: ctx ended first.
func sleep(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
