package chatbridge

import (
	"errors"
	"log/slog"
	"time"

	"google.golang.org/grpc/codes"

	pb "github.com/chatbridge/chatbridge/clients/go/chatbridge/v1"
)

// step is what a stream does after a connection.
type step struct {
	// Whether it connects again, and after which time.
	again bool
	wait  time.Duration
}

// after decides what follows a connection that is over. An error ends the stream.
func (r *reader) after(broken broken) (step, error) {
	if r.gap {
		return step{}, gapError(broken.err)
	}
	if broken.ending != nil {
		return r.afterEnding(broken.ending)
	}
	err := broken.err
	if err == nil {
		err = &Error{Code: codes.Unavailable, Message: "the server closed the stream without saying why"}
	}
	var failed *Error
	if r.stream.options.withoutResume || !errors.As(err, &failed) || !r.mendable(failed) {
		return step{}, err
	}
	if broken.held >= r.stream.client.backoff.StableAfter {
		r.attempt = 0
	}
	atLeast, _ := failed.RetryAfter()
	wait := atLeast + r.backOff()
	r.stream.log(slog.LevelWarn, "the stream of events broke and resumes", failed.Error(), wait)
	return step{again: true, wait: wait}, nil
}

func (r *reader) afterEnding(ending *pb.Ending) (step, error) {
	if r.stream.options.withoutResume {
		return step{}, nil
	}
	var atLeast time.Duration
	switch ending.GetReconnect() {
	case pb.ReconnectAdvice_RECONNECT_ADVICE_NEVER:
		return step{}, streamEnded(ending)
	case pb.ReconnectAdvice_RECONNECT_ADVICE_LATER:
		atLeast = max(ending.GetRetryAfter().AsDuration(), 0)
	}
	r.attempt = 0
	wait := atLeast + r.backOff()
	r.stream.log(slog.LevelInfo, "the server ended the stream of events, which resumes", ending.GetReason().String(), wait)
	return step{again: true, wait: wait}, nil
}

// mendable says whether connecting again may help.
func (r *reader) mendable(err *Error) bool {
	switch err.Code {
	case codes.Unavailable:
		return true
	case codes.ResourceExhausted:
		_, told := err.RetryAfter()
		return told
	case codes.Unknown, codes.Internal, codes.Canceled, codes.DeadlineExceeded:
		// Without a reason it is the network's or a proxy's.
		return err.Reason == ""
	case codes.Unauthenticated:
		r.refusals++
		return r.stream.client.tokenChanges && r.refusals <= refusalsMax
	default:
		// Only of a change that is made anew: the server has lost the stream already.
		return err.Reason == "STREAM_UNKNOWN"
	}
}

func (r *reader) backOff() time.Duration {
	wait := r.stream.client.backoff.wait(r.attempt)
	r.attempt++
	return wait
}

// gapError is what the request asks for after a gap, even where the connection broke before the server said it.
func gapError(err error) error {
	var failed *Error
	if errors.As(err, &failed) && failed.Reason == "CURSOR_GAP" {
		return err
	}
	return &Error{
		Code:    codes.OutOfRange,
		Message: "events behind the start are gone",
		Reason:  "CURSOR_GAP",
	}
}

// log tells of a break once.
func (s *EventStream) log(level slog.Level, what, why string, wait time.Duration) {
	s.client.logger.LogAttrs(s.caller, level, what, slog.String("why", why), slog.Duration("wait", wait))
}
