// Command packaging writes a Go module as a proxy serves it: below a directory that GOPROXY can name as file://.
//
//	packaging SOURCE VERSION DIRECTORY
//
// It is a module of its own so that the client does not depend on what it needs.
package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: packaging SOURCE VERSION DIRECTORY")
	}
	if err := write(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		log.Fatal("packaging: ", err)
	}
}

func write(source, version, directory string) error {
	goMod, err := os.ReadFile(filepath.Join(source, "go.mod"))
	if err != nil {
		return err
	}
	made := module.Version{Path: modfile.ModulePath(goMod), Version: version}
	if err := module.Check(made.Path, made.Version); err != nil {
		return err
	}
	path, err := module.EscapePath(made.Path)
	if err != nil {
		return err
	}
	// The time is that of the tag; without one, a fixed one, so that the same source gives the same package.
	info, err := json.Marshal(map[string]any{"Version": version, "Time": time.Unix(0, 0).UTC()})
	if err != nil {
		return err
	}
	versions := filepath.Join(directory, path, "@v")
	if err := os.MkdirAll(versions, 0o755); err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"list":            []byte(version + "\n"),
		version + ".info": info,
		version + ".mod":  goMod,
	} {
		if err := os.WriteFile(filepath.Join(versions, name), content, 0o644); err != nil {
			return err
		}
	}
	archive, err := os.Create(filepath.Join(versions, version+".zip"))
	if err != nil {
		return err
	}
	if err := cmp.Or(zip.CreateFromDir(archive, made, source), archive.Close()); err != nil {
		return err
	}
	fmt.Println(archive.Name())
	return nil
}
