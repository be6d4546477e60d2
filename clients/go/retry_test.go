package chatbridge

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"

	pb "github.com/chatbridge/chatbridge/clients/go/chatbridge/v1"
)

func TestWhichCallsAreMadeAgain(t *testing.T) {
	const (
		repeatable = pb.ConversationService_SendMessage_FullMethodName
		once       = pb.ConversationService_TransferConversation_FullMethodName
	)
	cases := []struct {
		method  string
		err     error
		attempt int
		want    bool
	}{
		{once, failure(codes.Unavailable, "STORE_UNAVAILABLE"), 0, true},
		{once, failure(codes.Unavailable, ""), 0, false},
		{repeatable, failure(codes.Unavailable, ""), 0, true},
		{pb.ConversationService_GetConversation_FullMethodName, failure(codes.Unavailable, ""), 0, true},
		{"/another.Service/Method", failure(codes.Unavailable, ""), 0, false},
		{once, failure(codes.DeadlineExceeded, "UPSTREAM_TIMEOUT"), 0, true},
		{repeatable, failure(codes.DeadlineExceeded, ""), 0, false},
		{repeatable, failure(codes.DeadlineExceeded, "WAIT_TIMED_OUT"), 0, false},
		{once, failure(codes.ResourceExhausted, "CALLER_RATE_LIMITED", retryInfo(0)), 0, true},
		{once, failure(codes.ResourceExhausted, "UPSTREAM_RATE_LIMITED", retryInfo(0)), 0, true},
		{once, failure(codes.ResourceExhausted, "UPSTREAM_THROTTLED", retryInfo(0)), 0, true},
		{repeatable, failure(codes.ResourceExhausted, "CALLER_RATE_LIMITED"), 0, false},
		{repeatable, failure(codes.ResourceExhausted, "STREAM_LIMIT", retryInfo(0)), 0, false},
		{repeatable, failure(codes.Aborted, "REQUEST_IN_FLIGHT"), 0, false},
		{repeatable, failure(codes.Aborted, "REQUEST_IN_FLIGHT"), 1, true},
		{repeatable, failure(codes.Aborted, "UPSTREAM_CONFLICT"), 1, false},
		{repeatable, failure(codes.Unknown, "UPSTREAM_OUTCOME_UNKNOWN"), 0, false},
		{repeatable, failure(codes.Internal, "STORE_CORRUPT"), 0, false},
	}
	for _, test := range cases {
		read := readAs(t, test.method, test.err)
		if got := again(methodOf(test.method), read, test.attempt); got != test.want {
			t.Errorf("%s: %v: %v", test.method, read, got)
		}
	}
}

// attempts makes a call that always fails, and says how often it was made and how long that took.
func attempts(ctx context.Context, most int, fails error) (made int, took time.Duration, err error) {
	begun := time.Now()
	err = withRetries(ctx, method{}, most, func() error {
		made++
		return readError(ctx, method{}, fails)
	})
	return made, time.Since(begun), err
}

func TestAttemptsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made, took, err := attempts(t.Context(), 4, failure(codes.Unavailable, "DRAINING"))
		if made != 4 || took > 700*time.Millisecond || err == nil {
			t.Error(made, took, err)
		}
		if made, took, _ := attempts(t.Context(), 4, failure(codes.NotFound, "SESSION_UNKNOWN")); made != 1 || took != 0 {
			t.Error(made, took)
		}
	})
}

func TestTheServersWaitIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limited := failure(codes.ResourceExhausted, "CALLER_RATE_LIMITED", retryInfo(5*time.Second))
		made, took, _ := attempts(t.Context(), 3, limited)
		if made != 3 || took < 10*time.Second || took > 10*time.Second+300*time.Millisecond {
			t.Error(made, took)
		}
	})
}

func TestNoAttemptIsBegunBehindTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		limited := failure(codes.ResourceExhausted, "CALLER_RATE_LIMITED", retryInfo(5*time.Second))
		var read *Error
		if made, took, err := attempts(ctx, 4, limited); made != 1 || took != 0 || !errors.As(err, &read) {
			t.Error(made, took, err)
		}
	})
}

func TestACallerThatGoesAwayEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		limited := failure(codes.ResourceExhausted, "CALLER_RATE_LIMITED", retryInfo(time.Hour))
		if made, took, _ := attempts(ctx, 4, limited); made != 1 || took != time.Second {
			t.Error(made, took)
		}
	})
}

func TestBackoff(t *testing.T) {
	backoff := Backoff{}.withDefaults()
	for attempt, want := range []time.Duration{200, 400, 800, 1600, 3200, 6400, 10000, 10000} {
		if bound := backoff.bound(attempt); bound != want*time.Millisecond {
			t.Error(attempt, bound)
		}
	}
	if bound := backoff.bound(1 << 30); bound != 10*time.Second {
		t.Error("after a long outage:", bound)
	}
	seen := map[bool]bool{}
	for range 100 {
		wait := backoff.wait(0)
		if wait < 0 || wait > 200*time.Millisecond {
			t.Error(wait)
		}
		seen[wait > 100*time.Millisecond] = true
	}
	if len(seen) != 2 {
		t.Error("the waits are not spread")
	}
}
