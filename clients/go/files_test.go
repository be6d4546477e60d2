package chatbridge

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/chatbridge/chatbridge/clients/go/chatbridge/v1"
)

type (
	uploadServer   = grpc.ClientStreamingServer[pb.UploadAttachmentRequest, pb.UploadAttachmentResponse]
	handOverServer = grpc.ClientStreamingServer[pb.HandOverConversationRequest, pb.HandOverConversationResponse]
	downloadServer = grpc.ServerStreamingServer[pb.DownloadAttachmentResponse]
)

func TestAFileIsUploadedInPieces(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789"), 60_000)
	path := filepath.Join(t.TempDir(), "photo.png")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		var start *pb.UploadAttachmentStart
		var got []byte
		fake.upload = func(stream uploadServer) error {
			for {
				part, err := stream.Recv()
				if errors.Is(err, io.EOF) {
					return stream.SendAndClose(&pb.UploadAttachmentResponse{Attachment: &pb.Attachment{Id: "a1"}})
				}
				if err != nil {
					return err
				}
				if part.GetStart() != nil {
					start = part.GetStart()
				}
				if len(part.GetChunk()) > 256<<10 {
					t.Error("a piece has", len(part.GetChunk()))
				}
				got = append(got, part.GetChunk()...)
			}
		}
		given := &pb.UploadAttachmentStart{ConversationId: "c1"}
		answer, err := client.UploadAttachmentFile(context.Background(), given, path)
		if err != nil || answer.GetAttachment().GetId() != "a1" || !bytes.Equal(got, content) {
			t.Fatal(answer, err, len(got))
		}
		if start.GetFileName() != "photo.png" || start.GetMediaType() != "image/png" || start.GetSizeBytes() != 600_000 ||
			start.GetRequestId() == "" || start.GetTenant() != "t1" {
			t.Error(start)
		}
		if given.GetFileName() != "" || given.GetRequestId() != "" {
			t.Error("the caller's message was changed")
		}
	}, WithTenant("t1"))
}

func TestWhatTheSourceOfAnUploadRaisesIsRaised(t *testing.T) {
	broken := errors.New("the disk is gone")
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		ended := make(chan error, 1)
		fake.upload = func(stream uploadServer) error {
			for {
				if _, err := stream.Recv(); err != nil {
					ended <- err
					return err
				}
			}
		}
		source := &brokenReader{strings.NewReader("abc"), broken}
		if _, err := client.UploadAttachment(context.Background(), &pb.UploadAttachmentStart{}, source); !errors.Is(err, broken) {
			t.Error(err)
		}
		if err := <-ended; status.Code(err) != codes.Canceled {
			t.Error("the server sees", err)
		}
	})
}

func TestAnUploadThatTheServerEndsEarlyRaisesItsError(t *testing.T) {
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		fake.upload = func(uploadServer) error { return failure(codes.InvalidArgument, "INVALID_FIELD") }
		endless := io.LimitReader(zeros{}, 1<<30)
		_, err := client.UploadAttachment(context.Background(), &pb.UploadAttachmentStart{}, endless)
		if read := (*Error)(nil); !errors.As(err, &read) || read.Reason != "INVALID_FIELD" {
			t.Error(err)
		}
	})
}

type zeros struct{}

func (zeros) Read(into []byte) (int, error) {
	clear(into)
	return len(into), nil
}

func TestFilesOfAHandOverFollowEachOther(t *testing.T) {
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		var parts []string
		fake.handOver = func(stream handOverServer) error {
			for {
				request, err := stream.Recv()
				if errors.Is(err, io.EOF) {
					return stream.SendAndClose(&pb.HandOverConversationResponse{ConversationId: "c1"})
				}
				if err != nil {
					return err
				}
				switch part := request.GetPart().(type) {
				case *pb.HandOverConversationRequest_Start:
					if part.Start.GetRequestId() == "" {
						t.Error("no request_id")
					}
					parts = append(parts, "start")
				case *pb.HandOverConversationRequest_File:
					parts = append(parts, part.File.GetFileName(), string('0'+rune(part.File.GetSizeBytes())))
				case *pb.HandOverConversationRequest_Chunk:
					parts = append(parts, string(part.Chunk))
				}
			}
		}
		answer, err := client.HandOverConversation(context.Background(), &pb.HandOver{}, []File{
			{About: &pb.HandOverFile{FileName: "a"}, Content: strings.NewReader("one")},
			{About: &pb.HandOverFile{FileName: "b"}, Content: bytes.NewReader([]byte("three"))},
		})
		if err != nil || answer.GetConversationId() != "c1" {
			t.Fatal(answer, err)
		}
		if all := strings.Join(parts, " "); all != "start a 3 one b 5 three" {
			t.Error(all)
		}
	})
}

func downloads(last error, chunks ...string) func(downloadServer) error {
	return func(stream downloadServer) error {
		start := &pb.DownloadAttachmentResponse_Start{Start: &pb.Attachment{FileName: "a.txt"}}
		if err := stream.Send(&pb.DownloadAttachmentResponse{Part: start}); err != nil {
			return err
		}
		for _, chunk := range chunks {
			part := &pb.DownloadAttachmentResponse_Chunk{Chunk: []byte(chunk)}
			if err := stream.Send(&pb.DownloadAttachmentResponse{Part: part}); err != nil {
				return err
			}
		}
		return last
	}
}

func TestADownloadIsCompleteOrAnError(t *testing.T) {
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		fake.download = downloads(nil, "ab", "cde")
		download, err := client.DownloadAttachment(context.Background(), &pb.DownloadAttachmentRequest{})
		if err != nil || download.Attachment.GetFileName() != "a.txt" {
			t.Fatal(err)
		}
		defer download.Close()
		if content, err := io.ReadAll(download); string(content) != "abcde" || err != nil {
			t.Error(string(content), err)
		}

		fake.download = downloads(failure(codes.Internal, "UPSTREAM_UNEXPECTED"), "ab")
		broken, err := client.DownloadAttachment(context.Background(), &pb.DownloadAttachmentRequest{})
		if err != nil {
			t.Fatal(err)
		}
		defer broken.Close()
		var read *Error
		if content, err := io.ReadAll(broken); string(content) != "ab" || !errors.As(err, &read) {
			t.Error(string(content), err)
		}
	})
}

func TestADownloadedFileAppearsOnceItIsComplete(t *testing.T) {
	directory := t.TempDir()
	withFake(t, func(t *testing.T, fake *fake, client *Client) {
		path := filepath.Join(directory, "copy.txt")
		fake.download = downloads(failure(codes.Internal, "UPSTREAM_UNEXPECTED"), "ab")
		if _, err := client.DownloadAttachmentFile(context.Background(), &pb.DownloadAttachmentRequest{}, path); err == nil {
			t.Error("no error")
		}
		if left, _ := os.ReadDir(directory); len(left) != 0 {
			t.Error("left behind:", left)
		}
		fake.download = downloads(nil, "ab", "cde")
		about, err := client.DownloadAttachmentFile(context.Background(), &pb.DownloadAttachmentRequest{}, path)
		if err != nil || about.GetFileName() != "a.txt" {
			t.Error(about, err)
		}
		if content, err := os.ReadFile(path); string(content) != "abcde" || err != nil {
			t.Error(string(content), err)
		}
	})
}
