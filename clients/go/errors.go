package chatbridge

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/chatbridge/chatbridge/clients/go/chatbridge/v1"
)

// ErrClosed is what a client answers after its Close.
var ErrClosed = errors.New("chatbridge: the client is closed")

// errorDomain marks an ErrorInfo as the service's own; a proxy's has another.
const errorDomain = "chatbridge"

// Error says why a call failed or a stream broke: what the server said, or gRPC about the connection. Tell errors apart by
// Code and Reason; the text is for people. Find it with [errors.As]; [status.FromError] and [status.Code] work as well.
type Error struct {
	// Code is the gRPC status code.
	Code codes.Code
	// Message is a sentence that says what happened.
	Message string
	// Reason is the service's stable word for it, such as UPSTREAM_RATE_LIMITED; empty: not the service's own error.
	Reason string
	// Metadata has further facts that the server gave.
	Metadata map[string]string
	// FieldViolations are the fields that are wrong, where Code is InvalidArgument.
	FieldViolations []FieldViolation
	// OutcomeUnknown says that it may have happened all the same: repeat it only with the same request_id, or look first.
	OutcomeUnknown bool

	retryAfter *time.Duration
	status     *status.Status
	// What the caller's own context ended with, if that is why.
	cause error
}

// FieldViolation says what is wrong with one field of a request.
type FieldViolation struct {
	// Field is its path in the request, such as user.additional_properties[3].key.
	Field string
	// Description says what is wrong and what is expected.
	Description string
}

// RetryAfter is how long the server asks to wait before a repeat; false: it did not say.
func (e *Error) RetryAfter() (time.Duration, bool) {
	if e.retryAfter == nil {
		return 0, false
	}
	return *e.retryAfter, true
}

// ReferenceID is what the vendor's support asks for; empty: the vendor gave none.
func (e *Error) ReferenceID() string {
	return e.Metadata["reference_id"]
}

// Error has code, reason, sentence and reference on one line.
func (e *Error) Error() string {
	var text strings.Builder
	text.WriteString(e.Code.String())
	if e.Reason != "" {
		fmt.Fprintf(&text, " (%s)", e.Reason)
	}
	// What a proxy says may have several lines.
	fmt.Fprintf(&text, ": %s", strings.Join(strings.Fields(e.Message), " "))
	if reference := e.ReferenceID(); reference != "" {
		fmt.Fprintf(&text, " [reference %s]", reference)
	}
	return text.String()
}

// GRPCStatus is the status with all its details, for [status.FromError].
func (e *Error) GRPCStatus() *status.Status {
	if e.status != nil {
		return e.status
	}
	return status.New(e.Code, e.Message)
}

// Unwrap is [context.Canceled] or [context.DeadlineExceeded] where the caller's own context ended the call.
func (e *Error) Unwrap() error {
	return e.cause
}

// StreamEndedError says that the server ended a stream of events and advised not to connect again. It is found by
// [errors.As] as an [Error] too, whose Reason is the ending's.
type StreamEndedError struct {
	// Ending is what the server sent.
	Ending *pb.Ending

	err *Error
}

func streamEnded(ending *pb.Ending) *StreamEndedError {
	code := codes.Aborted
	if ending.GetReason() == pb.EndingReason_ENDING_REASON_UNAUTHORIZED {
		code = codes.PermissionDenied
	}
	reason, known := pb.EndingReason_name[int32(ending.GetReason())]
	if !known {
		// A server that is newer than this client.
		reason = fmt.Sprintf("ENDING_REASON_%d", ending.GetReason())
	}
	return &StreamEndedError{Ending: ending, err: &Error{
		Code:    code,
		Message: "the server ended the stream and advised not to connect again with the same request",
		Reason:  reason,
	}}
}

// Error has code, reason and sentence on one line.
func (e *StreamEndedError) Error() string {
	return e.err.Error()
}

// GRPCStatus is the status as [status.FromError] reads it.
func (e *StreamEndedError) GRPCStatus() *status.Status {
	return e.err.GRPCStatus()
}

// Unwrap is the same as an [Error].
func (e *StreamEndedError) Unwrap() error {
	return e.err
}

// readError makes an Error of what gRPC returned for a call of method under the caller's context ctx. Nil stays nil.
func readError(ctx context.Context, method method, err error) error {
	if err == nil {
		return nil
	}
	if known := (*Error)(nil); errors.As(err, &known) {
		return err
	}
	said, _ := status.FromError(err)
	read := &Error{Code: said.Code(), Message: said.Message(), status: said}
	if read.Message == "" {
		read.Message = "the server gave no description"
	}
	// Details that cannot be read come as errors, which match nothing here: the code still counts.
	for _, detail := range said.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			if detail.GetDomain() == errorDomain {
				read.Reason = detail.GetReason()
				read.Metadata = maps.Clone(detail.GetMetadata())
			}
		case *errdetails.BadRequest:
			for _, violation := range detail.GetFieldViolations() {
				read.FieldViolations = append(read.FieldViolations,
					FieldViolation{Field: violation.GetField(), Description: violation.GetDescription()})
			}
		case *errdetails.RetryInfo:
			wait := max(detail.GetRetryDelay().AsDuration(), 0)
			read.retryAfter = &wait
		}
	}
	read.OutcomeUnknown = read.Reason == "UPSTREAM_OUTCOME_UNKNOWN" ||
		read.Code == codes.DeadlineExceeded && read.Reason == "" && !method.reads
	if read.Reason == "" && (read.Code == codes.DeadlineExceeded || read.Code == codes.Canceled) {
		read.cause = ctx.Err()
	}
	return read
}
