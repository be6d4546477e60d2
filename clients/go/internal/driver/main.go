// Command driver makes the library do what the scenarios in tests/scenarios ask, as driver.proto there describes.
package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/chatbridge/chatbridge/clients/go/internal/driverpb"
)

func main() {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "driver:", err)
		os.Exit(1)
	}
}

// serve answers requests until the input ends.
func serve(input io.Reader, output io.Writer) error {
	driver := newDriver()
	defer driver.close()
	var writing sync.Mutex
	lines := bufio.NewReader(input)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF && len(line) == 0 {
			return nil
		}
		if err != nil && err != io.EOF {
			return err
		}
		request, err := decode(line)
		if err != nil {
			return err
		}
		// What only notes something is done in the order of the input.
		answer := driver.begin(request)
		go func() {
			response := answer()
			response.Id = request.GetId()
			encoded, err := proto.Marshal(response)
			if err != nil {
				panic(err)
			}
			writing.Lock()
			defer writing.Unlock()
			fmt.Fprintln(output, base64.StdEncoding.EncodeToString(encoded))
		}()
	}
}

func decode(line []byte) (*driverpb.Request, error) {
	encoded, err := base64.StdEncoding.AppendDecode(nil, trimmed(line))
	if err != nil {
		return nil, err
	}
	request := &driverpb.Request{}
	return request, proto.Unmarshal(encoded, request)
}

func trimmed(line []byte) []byte {
	for len(line) > 0 && (line[len(line)-1] == '\n' || line[len(line)-1] == '\r') {
		line = line[:len(line)-1]
	}
	return line
}
