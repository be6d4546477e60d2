package chatbridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"google.golang.org/grpc"

	pb "github.com/chatbridge/chatbridge/clients/go/chatbridge/v1"
)

// Download is a file that comes piece by piece. Read gives io.EOF only where it was complete; with any other error what came is
// the beginning of the file.
type Download struct {
	// Attachment has id, name, type and size, as far as the vendor says them with the bytes.
	Attachment *pb.Attachment

	call   grpc.ServerStreamingClient[pb.DownloadAttachmentResponse]
	cancel context.CancelFunc
	// What came and was not read.
	rest []byte
}

// DownloadAttachment begins to download a file. Read it and close it; both belong into one goroutine.
func (c *Client) DownloadAttachment(
	ctx context.Context, request *pb.DownloadAttachmentRequest, opts ...grpc.CallOption,
) (*Download, error) {
	ctx, timedOut := withTimeout(ctx, c.transferTimeout)
	ctx, cancel := context.WithCancel(ctx)
	download := &Download{cancel: func() { cancel(); timedOut() }}
	call, err := c.AttachmentServiceClient.DownloadAttachment(ctx, request, opts...)
	if err == nil {
		download.call = call
		err = download.receive()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		download.cancel()
		return nil, err
	}
	if download.Attachment == nil {
		download.Attachment = &pb.Attachment{}
	}
	return download, nil
}

// DownloadAttachmentFile downloads a file to path, which is written or replaced only once the file is complete.
func (c *Client) DownloadAttachmentFile(
	ctx context.Context, request *pb.DownloadAttachmentRequest, path string, opts ...grpc.CallOption,
) (*pb.Attachment, error) {
	download, err := c.DownloadAttachment(ctx, request, opts...)
	if err != nil {
		return nil, err
	}
	defer download.Close()
	partial, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".")
	if err != nil {
		return nil, fmt.Errorf("chatbridge: %w", err)
	}
	_, err = io.Copy(partial, download)
	err = errors.Join(err, partial.Close())
	if err == nil {
		err = os.Rename(partial.Name(), path)
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(partial.Name()))
	}
	return download.Attachment, nil
}

// Read reads the next bytes.
func (d *Download) Read(into []byte) (int, error) {
	for len(d.rest) == 0 {
		if err := d.receive(); err != nil {
			return 0, err
		}
	}
	read := copy(into, d.rest)
	d.rest = d.rest[read:]
	return read, nil
}

// Close ends the download, complete or not. It always returns nil.
func (d *Download) Close() error {
	d.cancel()
	return nil
}

func (d *Download) receive() error {
	response, err := d.call.Recv()
	if err != nil {
		return err
	}
	if start := response.GetStart(); start != nil {
		d.Attachment = start
	}
	d.rest = response.GetChunk()
	return nil
}
