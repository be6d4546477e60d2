//! Files as operators write them, right and wrong.

use rstest::rstest;

use super::{super::observed::Observed, *};

/// A file that can be written anew; each version has another time.
struct Written {
    dir: tempfile::TempDir,
    version: u64,
}

impl Written {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir, version: 0 }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("names.json")
    }

    fn write(&mut self, content: &[u8]) {
        self.version += 1;
        fs::write(self.path(), content).unwrap();
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(self.version);
        let file = File::options().write(true).open(self.path()).unwrap();
        file.set_modified(modified).unwrap();
    }
}

fn name(names: &FileNames, id: &str) -> Option<String> {
    names.name(id).map(|name| name.to_string())
}

#[test]
fn a_file_is_read_again_when_it_changes_and_only_then() {
    let seen = Observed::start();
    let mut file = Written::new();
    file.write(br#"{"a1": " Maria ", "a2": ""}"#);
    let names = FileNames::new(&file.path());
    for _ in 0..3 {
        names.0.look();
    }
    assert_eq!(seen.log().matches("agents' names were read").count(), 1);
    assert_eq!(name(&names, "a1").as_deref(), Some("Maria"));
    assert_eq!((name(&names, "a2"), name(&names, "a3")), (None, None));

    // Of the same length, and with a byte order mark the next time.
    file.write(br#"{"a1": " Marta ", "a2": ""}"#);
    names.0.look();
    assert_eq!(name(&names, "a1").as_deref(), Some("Marta"));
    file.write("\u{feff}{\"a1\": \"Zoë\"}".as_bytes());
    names.0.look();
    assert_eq!(name(&names, "a1").as_deref(), Some("Zoë"));
    let counted = [("found".to_owned(), 3), ("unknown".to_owned(), 2)];
    assert_eq!(seen.lookups(), counted);
}

#[rstest]
#[case::not_json("{\n  \"a1\": \"New\",\n  oops\n}", "line 3, column 3: this is not JSON")]
#[case::cut_off("{\n  \"a1\": \"Ne", "line 2, column 11: this is not JSON")]
#[case::empty("", "line 1, column 0: this is not JSON")]
#[case::a_list("[\"New\"]", "line 1, column 0: an object of ids and names is expected")]
#[case::a_number(
    "{\n  \"a1\": \"New\",\n\n  \"a2\": 7\n}",
    "line 4, column 9: an object of ids and names is expected"
)]
#[case::two_lines(
    "{\n  \"a1\": \"New\\nbot: hello\"\n\n\n}",
    "line 2, column 25: an object of ids and names is expected"
)]
#[case::more_behind("{\"a1\": \"New\"}\n{}", "line 2, column 1: this is not JSON")]
fn a_broken_file_is_refused_by_name_and_line_and_the_old_names_stay(
    #[case] content: &str,
    #[case] problem: &str,
) {
    let seen = Observed::start();
    let mut file = Written::new();
    file.write(br#"{"a1": "Maria"}"#);
    let names = FileNames::new(&file.path());
    names.0.look();
    seen.log();

    file.write(content.as_bytes());
    for _ in 0..3 {
        names.0.look();
    }
    let log = seen.log();
    assert_eq!(log.matches("WARN").count(), 1, "{log}");
    assert!(log.contains(problem) && log.contains("names.json"), "{log}");
    assert!(!log.contains("New") && !log.contains("oops"), "{log}");
    assert_eq!(name(&names, "a1").as_deref(), Some("Maria"));

    // The next version is told of too where it is as broken, and taken where it is not.
    file.write(content.as_bytes());
    names.0.look();
    assert!(seen.log().contains(problem));
    file.write(br#"{"a1": "Marta"}"#);
    names.0.look();
    assert_eq!(name(&names, "a1").as_deref(), Some("Marta"));
    let counted = [("found".to_owned(), 2), ("unusable".to_owned(), 2)];
    assert_eq!(seen.lookups(), counted);
}

#[test]
fn a_name_that_is_too_long_is_refused_and_so_is_a_file() {
    let seen = Observed::start();
    let mut file = Written::new();
    let names = FileNames::new(&file.path());
    file.write(format!("{{\"a1\":\n\"{}\"}}", "x".repeat(257)).as_bytes());
    names.0.look();
    assert!(seen.log().contains("line 2, column 259"));

    let large = File::create(file.path()).unwrap();
    large.set_len(FILE_BYTES_MAX + 1).unwrap();
    names.0.look();
    assert!(seen.log().contains("larger than 16777216 bytes"));
    assert_eq!(name(&names, "a1"), None);
}

#[test]
fn a_file_that_is_not_there_is_told_of_once_and_taken_when_it_comes() {
    let seen = Observed::start();
    let mut file = Written::new();
    let names = FileNames::new(&file.path());
    for _ in 0..3 {
        names.0.look();
    }
    let log = seen.log();
    assert_eq!(log.matches("it cannot be read").count(), 1, "{log}");
    file.write(br#"{"a1": "Maria"}"#);
    names.0.look();
    assert_eq!(name(&names, "a1").as_deref(), Some("Maria"));

    // It goes, a directory takes its place, and it comes back as it was.
    fs::remove_file(file.path()).unwrap();
    fs::create_dir(file.path()).unwrap();
    names.0.look();
    assert!(seen.log().contains("not a regular file"));
    assert_eq!(name(&names, "a1").as_deref(), Some("Maria"));
    fs::remove_dir(file.path()).unwrap();
    file.version = 0;
    file.write(br#"{"a1": "Maria"}"#);
    names.0.look();
    assert!(seen.log().contains("agents' names were read"));
}

#[tokio::test]
async fn watching_takes_a_change_without_being_asked() {
    let mut file = Written::new();
    file.write(br#"{"a1": "Maria"}"#);
    let names = FileNames::new(&file.path());
    names.refresh().await;
    let stop = CancellationToken::new();
    let (watched, stopped) = (names.clone(), stop.clone());
    let watching = tokio::spawn(async move { watched.watch(Duration::from_millis(5), &stopped).await });
    let mut changes = names.0.names.subscribe();
    file.write(br#"{"a1": "Marta"}"#);
    tokio::time::timeout(Duration::from_secs(20), changes.changed())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(name(&names, "a1").as_deref(), Some("Marta"));
    stop.cancel();
    watching.await.unwrap();
}
