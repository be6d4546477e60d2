package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"reflect"
	"strings"

	"google.golang.org/protobuf/proto"

	chatbridge "github.com/chatbridge/chatbridge/clients/go"
	pb "github.com/chatbridge/chatbridge/clients/go/chatbridge/v1"
	"github.com/chatbridge/chatbridge/clients/go/internal/driverpb"
)

// method finds a method of the client for a request, and reads the request as what the method takes.
func (c *client) method(name string, encoded []byte) (method, request reflect.Value, err error) {
	method = reflect.ValueOf(c.Client).MethodByName(name)
	if !method.IsValid() {
		return method, request, fmt.Errorf("the client has no method %s", name)
	}
	request = reflect.New(method.Type().In(1).Elem())
	return method, request, proto.Unmarshal(encoded, request.Interface().(proto.Message))
}

func (c *client) call(command *driverpb.Call) *driverpb.Response {
	_, name, _ := strings.Cut(command.GetMethod(), "/")
	method, request, err := c.method(name, command.GetRequest())
	if err != nil {
		return failure(err)
	}
	ctx := context.Background()
	if command.GetTimeout() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, command.GetTimeout().AsDuration())
		defer cancel()
	}
	results := method.Call([]reflect.Value{reflect.ValueOf(ctx), request})
	err, _ = results[1].Interface().(error)
	return answered(results[0].Interface().(proto.Message), err)
}

// iterate ranges over all items of ListThings by the method AllThings.
func (c *client) iterate(command *driverpb.Iterate) *driverpb.Response {
	_, name, _ := strings.Cut(command.GetMethod(), "/List")
	method, request, err := c.method("All"+name, command.GetRequest())
	if err != nil {
		return failure(err)
	}
	pages := &driverpb.Pages{}
	for item, err := range method.Call([]reflect.Value{reflect.ValueOf(context.Background()), request})[0].Seq2() {
		if err, isError := err.Interface().(error); isError {
			return failed(err)
		}
		encoded, err := proto.Marshal(item.Interface().(proto.Message))
		if err != nil {
			return failure(err)
		}
		pages.Items = append(pages.Items, encoded)
	}
	return &driverpb.Response{Result: &driverpb.Response_Pages{Pages: pages}}
}

func (c *client) upload(command *driverpb.Upload) *driverpb.Response {
	start := &pb.UploadAttachmentStart{}
	if err := proto.Unmarshal(command.GetStart(), start); err != nil {
		return failure(err)
	}
	return answered(c.UploadAttachment(context.Background(), start, bytes.NewReader(command.GetContent())))
}

func (c *client) handOver(command *driverpb.HandOver) *driverpb.Response {
	start := &pb.HandOver{}
	if err := proto.Unmarshal(command.GetStart(), start); err != nil {
		return failure(err)
	}
	var files []chatbridge.File
	for _, file := range command.GetFiles() {
		about := &pb.HandOverFile{}
		if err := proto.Unmarshal(file.GetStart(), about); err != nil {
			return failure(err)
		}
		files = append(files, chatbridge.File{About: about, Content: bytes.NewReader(file.GetContent())})
	}
	return answered(c.HandOverConversation(context.Background(), start, files))
}

func (c *client) download(command *driverpb.Download) *driverpb.Response {
	request := &pb.DownloadAttachmentRequest{}
	if err := proto.Unmarshal(command.GetRequest(), request); err != nil {
		return failure(err)
	}
	download, err := c.DownloadAttachment(context.Background(), request)
	if err != nil {
		return failed(err)
	}
	defer download.Close()
	content, err := io.ReadAll(download)
	if err != nil {
		return failed(err)
	}
	start, err := proto.Marshal(download.Attachment)
	if err != nil {
		return failure(err)
	}
	return &driverpb.Response{Result: &driverpb.Response_Downloaded{
		Downloaded: &driverpb.Downloaded{Content: content, Start: start},
	}}
}

func (c *client) commit(command *driverpb.Commit) *driverpb.Response {
	return answered(c.CommitCursor(context.Background(), &pb.CommitCursorRequest{
		Subscription: command.GetSubscription(),
		Cursor:       command.GetCursor(),
	}))
}
