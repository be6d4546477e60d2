package chatbridge

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/anypb"

	pb "github.com/chatbridge/chatbridge/clients/go/chatbridge/v1"
)

// readAs reads an error as of a call of the method.
func readAs(t *testing.T, path string, err error) *Error {
	t.Helper()
	var read *Error
	if !errors.As(readError(context.Background(), methodOf(path), err), &read) {
		t.Fatal("it is no *Error")
	}
	return read
}

func TestAnErrorHasWhatTheServerSaid(t *testing.T) {
	said, err := status.New(codes.ResourceExhausted, "too\n fast").WithDetails(
		&errdetails.ErrorInfo{
			Domain: "chatbridge", Reason: "UPSTREAM_RATE_LIMITED",
			Metadata: map[string]string{"reference_id": "ref-7", "http_status": "429"},
		},
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
			{Field: "user.name", Description: "is too long"},
		}},
		retryInfo(1500*time.Millisecond),
	)
	if err != nil {
		t.Fatal(err)
	}
	read := readAs(t, pb.ConversationService_SendMessage_FullMethodName, said.Err())
	if read.Code != codes.ResourceExhausted || read.Reason != "UPSTREAM_RATE_LIMITED" || read.Metadata["http_status"] != "429" {
		t.Errorf("%+v", read)
	}
	if len(read.FieldViolations) != 1 || read.FieldViolations[0] != (FieldViolation{"user.name", "is too long"}) {
		t.Error(read.FieldViolations)
	}
	if wait, told := read.RetryAfter(); !told || wait != 1500*time.Millisecond {
		t.Error(wait, told)
	}
	if text := read.Error(); text != "ResourceExhausted (UPSTREAM_RATE_LIMITED): too fast [reference ref-7]" {
		t.Error(text)
	}
	wrapped := fmt.Errorf("while sending: %w", read)
	if known, is := status.FromError(wrapped); !is || known.Code() != codes.ResourceExhausted || len(known.Details()) != 3 {
		t.Error(known)
	}
}

func TestDetailsThatAreNotTheServicesAreLeftOut(t *testing.T) {
	others := protoadapt.MessageV1Of(&errdetails.ErrorInfo{Domain: "proxy.example", Reason: "TRY_LATER"})
	if read := readAs(t, "", failure(codes.Unavailable, "", others)); read.Reason != "" {
		t.Error(read.Reason)
	}
	broken := status.ErrorProto(&spb.Status{
		Code:    int32(codes.NotFound),
		Details: []*anypb.Any{{TypeUrl: "type.googleapis.com/google.rpc.ErrorInfo", Value: []byte{0xff}}},
	})
	read := readAs(t, "", broken)
	if read.Code != codes.NotFound || read.Reason != "" || read.Message == "" {
		t.Errorf("%+v", read)
	}
	if _, told := read.RetryAfter(); told {
		t.Error("it says how long to wait")
	}
}

func TestWhetherItMayHaveHappened(t *testing.T) {
	cases := []struct {
		method string
		err    error
		want   bool
	}{
		{pb.ConversationService_SendMessage_FullMethodName, failure(codes.Unknown, "UPSTREAM_OUTCOME_UNKNOWN"), true},
		{pb.ConversationService_SendMessage_FullMethodName, failure(codes.DeadlineExceeded, ""), true},
		{pb.ConversationService_SendMessage_FullMethodName, failure(codes.DeadlineExceeded, "UPSTREAM_TIMEOUT"), false},
		{pb.ConversationService_SendMessage_FullMethodName, failure(codes.Unavailable, ""), false},
		{pb.ConversationService_GetConversation_FullMethodName, failure(codes.DeadlineExceeded, ""), false},
		{pb.AgentEventService_AgentEvents_FullMethodName, failure(codes.DeadlineExceeded, ""), false},
	}
	for _, test := range cases {
		if read := readAs(t, test.method, test.err); read.OutcomeUnknown != test.want {
			t.Errorf("%s: %v: %v", test.method, read, read.OutcomeUnknown)
		}
	}
}

func TestAStreamThatEndedForGoodIsAnErrorToo(t *testing.T) {
	cases := []struct {
		reason pb.EndingReason
		code   codes.Code
		name   string
	}{
		{pb.EndingReason_ENDING_REASON_UNAUTHORIZED, codes.PermissionDenied, "ENDING_REASON_UNAUTHORIZED"},
		{pb.EndingReason_ENDING_REASON_TAKEN_OVER, codes.Aborted, "ENDING_REASON_TAKEN_OVER"},
		{99, codes.Aborted, "ENDING_REASON_99"},
	}
	for _, test := range cases {
		var read *Error
		err := error(streamEnded(&pb.Ending{Reason: test.reason}))
		if !errors.As(err, &read) || read.Reason != test.name || read.Code != test.code || status.Code(err) != test.code {
			t.Error(err)
		}
	}
}
