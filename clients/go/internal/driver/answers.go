package main

import (
	"errors"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	chatbridge "github.com/chatbridge/chatbridge/clients/go"
	"github.com/chatbridge/chatbridge/clients/go/internal/driverpb"
)

func now(response *driverpb.Response) func() *driverpb.Response {
	return func() *driverpb.Response { return response }
}

// done says that it was done, or what the library answered.
func done(err error) *driverpb.Response {
	if err != nil {
		return failed(err)
	}
	return &driverpb.Response{Result: &driverpb.Response_Done{Done: &driverpb.Done{}}}
}

// answered has a call's answer, or what it failed with.
func answered(response proto.Message, err error) *driverpb.Response {
	if err != nil {
		return failed(err)
	}
	encoded, err := proto.Marshal(response)
	if err != nil {
		return failure(err)
	}
	return &driverpb.Response{Result: &driverpb.Response_Call{Call: &driverpb.CallResult{Response: encoded}}}
}

// failed has the library's error; any other is the driver's own.
func failed(err error) *driverpb.Response {
	if told := errorOf(err); told != nil {
		return &driverpb.Response{Result: &driverpb.Response_Error{Error: told}}
	}
	return failure(err)
}

func failure(err error) *driverpb.Response {
	return &driverpb.Response{Result: &driverpb.Response_Failure{Failure: err.Error()}}
}

// errorOf is the library's error as the library tells it; nil: it is none.
func errorOf(err error) *driverpb.Error {
	var known *chatbridge.Error
	if !errors.As(err, &known) {
		return nil
	}
	told := &driverpb.Error{
		Code:           int32(known.Code),
		Reason:         known.Reason,
		Message:        known.Message,
		Metadata:       known.Metadata,
		ReferenceId:    known.ReferenceID(),
		OutcomeUnknown: known.OutcomeUnknown,
	}
	if wait, given := known.RetryAfter(); given {
		told.RetryAfter = durationpb.New(wait)
	}
	for _, violation := range known.FieldViolations {
		told.FieldViolations = append(told.FieldViolations,
			&driverpb.FieldViolation{Field: violation.Field, Description: violation.Description})
	}
	var ended *chatbridge.StreamEndedError
	if errors.As(err, &ended) {
		told.EndingReason = ended.Ending.GetReason().String()
	}
	return told
}
