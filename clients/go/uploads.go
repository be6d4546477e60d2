package chatbridge

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"os"
	"path/filepath"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	pb "github.com/chatbridge/chatbridge/clients/go/chatbridge/v1"
)

// chunkBytes is the largest piece in which a file is sent. The contract takes up to 1 MiB; smaller ones keep less in memory and
// are as fast.
const chunkBytes = 256 << 10

// File is a file of a hand-over.
type File struct {
	// About is what the agent sees of it. FileName and AuthorType are required, and SizeBytes unless Content knows it: what has
	// a Len method, as bytes.Reader has, and *os.File do.
	About *pb.HandOverFile
	// Content is read to its end, in pieces.
	Content io.Reader
}

// UploadAttachment uploads a file into a conversation. A message that refers to the attachment's id shows it to the agent.
//
// content is read to its end in pieces; an error of it ends the call and is returned, wrapped. start needs the conversation, the
// author, the file's name, and its size in bytes unless content knows it: what has a Len method, as bytes.Reader has, and
// *os.File do.
func (c *Client) UploadAttachment(
	ctx context.Context, start *pb.UploadAttachmentStart, content io.Reader, opts ...grpc.CallOption,
) (*pb.UploadAttachmentResponse, error) {
	start = proto.CloneOf(start)
	if start.GetSizeBytes() == 0 {
		start.SizeBytes = sizeOf(content)
	}
	return send(ctx, c, c.AttachmentServiceClient.UploadAttachment, opts,
		func(call grpc.ClientStreamingClient[pb.UploadAttachmentRequest, pb.UploadAttachmentResponse]) error {
			err := call.Send(&pb.UploadAttachmentRequest{Part: &pb.UploadAttachmentRequest_Start{Start: start}})
			if err != nil {
				return err
			}
			return inChunks(content, func(chunk []byte) error {
				return call.Send(&pb.UploadAttachmentRequest{Part: &pb.UploadAttachmentRequest_Chunk{Chunk: chunk}})
			})
		})
}

// UploadAttachmentFile uploads the file at path, as UploadAttachment does. Name and media type are the path's, unless start has
// others.
func (c *Client) UploadAttachmentFile(
	ctx context.Context, start *pb.UploadAttachmentStart, path string, opts ...grpc.CallOption,
) (*pb.UploadAttachmentResponse, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("chatbridge: %w", err)
	}
	defer file.Close()
	start = proto.CloneOf(start)
	start.FileName = cmp.Or(start.GetFileName(), filepath.Base(path))
	start.MediaType = cmp.Or(start.GetMediaType(), mime.TypeByExtension(filepath.Ext(start.FileName)))
	return c.UploadAttachment(ctx, start, file, opts...)
}

// HandOverConversation hands a customer over in one call: conversation, transcript of any length, context and files. What became
// of each file is in the answer, since one that fails does not undo the conversation. An error of a file's content ends the call
// and is returned, wrapped.
func (c *Client) HandOverConversation(
	ctx context.Context, start *pb.HandOver, files []File, opts ...grpc.CallOption,
) (*pb.HandOverConversationResponse, error) {
	return send(ctx, c, c.ConversationServiceClient.HandOverConversation, opts,
		func(call grpc.ClientStreamingClient[pb.HandOverConversationRequest, pb.HandOverConversationResponse]) error {
			err := call.Send(&pb.HandOverConversationRequest{Part: &pb.HandOverConversationRequest_Start{Start: start}})
			if err != nil {
				return err
			}
			for _, file := range files {
				about := proto.CloneOf(file.About)
				if about.GetSizeBytes() == 0 {
					about.SizeBytes = sizeOf(file.Content)
				}
				err := call.Send(&pb.HandOverConversationRequest{Part: &pb.HandOverConversationRequest_File{File: about}})
				if err != nil {
					return err
				}
				err = inChunks(file.Content, func(chunk []byte) error {
					return call.Send(&pb.HandOverConversationRequest{Part: &pb.HandOverConversationRequest_Chunk{Chunk: chunk}})
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
}

// send makes a call that carries files, whose messages write sends.
func send[Request, Response any](
	ctx context.Context,
	client *Client,
	open func(context.Context, ...grpc.CallOption) (grpc.ClientStreamingClient[Request, Response], error),
	opts []grpc.CallOption,
	write func(grpc.ClientStreamingClient[Request, Response]) error,
) (*Response, error) {
	ctx, timedOut := withTimeout(ctx, client.transferTimeout)
	defer timedOut()
	// Whoever leaves before the answer wants no more of the call.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	call, err := open(ctx, opts...)
	if err != nil {
		return nil, err
	}
	// io.EOF: the server has answered already, and says why.
	if err := write(call); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return call.CloseAndRecv()
}

// inChunks reads content to its end, no faster than send sends.
func inChunks(content io.Reader, send func([]byte) error) error {
	if content == nil {
		return nil
	}
	buffer := make([]byte, chunkBytes)
	for {
		read, failed := content.Read(buffer)
		if read > 0 {
			// gRPC may still look at a message that was sent, so each piece has memory of its own.
			if err := send(bytes.Clone(buffer[:read])); err != nil {
				return err
			}
		}
		if errors.Is(failed, io.EOF) {
			return nil
		}
		if failed != nil {
			return fmt.Errorf("chatbridge: reading the file: %w", failed)
		}
	}
}

// sizeOf is how many bytes are left to read, where content knows it; 0: it does not.
func sizeOf(content io.Reader) int64 {
	switch content := content.(type) {
	case interface{ Len() int }:
		return int64(content.Len())
	case *os.File:
		about, err := content.Stat()
		if err != nil || !about.Mode().IsRegular() {
			return 0
		}
		at, err := content.Seek(0, io.SeekCurrent)
		if err != nil {
			return 0
		}
		return max(about.Size()-at, 0)
	default:
		return 0
	}
}
