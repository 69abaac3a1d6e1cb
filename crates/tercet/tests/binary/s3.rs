//! Does a project work over a bucket as it does over a folder, and are its failures named?
//!
//! The other side is a real S3 server, a process of its own over a temporary folder: it checks
//! signatures, conditions and lengths. `cargo xtask tools` installs it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};

use tercet_engine::{Engine, EngineOptions, FileSet, Frame, Location, Store};

use crate::support::{Output, Project, TERCET, command, files, names, project};

/// The bucket of the shop.
const BUCKET: &str = "shop";

const ACCESS_KEY: &str = "an-access-key";
const SECRET_KEY: &str = "a-secret-nobody-may-see";

/// Seconds in which a place that does not answer must be told of.
const PATIENCE_SECONDS: u64 = 60;

/// A running S3 server with an empty bucket.
struct Server {
    process: Child,
    /// Held open, so that the server can go on logging.
    _log: Lines<BufReader<ChildStdout>>,
    folder: tempfile::TempDir,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where the server's program is: as `cargo xtask` says, or where it installs it.
#[expect(
    clippy::disallowed_methods,
    reason = "cargo xtask says by it where it installed the server"
)]
fn program() -> PathBuf {
    let target = Path::new(TERCET).ancestors().nth(2).unwrap();
    let installed = target.join("tools/s3-server/bin/s3s-fs");
    let program = std::env::var_os("TERCET_TEST_S3_SERVER").map_or(installed, PathBuf::from);
    assert!(
        program.is_file(),
        "{}: the S3 server of the tests is not there; install it once with 'cargo xtask tools'",
        program.display()
    );
    program
}

fn server() -> Server {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
    let mut process = command(program().to_str().unwrap())
        .args(["--host", "127.0.0.1", "--port", "0"])
        .args(["--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY])
        .arg(folder.path())
        .env("RUST_LOG", "s3s_fs=info")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(process.stdout.take().unwrap()).lines();
    let ready = log.find_map(|line| {
        let (_, address) = line
            .ok()?
            .split_once("server is running at ")
            .map(|(a, b)| (a.to_owned(), b.to_owned()))?;
        Some(address)
    });
    let address = ready.expect("the S3 server ended at once").trim().to_owned();
    Server { process, _log: log, folder, address }
}

/// The environment of a client of the server at `address`.
fn variables(address: &str) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ENDPOINT_URL", address.to_owned()),
        ("AWS_ALLOW_HTTP", "true".to_owned()),
    ])
}

/// Types a verb with a client's environment.
fn type_with(shop: &Project, variables: &BTreeMap<&str, String>, verb: &[&str]) -> Output {
    let pairs: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let output = shop.run_with(&pairs, verb);
    for said in [&output.stdout, &output.stderr] {
        assert!(!said.contains(SECRET_KEY), "the secret key is in: {said}");
        assert!(!said.contains(ACCESS_KEY), "the access key is in: {said}");
    }
    output
}

impl Server {
    fn run(&self, shop: &Project, verb: &[&str]) -> Output {
        type_with(shop, &variables(&self.address), verb)
    }

    fn engine(&self) -> Engine {
        let store_options = variables(&self.address)
            .into_iter()
            .map(|(name, value)| (name.to_lowercase(), value))
            .collect();
        Engine::new(EngineOptions { store_options, ..EngineOptions::default() }).unwrap()
    }

    /// A folder of the bucket.
    fn store(&self, folder: &str) -> Store {
        let place = format!("s3://{BUCKET}/{folder}");
        self.engine().store(&Location::new(&place, "/".as_ref()).unwrap()).unwrap()
    }

    /// The files below a folder of the bucket, downloaded.
    fn files(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let store = self.store(folder);
        let read = |name: String| (name.clone(), store.get(&name).unwrap());
        store.list("").unwrap().into_iter().map(read).collect()
    }
}

/// A CSV file of the project as a table of text.
fn csv(shop: &Project, name: &str) -> Frame {
    let engine = Engine::new(EngineOptions::default()).unwrap();
    let location = Location::new(name, &shop.path()).unwrap();
    let attached = engine.attach("t", &FileSet { location, format: None }).unwrap();
    let columns: Vec<String> =
        attached.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
    let sql = format!("select {} from t", columns.join(", "));
    engine.query(&sql, &BTreeMap::new()).unwrap()
}

/// The starter project with its sources in the bucket, in each of the forms a source may have, and
/// none in its folder.
fn in_the_bucket(server: &Server) -> Project {
    let shop = project();
    let data = server.store("data");
    data.put("products.csv", shop.text("data/products.csv").into_bytes()).unwrap();
    data.put_table("promotions/all.parquet", &csv(&shop, "data/promotions.csv")).unwrap();
    let links = shop.text("data/promotion_products.csv");
    data.put("links-2026 (1).csv", links.into_bytes()).unwrap();
    let transactions = shop.text("data/transactions.csv");
    let (header, lines) = transactions.split_once('\n').unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    for (part, lines) in lines.chunks(lines.len().div_ceil(3)).enumerate() {
        let path = format!("transactions/part={part}/lines.csv");
        data.put(&path, format!("{header}\n{}\n", lines.join("\n")).into_bytes()).unwrap();
    }
    for (table, place) in [
        ("products", "products.csv"),
        ("promotions", "promotions/all.parquet"),
        ("promotion_products", "links-*.csv"),
        ("transactions", "transactions/"),
    ] {
        shop.set(&format!("sources.{table}.path"), format!("s3://{BUCKET}/data/{place}"));
    }
    std::fs::remove_dir_all(shop.path().join("data")).unwrap();
    shop
}

/// The lines of `offers.csv` without the ids that hang on the run's: that of the decision (the fourth
/// cell) and the run's own.
fn decided(text: &str, run: &str) -> Vec<String> {
    let plain = |line: &str| {
        let mut cells: Vec<&str> = line.splitn(5, ',').collect();
        cells.remove(3);
        cells.join(",").replace(run, "RUN")
    };
    text.lines().map(plain).collect()
}

#[test]
fn a_project_over_a_bucket_decides_as_over_a_folder() {
    let local = project();
    let local_id = local.weekly(&[]);
    let expect = local.text(&format!("runs/{local_id}/delivery/offers.csv"));

    let server = server();
    let shop = in_the_bucket(&server);
    shop.set("delivery.publish_to", format!("s3://{BUCKET}/out"));
    shop.set("project.runs", format!("s3://{BUCKET}/runs"));
    server.run(&shop, &["check"]).fine();
    assert!(server.files("out").is_empty() && server.files("runs").is_empty(), "check writes");
    let done = server.run(&shop, &["run"]).fine();
    let id = done.stdout.split_whitespace().next().unwrap().to_owned();
    let report = format!("report: s3://{BUCKET}/runs/{id}/delivery/report.html");
    assert!(done.stderr.contains(&report), "{}", done.stderr);

    // What a coupon system downloads: all that the pointer names, and the same offers.
    let out = server.files("out");
    let names_out: Vec<&str> = out.keys().map(String::as_str).collect();
    let (offers_csv, offers_parquet) = (format!("{id}/offers.csv"), format!("{id}/offers.parquet"));
    assert_eq!(names_out, [offers_csv.as_str(), offers_parquet.as_str(), "latest.json"]);
    let latest: serde_json::Value = serde_json::from_slice(&out["latest.json"]).unwrap();
    assert_eq!(latest["run_id"], id.as_str());
    let text = String::from_utf8(out[&offers_csv].clone()).unwrap();
    assert_eq!(latest["offers"], text.lines().count() - 1);
    let (found, expect) = (decided(&text, &id), decided(&expect, &local_id));
    assert_eq!(found.len(), expect.len());
    for (found, expect) in found.iter().zip(&expect) {
        assert_eq!(found, expect);
    }
    let table = server.engine().load(&server.store("out"), &offers_parquet, "offers").unwrap();
    assert_eq!(table.rows(), text.lines().count() - 1);

    // The runs lie in the bucket, whole, and every verb reads them there.
    let runs = server.files("runs");
    let stage: serde_json::Value =
        serde_json::from_slice(&runs[&format!("{id}/delivery/stage.json")]).unwrap();
    for file in stage["files"].as_array().unwrap() {
        let path = file["path"].as_str().unwrap();
        assert_eq!(runs[path].len(), file["bytes"].as_u64().unwrap() as usize, "{path}");
    }
    let manifest = String::from_utf8(runs[&format!("{id}/manifest.json")].clone()).unwrap();
    assert!(manifest.contains(&format!("s3://{BUCKET}/data/products.csv")), "{manifest}");
    let listed = server.run(&shop, &["runs", "--format", "json"]).fine().json();
    assert_eq!(listed[0]["run"], id.as_str());
    let offers = server.run(&shop, &["offers", "--format", "csv"]).fine().lines();
    assert!(offers.len() > 1);
    let again = server.run(&shop, &["run"]).fine();
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);
    assert_eq!(names(&shop.path()), [".tercet.lock", "tercet.toml"], "something lies here too");
}

#[test]
fn what_is_created_once_stays_and_folders_are_told_apart() {
    let server = server();
    let store = server.store("runs");
    store.create("a/manifest.json", b"1".to_vec()).unwrap();
    let again = store.create("a/manifest.json", b"2".to_vec()).unwrap_err();
    assert_eq!(again.code(), "T0907");
    assert_eq!(store.get("a/manifest.json").unwrap(), b"1");
    store.put("b/c/d e+f=1.txt", b"3".to_vec()).unwrap();
    store.put("b/c/d e+f=1.txt", b"4".to_vec()).unwrap();
    assert_eq!(store.list("").unwrap(), ["a/manifest.json", "b/c/d e+f=1.txt"]);
    assert_eq!(store.get("b/c/d e+f=1.txt").unwrap(), b"4");
    assert_eq!(store.folders("").unwrap(), ["a", "b"]);
    store.delete_all("b").unwrap();
    store.delete("b/nothing").unwrap();
    assert!(store.get_if_there("b/c/d e+f=1.txt").unwrap().is_none());
    assert_eq!(store.list("").unwrap(), ["a/manifest.json"]);
}

/// A line to the server that breaks in the middle of every write of a file of that name.
fn breaking_line(server: &Server, name: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let to = server.address.trim_start_matches("http://").to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let Ok(server) = TcpStream::connect(&to) else { return };
            let (mut answers, mut back) =
                (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut answers, &mut back);
                let _ = back.shutdown(Shutdown::Both);
            });
            std::thread::spawn(move || pass_until_a_write_of(name, client, server));
        }
    });
    address
}

/// Passes requests on; of a write of that name its head and a few bytes of the body, then nothing.
fn pass_until_a_write_of(name: &str, mut client: TcpStream, mut server: TcpStream) {
    let mut piece = vec![0; 1 << 16];
    while let Ok(count) = client.read(&mut piece) {
        let bytes = &piece[..count];
        let head = String::from_utf8_lossy(bytes.split(|byte| *byte == b'\n').next().unwrap());
        let broken = head.starts_with("PUT ") && head.contains(name);
        let body = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let passed = if broken { count.min(body.unwrap() + 64) } else { count };
        if count == 0 || server.write_all(&bytes[..passed]).is_err() || broken {
            break;
        }
    }
    let _ = (server.shutdown(Shutdown::Both), client.shutdown(Shutdown::Both));
}

#[test]
fn a_line_that_breaks_in_the_middle_of_a_write_leaves_nothing_half_written() {
    let check = |name: &'static str, published: &[&str]| {
        let server = server();
        let shop = project();
        shop.set("delivery.publish_to", format!("s3://{BUCKET}/out"));
        let broken = variables(&breaking_line(&server, name));
        let failed = type_with(&shop, &broken, &["run"]);
        failed.refused(5, "T0903", &["does not answer", name, "it resumes"]);
        let out = server.files("out");
        let seen: Vec<&str> = out.keys().filter_map(|path| path.rsplit('/').next()).collect();
        assert_eq!(seen, published, "after a broken write of {name}");
        assert!(shop.runs().is_empty(), "a half-written run is visible");
        // The line is mended, and the same command ends what was begun.
        let done = server.run(&shop, &["run"]).fine();
        assert!(done.stderr.contains("done before"), "{}", done.stderr);
        let id = done.stdout.split_whitespace().next().unwrap().to_owned();
        let out = server.files("out");
        assert_eq!(out.len(), 3, "{:?}", out.keys());
        for (path, bytes) in out.iter().filter(|(path, _)| *path != "latest.json") {
            let name = path.rsplit('/').next().unwrap();
            let kept = std::fs::read(shop.path().join(format!("runs/{id}/delivery/{name}")));
            assert!(kept.unwrap() == *bytes, "{path} was published with other bytes");
        }
    };
    check("offers.parquet", &["offers.csv"]);
    check("latest.json", &["offers.csv", "offers.parquet"]);
}

#[test]
fn what_is_wrong_with_a_store_is_named_within_seconds() {
    let server = server();
    let shop = in_the_bucket(&server);
    let fine = variables(&server.address);
    let with = |changes: &[(&'static str, &str)]| {
        let mut changed = fine.clone();
        for (name, value) in changes {
            changed.insert(name, (*value).to_owned());
        }
        changed
    };
    let check = |changes: &[(&'static str, &str)], exit: i32, code: &str, words: &[&str]| {
        let (checked, seconds) = timed(|| type_with(&shop, &with(changes), &["check"]));
        // It goes on to the other tables, so that all that is wrong is seen at once.
        checked.refused(3, "T1023", &[]);
        assert!(checked.stdout.contains(code), "{code} is not in: {}", checked.stdout);
        assert!(seconds < PATIENCE_SECONDS, "check with {code} took {seconds} s");
        let (ran, seconds) = timed(|| type_with(&shop, &with(changes), &["run"]));
        ran.refused(exit, code, words);
        assert!(seconds < PATIENCE_SECONDS, "run with {code} took {seconds} s");
    };
    let place = format!("s3://{BUCKET}/data/");
    // A port that is free now has nobody behind it.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = format!("http://{nobody}");
    let keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    check(&[(keys[1], "another")], 2, "T0916", &[&place, "refuses access", keys[1]]);
    check(&[(keys[0], "somebody-else")], 2, "T0916", &[&place, "refuses access", keys[0]]);
    let silent = [("AWS_ENDPOINT_URL", nobody.as_str())];
    check(
        &silent,
        5,
        "T0903",
        &[&place, "does not answer", &nobody, "refused", "AWS_ENDPOINT_URL"],
    );
    check(&[("AWS_ALLOW_HTTP", "")], 2, "T0917", &["not encrypted", "AWS_ALLOW_HTTP"]);
    let no_keys = [(keys[0], ""), (keys[1], ""), ("AWS_METADATA_ENDPOINT", nobody.as_str())];
    check(&no_keys, 2, "T0917", &["no credentials", keys[0]]);
    check(&[(keys[1], "")], 2, "T0917", &["not usable", keys[1]]);

    shop.set("sources.products.path", format!("s3://{BUCKET}/data/nothing.csv"));
    check(&[], 6, "T0906", &[&format!("{place}nothing.csv"), "no such file"]);
    shop.set("sources.products.path", "s3://nowhere/data/products.csv");
    check(&[], 6, "T0915", &["s3://nowhere/data/products.csv", "no such bucket"]);
}

#[test]
fn a_simulated_shop_in_a_bucket_is_the_one_in_a_folder() {
    let server = server();
    let shop = project();
    let local = shop.path().join("simulated");
    let simulate = |out: &str| {
        let size = ["--customers", "150", "--products", "300", "--promotions", "30"];
        let more = ["--weeks", "9", "--seed", "3", "--threads", "2"];
        server.run(&shop, &[&["--quiet", "simulate", "--out", out][..], &size, &more].concat())
    };
    simulate(local.to_str().unwrap()).fine();
    let place = format!("s3://{BUCKET}/sim");
    simulate(&place).fine();
    let (mut here, mut there) = (files(&local), server.files("sim"));
    // The project says where the tables are, and the manifest how large the project is.
    let config = String::from_utf8(there.remove("tercet.toml").unwrap()).unwrap();
    assert!(here.remove("tercet.toml").is_some() && config.contains(&format!("{place}/data/")));
    for files in [&mut here, &mut there] {
        assert!(files.remove("simulation.json").is_some());
    }
    assert!(here == there, "a bucket holds other files than a folder");
    simulate(&place).refused(4, "T1029", &[&place, "simulation.json"]);

    // Fetched into a folder, the project decides over the bucket.
    shop.file("tercet.toml", config);
    let done = server.run(&shop, &["run"]).fine();
    let id = done.stdout.split_whitespace().next().unwrap().to_owned();
    assert!(!shop.offers(&id).is_empty());
}

#[test]
fn runs_without_a_bucket_are_named_and_begin_when_it_is_there() {
    let server = server();
    let shop = project();
    shop.set("project.runs", "s3://later/here");
    for verb in ["run", "runs", "offers"] {
        let failed = server.run(&shop, &[verb]);
        failed.refused(6, "T0915", &["s3://later/here", "no such bucket", "make the bucket"]);
    }
    std::fs::create_dir(server.folder.path().join("later")).unwrap();
    server.run(&shop, &["run"]).fine();
    server.run(&shop, &["offers"]).fine();
}

/// What `work` gives, and the whole seconds it took.
#[expect(
    clippy::disallowed_methods,
    reason = "a place that does not answer must be told of in time"
)]
fn timed<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let start = std::time::Instant::now();
    let done = work();
    (done, start.elapsed().as_secs())
}
