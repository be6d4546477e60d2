#!/usr/bin/env bash
# The Java client: what it needs, its code from the contract, its checks, its driver, examples and package.
#
#   java.sh tools | generate [--check] | format | lint | test | build | driver | example NAME [ARGUMENT...] | package
set -euo pipefail
source "$(dirname "$0")/../lib.sh"

JAVA_CLIENT="$ROOT/clients/java"
BUILT="$JAVA_CLIENT/target"
JAVA_TOOLS="$TOOLS/java"
# What they write runs with the libraries of clients/java/pom.xml, which must not be older.
PROTOC_VERSION="4.36.2"
GRPC_PLUGIN_VERSION="1.83.1"
FORMATTER_VERSION="1.28.0"
DEPENDENCY_PLUGIN="org.apache.maven.plugins:maven-dependency-plugin:3.11.0"
FORMATTER="$JAVA_TOOLS/google-java-format-$FORMATTER_VERSION-all-deps.jar"
# A small heap, so that a bound on memory means something; and no costly compiling for programs that run for seconds.
JVM=(-Xmx192m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto)

# Maven resets colours that it was told not to use, in lines of their own.
quiet_maven() {
    mvn --quiet --batch-mode --no-transfer-progress -Dstyle.color=never "$@" 2>&1 | sed $'s/\e\\[0*m//g; /^$/d' >&2
}

maven() {
    quiet_maven --file "$JAVA_CLIENT/pom.xml" "$@"
}

# As Maven Central names this kind of machine.
platform() {
    local system machine
    case "$(uname -s)" in
    Linux) system=linux ;;
    Darwin) system=osx ;;
    *) stop "the Java client's code can be generated on Linux and macOS only" ;;
    esac
    case "$(uname -m)" in
    x86_64) machine=x86_64 ;;
    aarch64 | arm64) machine=aarch_64 ;;
    *) stop "there is no protoc-gen-grpc-java for $(uname -m)" ;;
    esac
    printf '%s-%s' "$system" "$machine"
}

# fetch COORDINATES: a file of Maven Central, into .tools/java.
fetch() {
    mkdir -p "$JAVA_TOOLS"
    quiet_maven "$DEPENDENCY_PLUGIN:copy" -Dartifact="$1" -DoutputDirectory="$JAVA_TOOLS" ||
        stop "$1 cannot be had from Maven Central"
}

# program NAME VERSION: where a program of Maven Central is.
program() {
    printf '%s/%s-%s-%s.exe' "$JAVA_TOOLS" "$1" "$2" "$(platform)"
}

# install GROUP NAME VERSION: such a program.
install_program() {
    local path
    path="$(program "$2" "$3")"
    if [ ! -x "$path" ]; then
        section "Installing $2 into .tools/java"
        fetch "$1:$2:$3:exe:$(platform)"
        chmod +x "$path"
    fi
}

tools() {
    local missing=() stamp="$JAVA_TOOLS/stamp" wanted version
    have javac || missing+=(openjdk-17-jdk-headless)
    have mvn || missing+=(maven)
    [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
    version="$(javac -version 2>&1)"
    version="${version#javac }"
    [ "${version%%.*}" -ge 17 ] || stop "javac is $version; 17 or newer is needed"
    install_program com.google.protobuf protoc "$PROTOC_VERSION"
    install_program io.grpc protoc-gen-grpc-java "$GRPC_PLUGIN_VERSION"
    [ -f "$FORMATTER" ] || fetch "com.google.googlejavaformat:google-java-format:$FORMATTER_VERSION:jar:all-deps"
    wanted="$(cat "$JAVA_CLIENT/pom.xml")"
    if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
        section "Fetching what the Java client is built with"
        # It leaves out what plugins load by themselves, which Maven then fetches when it is needed first.
        maven "$DEPENDENCY_PLUGIN:go-offline"
        printf '%s\n' "$wanted" >"$stamp"
    fi
}

# write_code DIRECTORY: what the contract and the drivers' protocol give, as DIRECTORY/{v1,driver}.
write_code() {
    local out="$1" google protoc plugin
    protoc="$(program protoc "$PROTOC_VERSION")"
    plugin="$(program protoc-gen-grpc-java "$GRPC_PLUGIN_VERSION")"
    [ -x "$protoc" ] && [ -x "$plugin" ] || stop "run scripts/clients/java.sh tools first"
    # Google's own files, which protoc from Maven Central comes without.
    google="$("$PYTHON" -c 'import grpc_tools, pathlib; print(pathlib.Path(grpc_tools.__file__).parent / "_proto")')"
    mkdir -p "$out/v1" "$out/driver"
    (
        cd "$ROOT/proto"
        find chatbridge -name '*.proto' | LC_ALL=C sort | xargs "$protoc" -I . -I "$google" \
            --plugin=protoc-gen-grpc-java="$plugin" --java_out="$out/v1" --grpc-java_out="$out/v1"
    )
    (cd "$ROOT/tests/scenarios" && "$protoc" -I . -I "$google" --java_out="$out/driver" driver.proto)
}

generate() {
    local work committed_v1="$JAVA_CLIENT/src/main/java/io/chatbridge/v1"
    local committed_driver="$JAVA_CLIENT/driver/io/chatbridge/driver/v1"
    work="$(mktemp -d)"
    trap 'rm -rf "$work"' RETURN
    write_code "$work"
    if [ "${1:-}" = --check ]; then
        diff -r "$work/v1/io/chatbridge/v1" "$committed_v1" >/dev/null &&
            diff -r "$work/driver/io/chatbridge/driver/v1" "$committed_driver" >/dev/null ||
            stop "clients/java has code that is not what the contract gives; run: make generate"
        return
    fi
    rm -rf "$committed_v1" "$committed_driver"
    mkdir -p "$(dirname "$committed_v1")" "$(dirname "$committed_driver")"
    cp -R "$work/v1/io/chatbridge/v1" "$committed_v1"
    cp -R "$work/driver/io/chatbridge/driver/v1" "$committed_driver"
}

# inputs PATH...: a fingerprint of files below clients/java.
inputs() {
    (cd "$JAVA_CLIENT" && find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 cksum) | cksum
}

# built STAMP PATH...: whether what STAMP says was built from these files as they are.
built() {
    local stamp="$1"
    shift
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(inputs "$@")" ]
}

# The library's dependencies, as Maven found them.
classpath() {
    cat "$BUILT/classpath"
}

library() {
    local stamp="$BUILT/library.stamp"
    if ! built "$stamp" pom.xml src/main; then
        rm -f "$stamp"
        maven compile "$DEPENDENCY_PLUGIN:build-classpath" \
            -Dmdep.outputFile="$BUILT/classpath" -DincludeScope=runtime
        inputs pom.xml src/main >"$stamp"
    fi
}

build() {
    local stamp="$BUILT/programs.stamp" what
    library
    if ! built "$stamp" pom.xml src/main driver examples; then
        rm -rf "$stamp" "$BUILT/driver" "$BUILT/examples"
        for what in driver examples; do
            mkdir -p "$BUILT/$what"
            find "$JAVA_CLIENT/$what" -name '*.java' |
                xargs javac -proc:none -nowarn -d "$BUILT/$what" -cp "$BUILT/classes:$(classpath)"
        done
        inputs pom.xml src/main driver examples >"$stamp"
    fi
}

# run DIRECTORY CLASS [ARGUMENT...]: what build left there.
run() {
    local directory="$BUILT/$1"
    shift
    [ -d "$directory" ] || stop "run scripts/clients/java.sh build first"
    exec java "${JVM[@]}" -cp "$directory:$BUILT/classes:$(classpath)" "$@"
}

# Java's names of examples begin with a capital.
example() {
    local name="${1:-}"
    [ -f "$JAVA_CLIENT/examples/${name^}.java" ] || stop "there is no example '$name' in clients/java/examples"
    shift
    run examples "${name^}" "$@"
}

# What people write, as opposed to what is generated.
handwritten() {
    find "$JAVA_CLIENT"/{src,driver,examples} -name '*.java' -not -path '*/v1/*' | LC_ALL=C sort
}

formatter() {
    local exports=() package
    for package in api code file parser tree util; do
        exports+=("--add-exports=jdk.compiler/com.sun.tools.javac.$package=ALL-UNNAMED")
    done
    handwritten | xargs java -XX:TieredStopAtLevel=1 "${exports[@]}" -jar "$FORMATTER" "$@"
}

# checked CLASSPATH FILE...: compiles files with every warning as an error, and keeps nothing of it but the classes for the next.
checked() {
    local path="$1"
    shift
    javac -proc:none -implicit:none -Xlint:all -Xdoclint:all,-missing -Werror -d "$work" -cp "$work:$path" "$@"
}

lint() {
    local work unformatted main
    build
    unformatted="$(formatter --dry-run)"
    [ -z "$unformatted" ] || stop "not formatted: run scripts/clients/java.sh format, for"$'\n'"$unformatted"
    work="$(mktemp -d)"
    trap 'rm -rf "$work"' RETURN
    main="$BUILT/classes:$BUILT/driver:$(classpath)"
    checked "$main" "$JAVA_CLIENT"/src/main/java/io/chatbridge/client/*.java
    checked "$main" "$JAVA_CLIENT"/driver/io/chatbridge/driver/*.java
    checked "$main" "$JAVA_CLIENT"/examples/*.java
    # What tests need beside that, Maven has found for them.
    checked "$BUILT/classes:$(test_classpath)" "$JAVA_CLIENT"/src/test/java/io/chatbridge/client/*.java
}

test_classpath() {
    [ "$BUILT/test-classpath" -nt "$JAVA_CLIENT/pom.xml" ] ||
        maven "$DEPENDENCY_PLUGIN:build-classpath" -Dmdep.outputFile="$BUILT/test-classpath" -DincludeScope=test
    cat "$BUILT/test-classpath"
}

run_tests() {
    maven test
    # Maven is quiet where all is well.
    awk '/^Tests run:/ { gsub(",", ""); run += $3; failed += $5 + $7; skipped += $9 }
        END { printf "%d passed, %d failed, %d skipped\n", run - failed - skipped, failed, skipped }' \
        "$BUILT"/surefire-reports/*.txt
}

# write_project DIRECTORY VERSION REPOSITORY: an empty project that has the package from a repository, and README.md's program.
write_project() {
    mkdir -p "$1/src/main/java"
    awk '/^```/ { if (inside) exit; inside = /java/; next } inside' "$JAVA_CLIENT/README.md" |
        sed "s/127.0.0.1:50051/$address/" >"$1/src/main/java/Hello.java"
    cat >"$1/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>example</groupId>
  <artifactId>hello</artifactId>
  <version>1</version>
  <properties>
    <maven.compiler.release>17</maven.compiler.release>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <repositories>
    <repository><id>packages</id><url>file://$3</url></repository>
  </repositories>
  <dependencies>
    <dependency>
      <groupId>io.chatbridge</groupId>
      <artifactId>chatbridge-client</artifactId>
      <version>$2</version>
    </dependency>
  </dependencies>
  <build>
    <plugins>
      <plugin><artifactId>maven-resources-plugin</artifactId><version>3.5.0</version></plugin>
      <plugin><artifactId>maven-compiler-plugin</artifactId><version>3.16.0</version></plugin>
    </plugins>
  </build>
</project>
POM
}

package() {
    local packages="$ROOT/target/packages/java" version name heard
    version="$(client_version java)"
    maven package -DskipTests -Dmaven.test.skip=true
    rm -rf "$packages"
    mkdir -p "$packages"
    name="chatbridge-client-$version"
    cp "$BUILT/$name.jar" "$BUILT/$name-sources.jar" "$packages"
    cp "$JAVA_CLIENT/pom.xml" "$packages/$name.pom"

    work="$(mktemp -d)"
    trap 'end_service; rm -rf "$work"' EXIT
    # What Maven has fetched already, without what it may have of this package.
    cp -Rs "$HOME/.m2/repository" "$work/fetched"
    rm -rf "$work/fetched/io/chatbridge"
    quiet_maven org.apache.maven.plugins:maven-install-plugin:3.2.0:install-file \
        -Dfile="$packages/$name.jar" -Dsources="$packages/$name-sources.jar" -DpomFile="$packages/$name.pom" \
        -DlocalRepositoryPath="$work/repository"
    start_service "$work"
    write_project "$work/project" "$version" "$work/repository"
    quiet_maven --file "$work/project/pom.xml" -Dmaven.repo.local="$work/fetched" compile \
        "$DEPENDENCY_PLUGIN:build-classpath" -Dmdep.outputFile="$work/classpath" -DincludeScope=runtime
    grep -q "$work/fetched/io/chatbridge/chatbridge-client/$version/" "$work/classpath" ||
        stop "the project was not built with the package"
    heard="$(timeout 60 java "${JVM[@]}" -cp "$work/project/target/classes:$(cat "$work/classpath")" Hello)"
    [ -n "$heard" ] || stop "the program of clients/java/README.md heard nothing from the agent"
    echo "an empty project with $name.jar heard: $heard"
}

case "${1:-}" in
tools) tools ;;
generate) generate "${2:-}" ;;
format) formatter --replace ;;
lint) lint ;;
test) run_tests ;;
build) build ;;
driver) run driver io.chatbridge.driver.Main ;;
example) example "${@:2}" ;;
package) package ;;
*)
    stop "usage: java.sh tools | generate [--check] | format | lint | test | build | driver | example NAME [ARGUMENT...] |" \
        "package"
    ;;
esac
